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
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.graph.search import knn_graph
from personae.link.l_gcn import Batch, PivotConfig, inputs, looked_at
from personae.link.l_gcn_inference import PivotModel
from personae.link.pivot_subgraphs import Neighborhood, PivotSubgraphs
from personae.train.exam import Exam
from personae.train.loop import seed_of
from personae.train.worlds import EVERY, worlds

SAMPLE = 200  # pivots of a crowd whose subgraphs are measured


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
    def of(cls, config: PivotConfig, faces: FaceSet, truth: NDArray[np.int32], k: int) -> "Crowd":
        """With its graph as the network looks at it, O(N^2 d)."""
        return cls(faces, truth, looked_at(config, knn_graph(faces, k)))


def crowds(config: PivotConfig, exam: Exam, k: int, seed: int) -> list[Crowd]:
    """All faces to learn from; for a network of relations also crowds and albums made of them, where people
    have other sizes.
    """
    count = len(EVERY) if config.inputs == "relations" else 1
    return [Crowd.of(config, *world, k) for world in worlds(*exam.lesson(), count, seed, EVERY)]


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
        if not model.module.of_batches:
            model.module.standardize(torch.cat([torch.from_numpy(self.seen(crowd)) for crowd in crowds]))

    def seen(self, crowd: Crowd) -> NDArray[np.float32]:
        """(M, width), the rows of some subgraphs of a crowd."""
        n = len(crowd.graph)
        some = np.unique(np.linspace(0, n - 1, min(n, SAMPLE)).astype(np.int64))
        subgraphs = PivotSubgraphs.of(crowd.graph, some, self.shapes[-1])
        return inputs(self.model.config, crowd.faces, crowd.graph, subgraphs)

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
        graph = looked_at(self.model.config, self.exam.graph)
        found = np.full(graph.neighbors.shape, NOBODY, np.int32)
        weights = np.zeros(found.shape, np.float32)
        said = self.model.probabilities(self.exam.faces, graph, held)
        width = said.shape[1]
        found[held, :width] = graph.neighbors[held, :width]
        weights[held, :width] = said
        try:
            return link_curve(KnnGraph(found, weights), self.exam.truth).average_precision
        except InputError:  # links of one kind only
            return 0.0
