"""The join of a set with itself, cell by cell: dense products, and the best k of every face as they pass by."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numba
import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.graph.exact import STRIDE, above, before, cosine_of, replace_least, value_of
from personae.graph.knn_graph import NOBODY
from personae.graph.sorting import sort_both
from personae.graph.threads import Span, in_threads, products_alone, spans

ROOM = 2  # candidates held, in k, and `STRIDE` more
TILE = 1 << 19  # products in a tile
TILES = 1 << 22  # products in memory


class Asked(NamedTuple):
    """Which faces look into which cells. The N faces stand cell after cell.

    first: (C + 1,) int64, where each cell begins
    cell:  (N,) int32, the cell of each face
    probe: (N, p) int32, the cells that each face looks into, rising; its own is one of them, and one with
           nobody in it stands for none
    start: (C + 1,) int64, where the faces that look into each cell begin in `face`
    face:  (N p,) int32, rising within each cell
    """

    first: NDArray[np.int64]
    cell: NDArray[np.int32]
    probe: NDArray[np.int32]
    start: NDArray[np.int64]
    face: NDArray[np.int32]

    @classmethod
    def of(cls, cell: NDArray[np.int32], probe: NDArray[np.int32], cells: int) -> "Asked":
        """Of faces that stand cell after cell, so many cells, and one with nobody in it; 8 N p bytes."""
        first = np.searchsorted(cell, np.arange(cells + 2))
        start = np.zeros(cells + 2, np.int64)
        np.cumsum(np.bincount(probe.ravel(), minlength=cells + 1), out=start[1:])
        return cls(first, cell, np.sort(probe, axis=1), start, _askers(probe, start))


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


@products_alone()
def joined(
    features: NDArray[np.float32],
    asked: Asked,
    number: NDArray[np.int32],
    known: Known,
    room: Room,
) -> Shortlists:
    """The nearest of the faces in the cells that a face looks into, and of those that look into its cell.

    features: (N, d) unit rows, cell after cell
    number:   (N,) what each face is called
    known:    who was found before; these are left out, and who is farther than the last of them
    room:     where the lists are

    2 d operations a face and each face of the cells that it looks into, for both directions at once. 16 MB.
    """
    lists = Shortlists.among(features, number, known, room)
    products = np.empty(TILES, np.float32)
    shares = [(share, numba.get_num_threads()) for share in range(numba.get_num_threads())]
    for tiles in _batches(asked):
        in_threads(_multiply, tiles, features, asked, products)
        in_threads(_take_in, shares, (products, tiles), asked, lists, features)
    in_threads(_best, shares, lists, features)
    return lists


def _batches(asked: Asked) -> Iterator[NDArray[np.int64]]:
    """(T, 5) int64 tiles: the place of their products, from and to which of `asked.face`, of the faces."""
    batch: list[tuple[int, ...]] = []
    place = 0
    for cell in range(len(asked.first) - 1):
        low, high = asked.start[cell : cell + 2]
        for left in range(asked.first[cell], asked.first[cell + 1], STRIDE * STRIDE):
            right = min(left + STRIDE * STRIDE, asked.first[cell + 1])
            step = TILE // (right - left)
            for row in range(low, high, step):
                size = (min(row + step, high) - row) * (right - left)
                if place + size > TILES:
                    yield np.array(batch)
                    batch, place = [], 0
                batch.append((place, row, min(row + step, high), left, right))
                place += size
    if batch:
        yield np.array(batch)


@njit(cache=True)
def _askers(probe: NDArray[np.int32], start: NDArray[np.int64]) -> Any:
    face = np.empty(probe.size, np.int32)
    at = start.copy()
    for row in range(len(probe)):
        for cell in probe[row]:
            face[at[cell]] = row
            at[cell] += 1
    return face


def _multiply(
    tile: NDArray[np.int64], features: NDArray[np.float32], asked: Asked, products: NDArray[np.float32]
) -> None:
    place, low, high, left, right = tile
    rows = features[asked.face[low:high]]
    out = products[place : place + len(rows) * (right - left)].reshape(len(rows), right - left)
    np.matmul(rows, features[left:right].T, out=out)


@njit(cache=True, nogil=True)
def _take_in(
    of: tuple[int, int],
    batch: tuple[NDArray[np.float32], NDArray[np.int64]],
    asked: Asked,
    lists: Shortlists,
    features: NDArray[np.float32],
) -> None:
    """Takes the products in on both sides, for the faces of the cells in this share of so many."""
    share, shares = of
    products, tiles = batch
    faces, values, held, floor = lists.face, lists.product, lists.held, lists.floor
    room = faces.shape[1]
    probe, cell_of = asked.probe, asked.cell
    for tile in range(len(tiles)):
        place, low, high, left, right = tiles[tile]
        cell = cell_of[left]
        wide = right - left
        for row in range(low, high):
            face = int(np.int64(asked.face[row]))
            of_face = cell_of[face]
            if of_face % shares == share and above(products[place : place + wide], floor[face]):
                for column in range(wide):
                    product, other = products[place + column], left + column
                    if product > floor[face] and other != face and not _is_known(lists, face, other, product):
                        at = held[face]
                        faces[face, at], values[face, at] = other, product
                        held[face] = at + 1
                        if at + 1 == room:
                            _shorten(lists, face, features)
            mine = cell % shares == share and of_face != cell
            if mine and _any_above(products[place : place + wide], floor[left:right]):
                for column in range(wide):
                    product, other = products[place + column], left + column
                    if (
                        product > floor[other]
                        and not _is_known(lists, other, face, product)
                        and not _looks(probe[other], of_face)
                    ):
                        at = held[other]
                        faces[other, at], values[other, at] = face, product
                        held[other] = at + 1
                        if at + 1 == room:
                            _shorten(lists, other, features)
            place += wide


@njit(cache=True, nogil=True)
def _any_above(values: NDArray[np.float32], floors: NDArray[np.float32]) -> bool:
    count = 0
    for at in range(len(values)):
        if values[at] > floors[at]:
            count += 1
    return count > 0


@njit(cache=True, nogil=True)
def _looks(probe: NDArray[np.int32], cell: int) -> bool:
    low, high = 0, len(probe)
    while low < high:
        middle = (low + high) // 2
        if probe[middle] < cell:
            low = middle + 1
        else:
            high = middle
    return bool(low < len(probe) and probe[low] == cell)


@njit(cache=True, nogil=True)
def _is_known(lists: Shortlists, face: int, other: int, product: np.float32) -> bool:
    """Whether the other was found before, where its cosine would stand."""
    number, asked = lists.number[other], lists.number[face]
    faces, cosines = lists.known.neighbors[asked], lists.known.cosines[asked]
    low, high = 0, len(faces)
    if high > 0 and faces[high - 1] == NOBODY:
        at = 0
        while faces[at] != NOBODY and faces[at] != number:
            at += 1
        return bool(faces[at] == number)
    while low < high:
        middle = (low + high) // 2
        if cosines[middle] > product + lists.slack:
            low = middle + 1
        else:
            high = middle
    while low < len(faces) and cosines[low] >= product - lists.slack:
        if faces[low] == number:
            return True
        low += 1
    return False


@njit(cache=True, nogil=True)
def _shorten(lists: Shortlists, face: int, features: NDArray[np.float32]) -> None:
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
def _best(of: tuple[int, int], lists: Shortlists, features: NDArray[np.float32]) -> None:
    """Leaves those of each face that are among its best k with all who are known, in order."""
    for face in range(of[0], len(lists.held), of[1]):
        if lists.held[face] > (0 if lists.known.neighbors.shape[1] else lists.k):
            _shorten(lists, face, features)
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
