"""What two neighbor lists say of a pair of faces: cosines, ranks, and the faces that both lists hold."""

from typing import Any

import numpy as np
from numba import get_num_threads, njit, prange
from numpy.typing import NDArray

from personae.graph.knn_graph import NOBODY, KnnGraph

DEPTHS = np.array([5, 10, 20, 40])  # of both lists, in which common faces are counted
RANKS = np.array([0, 2, 4, 9, 19, 39])  # whose similarities say how crowded it is around a face
COSINES = 1 + 2 * len(RANKS)  # the first columns, in units of cosine
EVIDENCE = COSINES + len(DEPTHS) + 2


def evidence(graph: KnnGraph, queries: NDArray[np.int64]) -> NDArray[np.float32]:
    """(B, k, E) float32 for each query and each face on its list; 0 where there is none. O(B k^2).

    The cosine of the pair; the cosines at `RANKS` of either list, its last where it is shorter; then, in
    [0, 1], the shares of common faces among the first 5, 10, ... of both lists, each at the head of its own;
    and both ranks by their logarithm, of which the second may lie behind the end of the list.
    """
    found = np.zeros((len(queries), graph.k, EVIDENCE), np.float32)
    if graph.k:
        similarities = np.asarray(graph.similarities, dtype=np.float32)
        _evidence(graph.neighbors, similarities, queries, get_num_threads(), found)
    return found


@njit(parallel=True, cache=True)
def _evidence(
    neighbors: NDArray[np.int32],
    similarities: NDArray[np.float32],
    queries: NDArray[np.int64],
    threads: int,
    found: NDArray[np.float32],
) -> None:
    n, k = neighbors.shape
    longest = np.log(np.float32(k + 2))
    for thread in prange(threads):
        place = np.full(n, -1, np.int32)  # of each face on the list at hand
        common = np.zeros(k + 1, np.int32)
        first, last = thread * len(queries) // threads, (thread + 1) * len(queries) // threads
        for at in range(first, last):
            query = queries[at]
            _mark(place, neighbors[query], query, True)
            for rank in range(k):
                other = neighbors[query, rank]
                if other == NOBODY:
                    continue
                row = found[at, rank]
                row[0] = similarities[query, rank]
                for column in range(len(RANKS)):
                    row[1 + column] = _similarity_at(neighbors[query], similarities[query], RANKS[column])
                    row[1 + len(RANKS) + column] = _similarity_at(
                        neighbors[other], similarities[other], RANKS[column]
                    )
                back = _count_common(place, neighbors[other], other, query, common)
                _shares(common, row[COSINES:])
                row[COSINES + len(DEPTHS)] = np.log(np.float32(rank + 1)) / longest
                row[COSINES + len(DEPTHS) + 1] = np.log(np.float32(back + 1)) / longest
            _mark(place, neighbors[query], query, False)


@njit(cache=True)
def _mark(place: NDArray[np.int32], row: NDArray[np.int32], face: int, there: bool) -> None:
    place[face] = 0 if there else -1
    for rank in range(len(row)):
        if row[rank] != NOBODY:
            place[row[rank]] = rank + 1 if there else -1


@njit(cache=True)
def _similarity_at(row: NDArray[np.int32], values: NDArray[np.float32], rank: int) -> Any:
    at = min(rank, len(row) - 1)
    while at > 0 and row[at] == NOBODY:
        at -= 1
    return values[at]


@njit(cache=True)
def _count_common(
    place: NDArray[np.int32], row: NDArray[np.int32], other: int, query: int, common: NDArray[np.int32]
) -> Any:
    """Fills `common[p]`, the faces on both lists whose later place is p; returns the query's rank in `row`."""
    common[:] = 0
    common[place[other]] += 1
    back = len(row)
    for rank in range(len(row)):
        face = row[rank]
        if face == NOBODY:
            continue
        if face == query:
            back = rank
        if place[face] >= 0:
            common[max(place[face], rank + 1)] += 1
    return back


@njit(cache=True)
def _shares(common: NDArray[np.int32], shares: NDArray[np.float32]) -> None:
    depth, total = 0, 0
    for column in range(len(DEPTHS)):
        end = min(DEPTHS[column], len(common))
        while depth < end:
            total += common[depth]
            depth += 1
        shares[column] = np.float32(total) / np.float32(end)
