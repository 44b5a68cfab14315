"""The links of a kNN graph, each known at both of its ends, in an order that does not depend on the input."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.graph.adjacency import canonical_order
from personae.graph.components import first_seen
from personae.graph.knn_graph import KnnGraph
from personae.graph.sorting import sort_both
from personae.graph.threads import Span, in_threads, spans


@dataclass(frozen=True)
class Links:
    """Symmetric links; the faces are numbered by their places in `canonical_order`.

    order:   (N,) the face at each place
    indptr:  (N + 1,) int64, others[indptr[a] : indptr[a + 1]] are linked to the face at place a
    others:  (2 E,) int32, places, rising in each row, never a itself
    weights: (2 E,) float32, the similarity, the same at both ends
    """

    order: NDArray[np.intp]
    indptr: NDArray[np.int64]
    others: NDArray[np.int32]
    weights: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.order)

    def of_faces(self, labels: NDArray[np.integer[Any]]) -> NDArray[np.int32]:
        """(N,) int32, labels of places as labels of faces, 0..C-1 in the order of the first faces."""
        by_face = np.empty_like(labels)
        by_face[self.order] = labels
        return first_seen(by_face)

    def pairs(self) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
        """Both places, a < b, and the weight of each of the E links."""
        a = np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.indptr))
        once = a < self.others
        return a[once], self.others[once], self.weights[once]


def symmetric_links(graph: KnnGraph, tau: float = -np.inf) -> Links:
    """The links of similarity `tau` or above; one that both faces list has the larger of the two similarities.

    About 16 bytes for each place of the lists that is kept, half of them only on the way. O(N k log k).
    """
    order = canonical_order(graph)
    place = np.empty(len(graph), dtype=np.int32)
    place[order] = np.arange(len(graph), dtype=np.int32)
    similarities = graph.similarities.astype(np.float32, copy=False)
    both = _both_ways(graph.neighbors, similarities, place, tau)
    return Links(order, *_once(*both))


@njit(cache=True)
def _both_ways(
    neighbors: NDArray[np.int32], similarities: NDArray[np.float32], place: NDArray[np.int32], tau: float
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    """Every listed link at both ends, those that both faces list twice."""
    n, k = neighbors.shape
    indptr = np.zeros(n + 1, np.int64)
    for face in range(n):
        for rank in range(k):
            other = neighbors[face, rank]
            if other >= 0 and other != face and similarities[face, rank] >= tau:
                indptr[place[face] + 1] += 1
                indptr[place[other] + 1] += 1
    for a in range(n):
        indptr[a + 1] += indptr[a]
    others = np.empty(indptr[-1], np.int32)
    weights = np.empty(indptr[-1], np.float32)
    end = indptr[:-1].copy()
    for face in range(n):
        for rank in range(k):
            other = neighbors[face, rank]
            if other >= 0 and other != face and similarities[face, rank] >= tau:
                a, b = place[face], place[other]
                others[end[a]], others[end[b]] = b, a
                weights[end[a]] = weights[end[b]] = similarities[face, rank]
                end[a] += 1
                end[b] += 1
    return indptr, others, weights


def _once(
    indptr: NDArray[np.int64], others: NDArray[np.int32], weights: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    """The same links sorted, each once a row; the arguments are overwritten."""
    parts = spans(len(indptr) - 1)
    start = np.zeros(len(indptr), np.int64)
    in_threads(_sort, parts, indptr, others, weights, start[1:])
    np.cumsum(start, out=start)
    links, values = np.empty(start[-1], np.int32), np.empty(start[-1], np.float32)
    in_threads(_copy, parts, indptr, others, start, links)
    in_threads(_copy, parts, indptr, weights, start, values)
    return start, links, values


@njit(cache=True, nogil=True)
def _sort(
    span: Span,
    indptr: NDArray[np.int64],
    others: NDArray[np.int32],
    weights: NDArray[np.float32],
    kept: NDArray[np.int64],
) -> None:
    for a in range(*span):
        row, weight = others[indptr[a] : indptr[a + 1]], weights[indptr[a] : indptr[a + 1]]
        sort_both(row, weight)
        end = 0
        for at in range(len(row)):
            if end > 0 and row[end - 1] == row[at]:
                weight[end - 1] = max(weight[end - 1], weight[at])
            else:
                row[end], weight[end] = row[at], weight[at]
                end += 1
        kept[a] = end


@njit(cache=True, nogil=True)
def _copy(
    span: Span, indptr: NDArray[np.int64], old: NDArray[Any], start: NDArray[np.int64], new: NDArray[Any]
) -> None:
    """The first values of each row, as many as `start` leaves room for."""
    for a in range(*span):
        for at in range(start[a + 1] - start[a]):
            new[start[a] + at] = old[indptr[a] + at]
