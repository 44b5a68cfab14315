"""What L-GCN learns from: pivots drawn at random, each judging its own neighbors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from personae.data.faceset import FaceSet
from personae.errors import InputError
from personae.evaluation.links import link_curve
from personae.graph.exact import knn_graph
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.link.l_gcn import Batch
from personae.link.l_gcn_inference import PivotModel
from personae.link.pivot_subgraphs import Neighborhood, PivotSubgraphs
from personae.train.exam import Exam
from personae.train.loop import seed_of

GROWN = 0.02  # of the identities of a varied crowd, on average
LARGE = (30, 600)


@dataclass(frozen=True)
class Crowd:
    """Faces to draw pivots from.

    faces: N faces
    truth: (N,) int32
    graph: of these faces alone
    """

    faces: FaceSet
    truth: NDArray[np.int32]
    graph: KnnGraph

    @classmethod
    def of(cls, faces: FaceSet, truth: NDArray[np.int32], k: int) -> "Crowd":
        """With its graph, O(N^2 d)."""
        return cls(faces, truth, knn_graph(faces, k))


def crowds(exam: Exam, varied: int, k: int, seed: int) -> list[Crowd]:
    """All faces to learn from, and as many `varied` crowds made of them, where people have other sizes."""
    faces, truth = exam.lesson()
    rngs = (np.random.default_rng([seed, len(faces), number]) for number in range(varied))
    made = [varied_sizes(faces, truth, rng) for rng in rngs]
    return [Crowd.of(*each, k) for each in ((faces, truth), *made)]


def varied_sizes(
    faces: FaceSet, truth: NDArray[np.int32], rng: np.random.Generator
) -> tuple[FaceSet, NDArray[np.int32]]:
    """The same identities with more and fewer faces each, so that nothing is learned of how many are usual.

    truth: (N,) int32, 0..A-1

    Of n faces an identity keeps from 1 to n, each number as likely. About a share of `GROWN` grows to between
    30 and 600 faces instead: a face that is made stands to the mean of its identity as a face of somebody else
    does to that of theirs.
    """
    features = faces.features.astype(np.float64)
    sizes = np.bincount(truth)
    by_identity = np.argsort(truth + rng.random(len(truth)))  # shuffled within each identity
    place = np.arange(len(truth)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    grows = rng.random(len(sizes)) < rng.uniform(0, 2 * GROWN)
    keeps = np.where(grows, sizes, rng.integers(1, sizes + 1))
    kept = np.sort(by_identity[place < np.repeat(keeps, sizes)])
    several = np.flatnonzero(sizes[truth] > 1)
    if not len(several):
        return faces.take(kept), truth[kept]
    means = np.zeros((len(sizes), features.shape[1]))
    np.add.at(means, truth, features)
    means /= sizes[:, None]
    wanted = np.exp(rng.uniform(np.log(LARGE[0]), np.log(LARGE[1]), len(sizes))).astype(np.int64)
    more = np.where(grows, np.maximum(wanted - sizes, 0), 0)
    names = np.repeat(np.arange(len(sizes)), more)
    lent = rng.choice(several, len(names))
    lenders = truth[lent]
    # faces stand closer to the mean of a few that holds themselves than to their person's
    scale = np.sqrt(sizes[lenders] / (sizes[lenders] - 1))
    made = means[names] + scale[:, None] * (features[lent] - means[lenders])
    together = np.concatenate([features[kept], made]).astype(np.float32)
    return FaceSet.of(together), np.concatenate([truth[kept], names]).astype(np.int32)


class PivotLesson:
    """Batches of pivots in random order; within a crowd each face comes once before any comes again.

    exam:   what grades the model
    shapes: of the subgraphs in training, one drawn for each step
    batch:  pivots a step
    crowds: one for each step, in turn
    seed:   of the order and the shapes

    InputError: faces that have no neighbors.
    """

    def __init__(
        self,
        model: PivotModel,
        exam: Exam,
        shapes: Sequence[Neighborhood],
        batch: int,
        crowds: Sequence[Crowd],
        seed: int,
    ) -> None:
        if any(crowd.graph.k == 0 for crowd in crowds):
            raise InputError("there is one face to learn from; a link model needs faces of several people")
        self.model = model
        self.module: nn.Module = model.module
        self.exam = exam
        self.shapes = shapes
        self.batch = batch
        self.crowds = crowds
        self.seed = seed

    def loss(self, step: int, device: str) -> Tensor:
        """Cross-entropy over all candidates of the batch."""
        turn, which = divmod(step, len(self.crowds))
        crowd = self.crowds[which]
        rng = np.random.default_rng(seed_of(self.seed, step))
        shape = self.shapes[int(rng.integers(len(self.shapes)))]
        subgraphs = PivotSubgraphs.of(crowd.graph, self.pivots(turn, which), shape)
        batch = Batch.of(self.model.config, crowd.faces, crowd.graph, subgraphs).to(device)
        rows = subgraphs.candidate_rows()
        pivots = subgraphs.pivots[subgraphs.pivot_of_row()[rows]]
        same = crowd.truth[subgraphs.faces[rows]] == crowd.truth[pivots]
        target = torch.from_numpy(same.astype(np.int64)).to(device)
        return functional.cross_entropy(self.module(batch).float(), target)

    def pivots(self, turn: int, which: int) -> NDArray[np.int64]:
        """The faces of the batch with number `turn` of a crowd."""
        size = len(self.crowds[which].faces)
        turns = max(1, size // self.batch)
        epoch, place = divmod(turn, turns)
        order = np.random.default_rng([self.seed, which, epoch]).permutation(size)
        return order[place * self.batch : (place + 1) * self.batch]

    def score(self) -> float:
        """Average precision of the links of the validation faces, a fraction of the time of a clustering."""
        held = np.flatnonzero(self.exam.held)
        found = np.full(self.exam.graph.neighbors.shape, NOBODY, np.int32)
        weights = np.zeros(found.shape, np.float32)
        said = self.model.probabilities(self.exam.faces, self.exam.graph, held)
        width = said.shape[1]
        found[held, :width] = self.exam.graph.neighbors[held, :width]
        weights[held, :width] = said
        try:
            return link_curve(KnnGraph(found, weights), self.exam.truth).average_precision
        except InputError:  # links of one kind only
            return 0.0
