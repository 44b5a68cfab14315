"""The join of a set with itself, cell by cell: dense products, and the best k of every face as they pass by."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numba
import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.graph.exact import STRIDE
from personae.graph.shortlists import Known, Room, Shortlists, best_left, hold, is_known, shorten
from personae.graph.threads import in_threads, products_alone, spans

TILE = 1 << 18  # products of a thread at a time; what is next to a core holds them
ROWS = 1024  # faces that are multiplied with a cell in one go
TOLD = 1 << 20  # faces that a thread may have to tell others of

_Tile = tuple[int, int, int, int, int]
_Row = tuple[int, int, NDArray[np.float32]]  # a face, the first of some others, and its products with them


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
        some = [probe[low:high] for low, high in spans(len(probe))]
        rising = np.concatenate(in_threads(lambda rows: np.sort(rows, axis=1), some))
        return cls(first, cell, rising, start, _askers(probe, start))


class _Told(NamedTuple):
    """Whom faces met in the cells of a thread, in the order of meeting; other threads may have their lists.

    face:    (TOLD,) int32
    other:   (TOLD,) int32
    product: (TOLD,) float32
    held:    (1,) int64, how many there are
    """

    face: NDArray[np.int32]
    other: NDArray[np.int32]
    product: NDArray[np.float32]
    held: NDArray[np.int64]

    @classmethod
    def room(cls) -> "_Told":
        face, other = np.empty((2, TOLD), np.int32)
        return cls(face, other, np.empty(TOLD, np.float32), np.zeros(1, np.int64))


class _Worker:
    """A thread, with cells of its own: nobody else touches the lists of their faces meanwhile."""

    def __init__(self, asked: Asked, cells: Iterator[int], d: int) -> None:
        self.batches = _batches(asked, cells)
        self.rows = np.empty((ROWS, d), np.float32)
        self.products = np.empty(TILE, np.float32)
        self.told = _Told.room()

    def work(self, features: NDArray[np.float32], asked: Asked, lists: Shortlists) -> bool:
        """Whether there is more to do, once no more can be told."""
        self.told.held[0] = 0
        for tiles in self.batches:
            for place, low, high, left, right in tiles:
                rows = self.rows[: high - low]
                np.take(features, asked.face[low:high], axis=0, out=rows, mode="clip")
                out = self.products[place : place + len(rows) * (right - left)]
                np.matmul(rows, features[left:right].T, out=out.reshape(len(rows), right - left))
            _take_in(np.array(tiles), self.products, asked, lists, features, self.told)
            if self.told.held[0] > TOLD - TILE:
                return True
        return False


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

    2 d operations a face and each face of the cells that it looks into, for both directions at once. 13 MB and
    4 KB d a thread.
    """
    lists, threads = Shortlists.among(features, number, known, room), numba.get_num_threads()
    cells = iter(range(len(asked.first) - 1))  # one for all: each takes the next
    workers = [_Worker(asked, cells, features.shape[1]) for _ in range(threads)]
    shares, more = [(share, threads) for share in range(threads)], True
    while more:
        more = any(in_threads(lambda worker: worker.work(features, asked, lists), workers))
        for worker in workers:
            in_threads(_listen, shares, worker.told, lists, features)
    in_threads(best_left, shares, lists, features)
    return lists


def _batches(asked: Asked, cells: Iterator[int]) -> Iterator[list[_Tile]]:
    """Of cells nobody else has: where the products of a tile are, from and to which asker and face."""
    batch: list[_Tile] = []
    place = 0
    for cell in cells:
        low, high = asked.start[cell : cell + 2].tolist()
        first, end = asked.first[cell : cell + 2].tolist()
        for left in range(first, end, STRIDE * STRIDE):
            right = min(left + STRIDE * STRIDE, end)
            step = min(ROWS, TILE // (right - left))
            for row in range(low, high, step):
                size = (min(row + step, high) - row) * (right - left)
                if place + size > TILE:
                    yield batch
                    batch, place = [], 0
                batch.append((place, row, min(row + step, high), left, right))
                place += size
    if batch:
        yield batch


@njit(cache=True)
def _askers(probe: NDArray[np.int32], start: NDArray[np.int64]) -> Any:
    face = np.empty(probe.size, np.int32)
    at = start.copy()
    for row in range(len(probe)):
        for cell in probe[row]:
            face[at[cell]] = row
            at[cell] += 1
    return face


@njit(cache=True, nogil=True)
def _take_in(
    tiles: NDArray[np.int64],
    products: NDArray[np.float32],
    asked: Asked,
    lists: Shortlists,
    features: NDArray[np.float32],
    told: _Told,
) -> None:
    """Takes the products in on both sides, for the faces of cells; what others are to know is told."""
    for tile in range(len(tiles)):
        place, low, high, left, right = tiles[tile]
        cell = asked.cell[left]
        for row in range(low, high):
            face = int(np.int64(asked.face[row]))
            for first in range(left, right, STRIDE):
                end = min(first + STRIDE, right)
                some, floors = products[place : place + end - first], lists.floor[first:end]
                place += len(some)
                own, others = _above(some, lists.floor[face], floors)
                if own:
                    _for_face((face, first, some), asked, lists, features, told)
                if others and asked.cell[face] != cell:
                    _for_others((face, first, some), asked, lists, features)


@njit(cache=True, nogil=True)
def _above(
    products: NDArray[np.float32], own: np.float32, floors: NDArray[np.float32]
) -> tuple[np.uint32, np.uint32]:
    """Whether any product exceeds the floor of one face, or that of another; compiles to vector comparisons."""
    of_own = of_others = np.uint32(0)
    for at in range(len(products)):
        of_own |= np.uint32(products[at] > own)
        of_others |= np.uint32(products[at] > floors[at])
    return of_own, of_others


@njit(cache=True, nogil=True)
def _for_face(row: _Row, asked: Asked, lists: Shortlists, features: NDArray[np.float32], told: _Told) -> None:
    (face, first, products), floor, number = row, lists.floor, lists.number
    faces, values, held = lists.face, lists.product, lists.held
    at_home = asked.cell[face] == asked.cell[first]
    known = lists.known.neighbors[number[face]], lists.known.cosines[number[face]]
    for column in range(len(products)):
        product, other = products[column], first + column
        if product <= floor[face] or other == face or is_known(known, number[other], product, lists.slack):
            continue
        if not at_home:
            at = told.held[0]
            told.face[at], told.other[at], told.product[at] = face, other, product
            told.held[0] = at + 1
        elif hold(faces, values, held, face, (other, product)):
            shorten(lists, face, features)


@njit(cache=True, nogil=True)
def _for_others(row: _Row, asked: Asked, lists: Shortlists, features: NDArray[np.float32]) -> None:
    (face, first, products), floor, number = row, lists.floor, lists.number
    faces, values, held = lists.face, lists.product, lists.held
    for column in range(len(products)):
        product, other = products[column], first + column
        if product <= floor[other] or _looks(asked.probe[other], asked.cell[face]):
            continue
        known = lists.known.neighbors[number[other]], lists.known.cosines[number[other]]
        new = not is_known(known, number[face], product, lists.slack)
        if new and hold(faces, values, held, other, (face, product)):
            shorten(lists, other, features)


@njit(cache=True, nogil=True)
def _listen(of: tuple[int, int], told: _Told, lists: Shortlists, features: NDArray[np.float32]) -> None:
    """Takes in what a thread told, for this share of so many of the faces."""
    faces, values, held, floor = lists.face, lists.product, lists.held, lists.floor
    for at in range(told.held[0]):
        face, product = int(np.int64(told.face[at])), told.product[at]
        mine = face % of[1] == of[0] and product > floor[face]
        if mine and hold(faces, values, held, face, (told.other[at], product)):
            shorten(lists, face, features)


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
