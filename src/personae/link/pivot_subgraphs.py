"""Pivot subgraphs: the neighborhood of one face, the pivot, in which each face is judged against it.

Wang et al., "Linkage Based Face Clustering via Graph Convolution Network", CVPR 2019, section 3.2.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from personae.errors import InputError
from personae.graph.knn_graph import KnnGraph

EMPTY = -1


@dataclass(frozen=True)
class Neighborhood:
    """Which faces and links a pivot subgraph holds.

    first:  k1, nearest faces of the pivot
    second: k2, nearest faces of each of those
    links:  u, each face is linked to those of its u nearest faces, in the whole collection, that are inside
    pivot:  whether the pivot is inside; the published program has it so, the paper's text does not
    """

    first: int = 80
    second: int = 5
    links: int = 5
    pivot: bool = True

    def __post_init__(self) -> None:
        if self.first < 1 or min(self.second, self.links) < 0:
            raise InputError(
                f"a pivot subgraph of {self.first} and {self.second} neighbors with {self.links} links needs "
                "at least 1, 0 and 0"
            )


@dataclass(frozen=True)
class PivotSubgraphs:
    """The subgraphs of B pivots one after the other, M rows in all, without padding.

    pivots:     (B,) int32, a face each
    start:      (B + 1,) int64, rows start[b] : start[b + 1] are of pivot b
    candidates: (B,) int32, so many of those, the first ones, are the pivot's own neighbors, best first
    faces:      (M,) int32, the face of each row; the pivot and the second hop come after the candidates
    indptr:     (M + 1,) int64, others[indptr[m] : indptr[m + 1]] are linked to row m
    others:     (L,) int32, rows, each link at both of its ends
    """

    pivots: NDArray[np.int32]
    start: NDArray[np.int64]
    candidates: NDArray[np.int32]
    faces: NDArray[np.int32]
    indptr: NDArray[np.int64]
    others: NDArray[np.int32]

    @classmethod
    def of(cls, graph: KnnGraph, pivots: NDArray[np.integer[Any]], shape: Neighborhood) -> Self:
        """Of these pivots, in a graph that lists no face twice. O(k1 (k2 + u)) each."""
        own = np.ascontiguousarray(pivots, dtype=np.int32)
        first, second, links = (min(most, graph.k) for most in (shape.first, shape.second, shape.links))
        shaped = (first, second, links, shape.pivot)
        rows, candidates, ends = _sizes(graph.neighbors, own, shaped)
        start, link_start = _from_zero(rows), _from_zero(ends)
        return cls(own, start, candidates, *_filled(graph.neighbors, own, shaped, start, link_start))

    def __len__(self) -> int:
        return len(self.pivots)

    def pivot_of_row(self) -> NDArray[np.int64]:
        """(M,) the place in `pivots` of each row's pivot."""
        return np.repeat(np.arange(len(self)), np.diff(self.start))

    def candidate_rows(self) -> NDArray[np.int64]:
        """(sum of candidates,) the rows that are judged, pivot by pivot, best neighbor first."""
        end = np.cumsum(self.candidates.astype(np.int64))
        before = np.repeat(end - self.candidates, self.candidates)
        return np.asarray(np.arange(int(end[-1]) if len(end) else 0) - before + self._starts())

    def _starts(self) -> NDArray[np.int64]:
        return np.repeat(self.start[:-1], self.candidates)


def _from_zero(counts: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64)


@njit(parallel=True, cache=True)
def _sizes(neighbors: NDArray[np.int32], pivots: NDArray[np.int32], shape: tuple[int, int, int, bool]) -> Any:
    """Rows, candidates and ends of links of each subgraph."""
    rows = np.zeros(len(pivots), np.int64)
    candidates = np.zeros(len(pivots), np.int32)
    ends = np.zeros(len(pivots), np.int64)
    for b in prange(len(pivots)):
        members, count, table, row_of = _members(neighbors, pivots[b], shape)
        one, _ = _pairs(neighbors, members, shape[2], table, row_of)
        rows[b], candidates[b], ends[b] = len(members), count, 2 * len(one)
    return rows, candidates, ends


@njit(parallel=True, cache=True)
def _filled(
    neighbors: NDArray[np.int32],
    pivots: NDArray[np.int32],
    shape: tuple[int, int, int, bool],
    start: NDArray[np.int64],
    link_start: NDArray[np.int64],
) -> Any:
    """`faces`, `indptr` and `others`."""
    faces = np.empty(start[-1], np.int32)
    indptr = np.zeros(start[-1] + 1, np.int64)
    others = np.empty(link_start[-1], np.int32)
    for b in prange(len(pivots)):
        members, _, table, row_of = _members(neighbors, pivots[b], shape)
        one, other = _pairs(neighbors, members, shape[2], table, row_of)
        low = start[b]
        faces[low : start[b + 1]] = members
        degree = np.zeros(len(members) + 1, np.int64)
        for link in range(len(one)):
            degree[one[link] + 1] += 1
            degree[other[link] + 1] += 1
        place = np.cumsum(degree) + link_start[b]
        indptr[low + 1 : start[b + 1] + 1] = place[1:]
        for link in range(len(one)):
            a, z = one[link], other[link]
            others[place[a]], others[place[z]] = low + z, low + a
            place[a] += 1
            place[z] += 1
    return faces, indptr, others


@njit(cache=True)
def _members(neighbors: NDArray[np.int32], pivot: int, shape: tuple[int, int, int, bool]) -> Any:
    """The faces inside, how many of them are candidates, and the hash table that finds their rows."""
    first, second, _, include = shape
    room = first * (second + 1) + 1
    size = 4
    while size < 2 * room:
        size *= 2
    table, row_of = np.full(size, EMPTY, np.int32), np.empty(size, np.int32)
    members = np.empty(room, np.int32)
    count = 0
    for rank in range(first):
        if neighbors[pivot, rank] >= 0:
            count = _joined(neighbors[pivot, rank], count, table, row_of, members)
    candidates = count
    if include:
        count = _joined(pivot, count, table, row_of, members)
    for hop in range(candidates):
        for rank in range(second):
            other = neighbors[members[hop], rank]
            if other >= 0 and other != pivot:
                count = _joined(other, count, table, row_of, members)
    return members[:count], candidates, table, row_of


@njit(cache=True)
def _joined(
    face: int, count: int, table: NDArray[np.int32], row_of: NDArray[np.int32], members: NDArray[np.int32]
) -> int:
    """How many members there are with this face, which may be one already."""
    slot = slot_of(face, table)
    if table[slot] == face:
        return count
    table[slot], row_of[slot], members[count] = face, count, face
    return count + 1


@njit(cache=True)
def _pairs(
    neighbors: NDArray[np.int32],
    members: NDArray[np.int32],
    links: int,
    table: NDArray[np.int32],
    row_of: NDArray[np.int32],
) -> Any:
    """Both rows of each pair inside of which one is among the `links` nearest faces of the other."""
    one = np.empty(len(members) * links, np.int32)
    other = np.empty(len(members) * links, np.int32)
    count = 0
    for row in range(len(members)):
        for rank in range(links):
            friend = neighbors[members[row], rank]
            if friend < 0:
                continue
            slot = slot_of(friend, table)
            if table[slot] != friend:
                continue
            known = False  # from the other end
            if row_of[slot] < row:
                for back in range(links):
                    known |= neighbors[friend, back] == members[row]
            if not known:
                one[count], other[count] = row, row_of[slot]
                count += 1
    return one[:count], other[:count]


@njit(cache=True)
def slot_of(face: int, table: NDArray[np.int32]) -> int:
    """Where a hash table holds the face, or would: open addressing, a power of two of slots."""
    mask = len(table) - 1
    slot = (face * 2654435761 >> 7) & mask
    while table[slot] != EMPTY and table[slot] != face:
        slot = (slot + 1) & mask
    return slot
