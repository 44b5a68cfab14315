"""The validation identities in their crowd: what grades a model while it learns and chooses its thresholds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personae.clustering.decision import Decision
from personae.data.faceset import FaceSet
from personae.graph.knn_graph import KnnGraph
from personae.graph.search import knn_graph
from personae.link.links import Links
from personae.train.choose import choose
from personae.train.split import held_out

HELD_OUT = 0.125  # of the identities


@dataclass(frozen=True)
class Exam:
    """All faces with their identities, and which of them the model never learns from.

    faces: N faces, those of the training identities included, since false links grow with the crowd
    truth: (N,) int32
    held:  (N,) bool, the faces of the validation identities
    graph: the kNN graph of all of them
    """

    faces: FaceSet
    truth: NDArray[np.int32]
    held: NDArray[np.bool_]
    graph: KnnGraph

    @classmethod
    def of(cls, faces: FaceSet, truth: NDArray[np.int32], k: int, seed: int) -> "Exam":
        """An eighth of the identities held out. InputError: as of `held_out`."""
        held = held_out(truth, HELD_OUT, seed)
        return cls(faces, truth, held, knn_graph(faces, k))

    def lesson(self) -> tuple[FaceSet, NDArray[np.int32]]:
        """The faces to learn from and their identities, 0..A-1."""
        rows = np.flatnonzero(~self.held)
        return self.faces.take(rows), np.unique(self.truth[rows], return_inverse=True)[1].astype(np.int32)

    def grade(self, links: Links) -> float:
        """In [0, 1], the mean of both F at the best threshold of plain components."""
        return choose(links, self.truth, self.held, "components")[1]

    def decide(
        self, links: Links, clusterers: Sequence[str], options: dict[str, Sequence[dict[str, Any]]]
    ) -> tuple[Decision, float]:
        """The best decision among these clusterers, and its mean of both F.

        options: other parameters to try, by clusterer
        """
        tried = [choose(links, self.truth, self.held, name, options.get(name, ({},))) for name in clusterers]
        return max(tried, key=lambda pair: pair[1])
