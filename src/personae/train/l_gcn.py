"""What L-GCN learns from: pivots drawn at random, each judging its own neighbors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn, from_numpy
from torch.nn import functional

from personae.data.faceset import FaceSet
from personae.evaluation.links import link_curve
from personae.graph.exact import knn_graph
from personae.graph.knn_graph import KnnGraph
from personae.link.l_gcn import Batch, PivotModel
from personae.link.pivot_subgraphs import Neighborhood, PivotSubgraphs
from personae.train.exam import Exam
from personae.train.loop import seed_of


@dataclass(frozen=True)
class Crowd:
    """Faces to draw pivots from.

    graph: of these faces alone
    truth: (N,) int32
    """

    faces: FaceSet
    graph: KnnGraph
    truth: NDArray[np.int32]


class PivotLesson:
    """Batches of pivots in random order, each face once before any comes again.

    shape:  of the subgraphs in training
    batch:  pivots a step
    crowds: taken in turn
    """

    def __init__(self, model: PivotModel, exam: Exam, shape: Neighborhood, batch: int, crowds: list[Crowd]) -> None:
        self.model = model
        self.module: nn.Module = model.module
        self.exam = exam
        self.shape = shape
        self.batch = batch
        self.crowds = crowds

    def loss(self, step: int, device: str) -> Tensor:
        """Cross-entropy over all candidates of the batch."""
        crowd = self.crowds[step % len(self.crowds)]
        at = step // len(self.crowds) * self.batch
        turn = at // max(1, len(crowd.faces) // self.batch * self.batch)
        order = np.random.default_rng([seed_of(0, step % len(self.crowds)), turn]).permutation(len(crowd.faces))
        at %= max(1, len(crowd.faces) // self.batch * self.batch)
        pivots = order[at : at + self.batch]
        subgraphs = PivotSubgraphs.of(crowd.graph, pivots, self.shape)
        batch = Batch.of(self.model.config, crowd.faces, crowd.graph, subgraphs).to(device)
        rows = subgraphs.candidate_rows()
        pivot = subgraphs.pivots[subgraphs.pivot_of_row()[rows]]
        same = crowd.truth[subgraphs.faces[rows]] == crowd.truth[pivot]
        return functional.cross_entropy(self.module(batch).float(), from_numpy(same.astype(np.int64)).to(device))

    def score(self) -> float:
        held = np.flatnonzero(self.exam.held)
        p = self.model.probabilities(self.exam.faces, self.exam.graph, held)
        near = self.exam.graph.neighbors[held, :p.shape[1]]
        same = self.exam.truth[near] == self.exam.truth[held][:, None]
        from sklearn.metrics import average_precision_score
        return float(average_precision_score(same.ravel(), p.ravel()))


def whole(exam: Exam) -> Crowd:
    faces, truth = exam.lesson()
    return Crowd(faces, knn_graph(faces, exam.graph.k), truth)
