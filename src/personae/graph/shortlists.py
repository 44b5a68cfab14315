"""The candidates of every face as they pass by, until the best k of them are left in order."""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.graph.exact import STRIDE, before, cosine_of, replace_least, value_of
from personae.graph.knn_graph import NOBODY
from personae.graph.merged_lists import Lists
from personae.graph.sorting import sort_both
from personae.graph.threads import Span, in_threads, spans

Entry = tuple[int, np.float32]
ROOM = 2  # candidates held, in k, and `STRIDE` more


class Room(NamedTuple):
    """Where shortlists are, one after the other: 16 k + 512 bytes for each face.

    k:       neighbors wanted
    face:    (M, 2 k + 64) int32
    product: (M, 2 k + 64) float32
    """

    k: int
    face: NDArray[np.int32]
    product: NDArray[np.float32]

    @classmethod
    def of(cls, faces: int, k: int) -> "Room":
        """For so many faces at most."""
        shape = faces, ROOM * k + STRIDE
        return cls(k, np.empty(shape, np.int32), np.empty(shape, np.float32))


class Known(NamedTuple):
    """What was found before, of all S faces of a set, by their numbers.

    neighbors: (S, k) int32, best first, NOBODY at the end; or no columns, where there is nothing yet
    cosines:   (S, k) float32
    least:     (S,) float32, that a cosine has to reach; -inf where there is room for more
    """

    neighbors: NDArray[np.int32]
    cosines: NDArray[np.float32]
    least: NDArray[np.float32]

    @classmethod
    def of(
        cls, neighbors: NDArray[np.int32], cosines: NDArray[np.float32], wanted: NDArray[np.float32]
    ) -> "Known":
        """Who has a full list looks for those who are nearer than the last on it, and than `wanted`."""
        full = neighbors[:, -1] != NOBODY
        return cls(neighbors, cosines, np.where(full, np.maximum(cosines[:, -1], wanted), np.float32(-np.inf)))

    @classmethod
    def nothing(cls, faces: int) -> "Known":
        empty = np.full(faces, -np.inf, np.float32)
        return cls(np.empty((faces, 0), np.int32), np.empty((faces, 0), np.float32), empty)


class Shortlists(NamedTuple):
    """The candidates of each of N faces: all met so far and not known who may be among the k nearest.

    k:       neighbors wanted
    slack:   how far a product may be from the cosine, twice
    known:   of all faces, by their numbers
    number:  (N,) int32, what a face is called outside; equal cosines stand in this order
    face:    (N, room) int32
    product: (N, room) float32; at the end the cosine
    held:    (N,) int32, how many there are
    floor:   (N,) float32, what a product has to exceed
    least:   (N,) float32, and a cosine has to reach
    """

    k: int
    slack: float
    known: Known
    number: NDArray[np.int32]
    face: NDArray[np.int32]
    product: NDArray[np.float32]
    held: NDArray[np.int32]
    floor: NDArray[np.float32]
    least: NDArray[np.float32]

    @classmethod
    def among(
        cls, features: NDArray[np.float32], number: NDArray[np.int32], known: Known, room: Room
    ) -> "Shortlists":
        """Empty ones of N faces, in a room for N or more."""
        n, d = features.shape
        slack = 4 * d * float(np.finfo(np.float32).eps)  # the products' rounding, at its worst
        held, least = np.zeros(n, np.int32), known.least[number]
        floor = least - np.float32(slack)
        return cls(room.k, slack, known, number, room.face[:n], room.product[:n], held, floor, least)

    def tables(self) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Neighbors and similarities (N, k), by number; NOBODY and 0 where there are fewer."""
        neighbors = np.full((len(self.held), self.k), NOBODY, np.int32)
        similarities = np.zeros(neighbors.shape, np.float32)
        in_threads(_fill, spans(len(self.held)), self, neighbors, similarities)
        return neighbors, similarities

    def entries(self) -> tuple[NDArray[np.intp], NDArray[np.int32], NDArray[np.float32]]:
        """All of them, face after face, each best first: whose, who, and the cosines."""
        end = np.cumsum(self.held, dtype=np.int64)
        whose = np.repeat(np.arange(len(end)), self.held)
        who, cosines = np.empty(len(whose), np.int32), np.empty(len(whose), np.float32)
        in_threads(_copy, spans(len(end)), self, end, who, cosines)
        return whose, who, cosines


@njit(cache=True, nogil=True)
def is_known(known: Lists, number: int, product: np.float32, slack: float) -> bool:
    """Whether a face was found before, where its cosine would stand in the lists (k,) of another."""
    faces, cosines = known
    low, high = 0, len(faces)
    if high > 0 and faces[high - 1] == NOBODY:
        at = 0
        while faces[at] != NOBODY and faces[at] != number:
            at += 1
        return bool(faces[at] == number)
    while low < high:
        middle = (low + high) // 2
        if cosines[middle] > product + slack:
            low = middle + 1
        else:
            high = middle
    while low < len(faces) and cosines[low] >= product - slack:
        if faces[low] == number:
            return True
        low += 1
    return False


@njit(cache=True, nogil=True)
def hold(
    face: NDArray[np.int32], product: NDArray[np.float32], held: NDArray[np.int32], of: int, entry: Entry
) -> bool:
    """Takes in a candidate of a face; whether its list is full now, and to be shortened."""
    at = held[of]
    face[of, at], product[of, at] = entry
    held[of] = at + 1
    return bool(at + 1 == face.shape[1])


@njit(cache=True, nogil=True)
def shorten(lists: Shortlists, face: int, features: NDArray[np.float32]) -> None:
    """Drops the candidates that k others surpass; by their cosines, if by their products too few are."""
    k, held = lists.k, lists.held[face]
    values = lists.product[face, :held]
    heap = np.full(k, -np.inf, np.float32)
    known = lists.known.neighbors[lists.number[face]]
    for at in range(len(known)):
        if known[at] != NOBODY:  # the last is the least, and a heap begins with that
            heap[k - 1 - at] = lists.known.cosines[lists.number[face], at]
    for at in range(held):
        if values[at] > heap[0]:
            replace_least(heap, values[at])
    floor = np.float32(heap[0] - lists.slack)
    left = 0
    for at in range(held):
        if values[at] > floor:
            lists.face[face, left], values[left] = lists.face[face, at], values[at]
            left += 1
    lists.held[face] = left
    if left > lists.face.shape[1] - STRIDE:
        _put_in_order(lists, face, features)
        lists.held[face] = k
        floor = np.float32(values[k - 1] - lists.slack)
    lists.floor[face] = floor


@njit(cache=True, nogil=True)
def _put_in_order(lists: Shortlists, face: int, features: NDArray[np.float32]) -> None:
    """The candidates best first, equals in the order of their numbers, and their cosines for the products."""
    others = lists.face[face, : lists.held[face]]
    keys = np.empty(len(others), np.int64)
    for at in range(len(others)):
        cosine = np.float32(cosine_of(features[face], features[others[at]]))
        keys[at] = before(cosine, lists.number[others[at]])
    sort_both(keys, others)
    for at in range(len(others)):
        lists.product[face, at] = value_of(keys[at])


@njit(cache=True, nogil=True)
def best_left(of: tuple[int, int], lists: Shortlists, features: NDArray[np.float32]) -> None:
    """Leaves those of each face that are among its best k with all who are known, in order."""
    for face in range(of[0], len(lists.held), of[1]):
        if lists.held[face] > (0 if lists.known.neighbors.shape[1] else lists.k):
            shorten(lists, face, features)
        _put_in_order(lists, face, features)
        held = min(lists.k, lists.held[face])
        while held > 0 and lists.product[face, held - 1] < lists.least[face]:
            held -= 1
        lists.held[face] = held


@njit(cache=True, nogil=True)
def _fill(
    span: Span, lists: Shortlists, neighbors: NDArray[np.int32], similarities: NDArray[np.float32]
) -> None:
    for face in range(span[0], span[1]):
        row = lists.number[face]
        for rank in range(lists.held[face]):
            neighbors[row, rank] = lists.number[lists.face[face, rank]]
            similarities[row, rank] = lists.product[face, rank]


@njit(cache=True, nogil=True)
def _copy(
    span: Span,
    lists: Shortlists,
    end: NDArray[np.int64],
    who: NDArray[np.int32],
    cosines: NDArray[np.float32],
) -> None:
    for face in range(span[0], span[1]):
        first = end[face] - lists.held[face]
        for rank in range(lists.held[face]):
            who[first + rank] = lists.face[face, rank]
            cosines[first + rank] = lists.product[face, rank]
