"""Proposals with scores, and what they say of links."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.graph.knn_graph import KnnGraph
from personae.link.proposals import Proposals


@dataclass(frozen=True)
class Rated:
    """Proposals, and how much each looks like a person.

    proposals: P sets of faces
    scores:    (P,) float32, the predicted IoU with the person that most of its faces are, or the mean of that
               and the IoP. They rank as they are, also below 0 and above 1; as weights of links and beside
               thresholds they count as 0 and 1 there
    """

    proposals: Proposals
    scores: NDArray[np.float32]

    @property
    def weights(self) -> NDArray[np.float32]:
        """(P,) float32 in [0, 1], the scores as weights."""
        return self.scores.clip(0, 1)

    def at_least(self, tau: float) -> "Rated":
        """Only proposals of score `tau` or above."""
        kept = self.weights >= np.float64(tau)
        return Rated(self.proposals.take(kept), self.scores[kept])

    def order(self) -> NDArray[np.int64]:
        """(P,) int64, the best first; of equal scores the larger, then the one with the earlier faces."""
        first = self.proposals.faces[self.proposals.offsets[:-1]]
        return np.lexsort((first, -self.proposals.sizes, -self.scores)).astype(np.int64)

    def links(self, graph: KnnGraph) -> KnnGraph:
        """The links of `graph` inside of proposals, each with the best score of those that hold both ends."""
        order = self.order()[::-1].copy()
        weights = _shared(graph.neighbors, self.proposals.faces, self.proposals.offsets, order, self.weights)
        return graph.linked(weights.clip(0)).where(weights >= 0)


@njit(cache=True)
def _shared(
    neighbors: NDArray[np.int32],
    faces: NDArray[np.int32],
    offsets: NDArray[np.int64],
    order: NDArray[np.int64],
    scores: NDArray[np.float32],
) -> Any:
    n, k = neighbors.shape
    found = np.full((n, k), np.float32(-1))
    last = np.full(n, -1, np.int64)  # the proposal that a face was marked by
    for p in order:
        for face in faces[offsets[p] : offsets[p + 1]]:
            last[face] = p
        for face in faces[offsets[p] : offsets[p + 1]]:
            for rank in range(k):
                other = neighbors[face, rank]
                if other >= 0 and last[other] == p:
                    found[face, rank] = scores[p]
    return found
