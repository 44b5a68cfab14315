"""ARO: two faces are close if the faces before each in the other's list are in both lists.

Otto, Wang and Jain, "Clustering Millions of Faces by Identity", IEEE TPAMI, 2017.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.errors import InputError
from personae.graph.knn_graph import KnnGraph
from personae.graph.threads import Span, in_threads, spans


@dataclass(frozen=True)
class ApproximateRankOrder:
    """Neighbors of each other are linked where their approximate rank-order distance is at most `t`.

    With O_a(b) the rank of b in the list of a, from 1, and f_a(i) the face at rank i:
    d(a, b) = how many of f_a(1), ..., f_a(O_a(b)) are missing in the list of b, b itself counted as there, and
    D(a, b) = (d(a, b) + d(b, a)) / min(O_a(b), O_b(a)). Faces that are not in each other's lists have no
    link, as in the programs in use. O(N k^2).

    t: D up to which a pair is linked; not a similarity: 0 asks for no missing face, k is about the most
    """

    t: float = 1.1

    def link(self, graph: KnnGraph) -> KnnGraph:
        """The links of D <= t in both lists, weights 1 / (1 + D) in (0, 1].

        InputError: t is negative or not finite.
        """
        if not 0 <= self.t < math.inf:
            raise InputError(f"t is {self.t}; it needs to be a rank-order distance, at least 0")
        distance = rank_order_distances(graph)
        weights = (1 / (1 + distance)).astype(np.float32)
        return graph.linked(weights).where(distance <= np.float32(self.t))  # a distance of just t is a tie


def rank_order_distances(graph: KnnGraph) -> NDArray[np.float32]:
    """(N, k) float32: D(i, j) of each face and its neighbors j; infinite where i is not in the list of j."""
    neighbors = np.ascontiguousarray(graph.neighbors)
    missing, back = np.zeros_like(neighbors), np.zeros_like(neighbors)
    distance = np.full(neighbors.shape, np.inf, np.float32)
    parts = spans(len(neighbors))
    in_threads(_count_missing, parts, neighbors, missing, back)
    in_threads(_measure, parts, neighbors, missing, back, distance)
    return distance


@njit(cache=True, nogil=True)
def _count_missing(
    span: Span, neighbors: NDArray[np.int32], missing: NDArray[np.int32], back: NDArray[np.int32]
) -> None:
    """For face b and each neighbor a: d(a, b), and the rank of b in the list of a, from 1, 0 if nowhere."""
    n, k = neighbors.shape
    listed_by = np.full(n, -1, np.int32)
    for b in range(*span):
        listed_by[b] = b
        for rank in range(k):
            if neighbors[b, rank] >= 0:
                listed_by[neighbors[b, rank]] = b
        for rank in range(k):
            a = neighbors[b, rank]
            if a < 0:
                continue
            count = 0
            for at in range(k):
                face = neighbors[a, at]
                if face == b:
                    missing[b, rank] = count
                    back[b, rank] = at + 1
                    break
                if face >= 0 and listed_by[face] != b:
                    count += 1


@njit(cache=True, nogil=True)
def _measure(
    span: Span,
    neighbors: NDArray[np.int32],
    missing: NDArray[np.int32],
    back: NDArray[np.int32],
    distance: NDArray[np.float32],
) -> None:
    for b in range(*span):
        for rank in range(neighbors.shape[1]):
            if back[b, rank] > 0:
                other = missing[neighbors[b, rank], back[b, rank] - 1]
                distance[b, rank] = (missing[b, rank] + other) / min(rank + 1, back[b, rank])
