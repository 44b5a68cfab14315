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
        """Of these pivots. O(k1 (k2 + u)) each; 4 bytes a row and 4 a link beyond the result."""
        own = np.ascontiguousarray(pivots, dtype=np.int32)
        sizes, candidates, links = _sizes(
            graph.neighbors, own, shape.first, shape.second, shape.links, shape.pivot
        )
        start, link_start = _from_zero(sizes), _from_zero(links)
        faces = np.empty(start[-1], np.int32)
        indptr = np.zeros(start[-1] + 1, np.int64)
        others = np.empty(link_start[-1], np.int32)
        _fill(
            graph.neighbors,
            own,
            (shape.first, shape.second, shape.links, shape.pivot),
            (start, link_start),
            faces,
            indptr,
            others,
        )
        return cls(own, start, candidates, faces, indptr, others)

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
def _sizes(
    neighbors: NDArray[np.int32], pivots: NDArray[np.int32], first: int, second: int, links: int, pivot: bool
) -> Any:
    """Rows, candidates and directed links of each subgraph."""
    count = len(pivots)
    sizes = np.zeros(count, np.int64)
    candidates = np.zeros(count, np.int32)
    ends = np.zeros(count, np.int64)
    room = min(first, neighbors.shape[1]) * (second + 1) + 1
    for b in prange(count):
        table, row = _table(room)
        members = np.empty(room, np.int32)
        sizes[b], candidates[b] = _members(neighbors, pivots[b], first, second, pivot, table, row, members)
        ends[b] = 2 * _link(neighbors, members[: sizes[b]], links, table, row, 0, members[:0], members[:0])
    return sizes, candidates, ends


@njit(parallel=True, cache=True)
def _fill(
    neighbors: NDArray[np.int32],
    pivots: NDArray[np.int32],
    shape: tuple[int, int, int, bool],
    starts: tuple[NDArray[np.int64], NDArray[np.int64]],
    faces: NDArray[np.int32],
    indptr: NDArray[np.int64],
    others: NDArray[np.int32],
) -> None:
    first, second, links, pivot = shape
    start, link_start = starts
    room = min(first, neighbors.shape[1]) * (second + 1) + 1
    for b in prange(len(pivots)):
        table, row = _table(room)
        members = np.empty(room, np.int32)
        size, _ = _members(neighbors, pivots[b], first, second, pivot, table, row, members)
        low = start[b]
        faces[low : low + size] = members[:size]
        half = (link_start[b + 1] - link_start[b]) // 2
        a, z = np.empty(half, np.int32), np.empty(half, np.int32)
        _link(neighbors, members[:size], links, table, row, half, a, z)
        degree = np.zeros(size + 1, np.int64)
        for link in range(half):
            degree[a[link] + 1] += 1
            degree[z[link] + 1] += 1
        place = np.cumsum(degree) + link_start[b]
        indptr[low + 1 : low + size + 1] = place[1:]
        for link in range(half):
            one, other = a[link], z[link]
            others[place[one]] = low + other
            others[place[other]] = low + one
            place[one] += 1
            place[other] += 1


@njit(cache=True)
def _members(
    neighbors: NDArray[np.int32],
    pivot: int,
    first: int,
    second: int,
    include: bool,
    table: NDArray[np.int32],
    row: NDArray[np.int32],
    members: NDArray[np.int32],
) -> Any:
    """How many faces are inside, and how many of them are candidates; fills `members` and the hash table."""
    k = neighbors.shape[1]
    count = 0
    for rank in range(min(first, k)):
        other = neighbors[pivot, rank]
        if other >= 0 and other != pivot:
            count += _add(other, count, table, row, members)
    candidates = count
    if include:
        count += _add(pivot, count, table, row, members)
    for hop in range(candidates):
        for rank in range(min(second, k)):
            other = neighbors[members[hop], rank]
            if other >= 0 and other != pivot:
                count += _add(other, count, table, row, members)
    return count, candidates


@njit(cache=True)
def _link(
    neighbors: NDArray[np.int32],
    members: NDArray[np.int32],
    links: int,
    table: NDArray[np.int32],
    row: NDArray[np.int32],
    room: int,
    a: NDArray[np.int32],
    z: NDArray[np.int32],
) -> Any:
    """How many pairs inside have one among the nearest faces of the other; the first `room` go to `a`, `z`."""
    count = 0
    width = min(links, neighbors.shape[1])
    for one in range(len(members)):
        face = members[one]
        for rank in range(width):
            friend = neighbors[face, rank]
            other = _row_of(friend, table, row) if friend >= 0 and friend != face else EMPTY
            if other == EMPTY or (other < one and _lists(neighbors, friend, face, width)):
                continue
            if _lists_before(neighbors, face, friend, rank):
                continue
            if count < room:
                a[count], z[count] = one, other
            count += 1
    return count


@njit(cache=True)
def _lists(neighbors: NDArray[np.int32], face: int, wanted: int, width: int) -> bool:
    return _lists_before(neighbors, face, wanted, width)


@njit(cache=True)
def _lists_before(neighbors: NDArray[np.int32], face: int, wanted: int, rank: int) -> bool:
    for place in range(rank):
        if neighbors[face, place] == wanted:
            return True
    return False


@njit(cache=True)
def _table(room: int) -> Any:
    """An empty hash table for `room` faces: faces, and their rows."""
    size = 4
    while size < 2 * room:
        size *= 2
    return np.full(size, EMPTY, np.int32), np.empty(size, np.int32)


@njit(cache=True)
def _add(
    face: int, count: int, table: NDArray[np.int32], row: NDArray[np.int32], members: NDArray[np.int32]
) -> int:
    """1 and the face becomes the next member, or 0 if it is one."""
    place = _slot(face, table)
    if table[place] == face:
        return 0
    table[place] = face
    row[place] = count
    members[count] = face
    return 1


@njit(cache=True)
def _row_of(face: int, table: NDArray[np.int32], row: NDArray[np.int32]) -> int:
    place = _slot(face, table)
    return row[place] if table[place] == face else EMPTY


@njit(cache=True)
def _slot(face: int, table: NDArray[np.int32]) -> int:
    """Where the face is, or would go: open addressing, multiplicative hash."""
    mask = len(table) - 1
    place = (face * 2654435761 >> 7) & mask
    while table[place] != EMPTY and table[place] != face:
        place = (place + 1) & mask
    return place
