"""Pivot subgraphs: the neighborhood of one face, the pivot, in which each face is judged against it.

Wang et al., "Linkage Based Face Clustering via Graph Convolution Network", CVPR 2019, section 3.2.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.errors import InputError
from personae.graph.knn_graph import KnnGraph
from personae.graph.threads import Span, in_threads, spans

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
        sizes = np.zeros((3, len(own)), np.int64)
        in_threads(_lay_out, spans(len(own)), graph.neighbors, own, shaped, sizes, _Rows.of(sizes[:, :0]))
        rows = _Rows.of(sizes)
        in_threads(_lay_out, spans(len(own)), graph.neighbors, own, shaped, sizes, rows)
        return cls(own, rows.start, sizes[1].astype(np.int32), rows.faces, rows.indptr, rows.others)

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


class _Rows(NamedTuple):
    """Room for B subgraphs; `ends` is where in `others` the links of each begin, the rest is as above."""

    start: NDArray[np.int64]
    ends: NDArray[np.int64]
    faces: NDArray[np.int32]
    indptr: NDArray[np.int64]
    others: NDArray[np.int32]

    @classmethod
    def of(cls, sizes: NDArray[np.int64]) -> "_Rows":
        """For subgraphs of (3, B) so many rows, candidates and ends of links."""
        start, _, ends = np.concatenate([np.zeros((3, 1), np.int64), sizes.cumsum(axis=1)], axis=1)
        indptr = np.zeros(start[-1] + 1, np.int64)
        return cls(start, ends, np.empty(start[-1], np.int32), indptr, np.empty(ends[-1], np.int32))


@njit(cache=True, nogil=True)
def _lay_out(
    span: Span,
    neighbors: NDArray[np.int32],
    pivots: NDArray[np.int32],
    shape: tuple[int, int, int, bool],
    sizes: NDArray[np.int64],
    rows: _Rows,
) -> None:
    """Fills in `sizes`, (3, B), the rows, candidates and ends of links; and `rows` if there is room in them."""
    first, second, links, _ = shape
    room = first * (second + 1) + 1
    slots = 4
    while slots < 2 * room:
        slots *= 2
    table, row_of = np.empty(slots, np.int32), np.empty(slots, np.int32)
    members = np.empty(room, np.int32)
    pairs = np.empty((room * links, 2), np.int32)
    for b in range(*span):
        candidates, count = _gather(neighbors, pivots[b], shape, (table, row_of), members)
        linked = _pair(neighbors, members[:count], links, (table, row_of), pairs)
        sizes[0, b], sizes[1, b], sizes[2, b] = count, candidates, 2 * linked
        if len(rows.start) > 1:
            low = rows.start[b]
            for row in range(count):
                rows.faces[low + row] = members[row]
            _write_links(pairs[:linked], rows.ends[b], low, rows.indptr[low : low + count + 1], rows.others)


@njit(cache=True, nogil=True)
def _gather(
    neighbors: NDArray[np.int32],
    pivot: int,
    shape: tuple[int, int, int, bool],
    hashed: tuple[NDArray[np.int32], NDArray[np.int32]],
    members: NDArray[np.int32],
) -> tuple[int, int]:
    """How many candidates and how many faces are inside; fills in the faces and the table of their rows."""
    first, second, _, include = shape
    table, _ = hashed
    for slot in range(len(table)):
        table[slot] = EMPTY
    count = 0
    for rank in range(first):
        if neighbors[pivot, rank] >= 0:
            count = _joined(neighbors[pivot, rank], count, hashed, members)
    candidates = count
    if include:
        count = _joined(pivot, count, hashed, members)
    for hop in range(candidates):
        for rank in range(second):
            other = neighbors[members[hop], rank]
            if other >= 0 and other != pivot:
                count = _joined(other, count, hashed, members)
    return candidates, count


@njit(cache=True, nogil=True)
def _joined(
    face: int, count: int, hashed: tuple[NDArray[np.int32], NDArray[np.int32]], members: NDArray[np.int32]
) -> int:
    """How many members there are with this face, which may be one already."""
    table, row_of = hashed
    slot = slot_of(face, table)
    if table[slot] == face:
        return count
    table[slot], row_of[slot], members[count] = face, count, face
    return count + 1


@njit(cache=True, nogil=True)
def _pair(
    neighbors: NDArray[np.int32],
    members: NDArray[np.int32],
    links: int,
    hashed: tuple[NDArray[np.int32], NDArray[np.int32]],
    pairs: NDArray[np.int32],
) -> int:
    """How many `pairs` there are inside of which one is among the `links` nearest faces of the other."""
    table, row_of = hashed
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
                pairs[count, 0], pairs[count, 1] = row, row_of[slot]
                count += 1
    return count


@njit(cache=True, nogil=True)
def _write_links(
    pairs: NDArray[np.int32], first: int, low: int, indptr: NDArray[np.int64], others: NDArray[np.int32]
) -> None:
    """The pairs at both ends, from others[first] on; rows are counted from `low`."""
    degree = np.zeros(len(indptr) - 1, np.int64)
    for link in range(len(pairs)):
        degree[pairs[link, 0]] += 1
        degree[pairs[link, 1]] += 1
    place = np.empty(len(degree), np.int64)
    for row in range(len(degree)):
        place[row] = first
        first += degree[row]
        indptr[row + 1] = first
    for link in range(len(pairs)):
        a, z = pairs[link]
        others[place[a]], others[place[z]] = low + z, low + a
        place[a] += 1
        place[z] += 1


@njit(cache=True)
def slot_of(face: int, table: NDArray[np.int32]) -> int:
    """Where a hash table holds the face, or would: open addressing, a power of two of slots."""
    mask = len(table) - 1
    slot = (face * 2654435761 >> 7) & mask
    while table[slot] != EMPTY and table[slot] != face:
        slot = (slot + 1) & mask
    return slot
