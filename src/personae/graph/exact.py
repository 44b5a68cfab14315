"""Exact nearest neighbors of every face, in blocks: one dense product, then the best k of each row."""

from typing import Any, NamedTuple

import numba
import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from personae.data.faceset import FaceSet
from personae.errors import InputError
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.graph.sorting import sort_both
from personae.graph.threads import in_threads, products_alone

COLUMNS = 4096  # faces multiplied at a time
STRIDE = 64  # products compared in one go
ROOM = 4  # candidates held, in k
NEARLY_UNIT = 0.01  # float16 rows are closer


def neighbor_recall(
    graph: KnnGraph, features: FaceSet | ArrayLike, *, sample: int = 1000, seed: int = 0
) -> float:
    """The share of the exact k nearest faces that a graph found elsewhere holds, over a sample of faces.

    graph: of the same faces, from any search; equal cosines count as found whichever face holds them

    InputError: a graph of another number of faces.
    """
    faces = features if isinstance(features, FaceSet) else FaceSet.of(features)
    if len(graph) != len(faces):
        raise InputError(f"the graph is of {len(graph):,} faces and there are {len(faces):,}")
    if graph.k == 0:
        return 1.0
    asked = np.random.default_rng(seed).choice(len(faces), min(sample, len(faces)), replace=False)
    neighbors, similarities = nearest_faces(faces.features, asked, graph.k)
    held = (graph.neighbors[asked][:, :, None] == neighbors[:, None, :]).any(axis=1)
    tied = (graph.neighbors[asked] != NOBODY) & (graph.similarities[asked] >= similarities[:, -1:])
    return float(np.maximum(held.sum(axis=1), tied.sum(axis=1)).sum() / neighbors.size)


@products_alone()
def nearest_faces(
    features: NDArray[np.floating[Any]], queries: NDArray[np.integer[Any]], k: int, *, block: int | None = None
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Neighbors and similarities (Q, k) of the faces `queries` among unit `features`; see `knn_graph`.

    2 Q N d operations; 16 KB and 32 k bytes for each of `block` faces in each thread, 512 by default.
    """
    wide = np.ascontiguousarray(features, dtype=np.float32)
    n = len(wide)
    k = min(k, n - 1)
    length = np.sqrt(np.einsum("ij,ij->i", wide, wide))
    if not (np.abs(length - 1) < NEARLY_UNIT).all():
        raise InputError(
            "features are not unit rows; make the FaceSet by FaceSet.of, which checks and scales them"
        )
    neighbors = np.full((len(queries), k), NOBODY, dtype=np.int32)
    similarities = np.zeros((len(queries), k), dtype=np.float32)
    step = max(1, min(block or 512, -(-len(queries) // numba.get_num_threads())))

    def fill(start: int) -> None:
        span = slice(start, start + step)
        _search(wide, queries[span].astype(np.int64), neighbors[span], similarities[span])

    if k > 0:
        in_threads(fill, range(0, len(queries), step))
    return neighbors, similarities


class _Room(NamedTuple):
    """What is remembered of R faces while the products with all faces pass by.

    slack:   how far a product may be from the cosine
    heap:    (R, k) float32, the largest products so far, the least of them first
    face:    (R, room) int32, every face whose cosine may be among the k largest, in order
    product: (R, room) float32, its product
    held:    (R,) int64, how many there are; -1 where there was no room for all, and only the heap is right
    """

    slack: float
    heap: NDArray[np.float32]
    face: NDArray[np.int32]
    product: NDArray[np.float32]
    held: NDArray[np.int64]


def _search(
    features: NDArray[np.float32],
    rows: NDArray[np.int64],
    neighbors: NDArray[np.int32],
    similarities: NDArray[np.float32],
) -> None:
    """Fills the neighbors and similarities (R, k) of some rows."""
    (n, d), k = features.shape, neighbors.shape[1]
    room = _Room(
        slack=4 * d * float(np.finfo(np.float32).eps),  # the products' rounding, at its worst
        heap=np.full((len(rows), k), -np.inf, np.float32),
        face=np.empty((len(rows), ROOM * k + STRIDE), np.int32),
        product=np.empty((len(rows), ROOM * k + STRIDE), np.float32),
        held=np.zeros(len(rows), np.int64),
    )
    asked = features[rows]
    for first in range(0, n, COLUMNS):
        _hold(asked @ features[first : first + COLUMNS].T, rows, first, room)
    _best(room, rows, features, neighbors, similarities)
    for row in np.flatnonzero(room.held < 0):
        products = features @ features[rows[row]]
        products[rows[row]] = -np.inf
        near = np.flatnonzero(products > room.heap[row, 0] - room.slack).astype(np.int32)
        fill_best(near, rows[row], features, neighbors[row], similarities[row])


@njit(cache=True, nogil=True)
def _hold(products: NDArray[np.float32], rows: NDArray[np.int64], first: int, room: _Room) -> None:
    """Takes in the products of `rows` with the faces from `first` on."""
    for row in range(len(rows)):
        heap, faces, values = room.heap[row], room.face[row], room.product[row]
        held = room.held[row]
        for left in range(0, products.shape[1], STRIDE):
            some = products[row, left : left + STRIDE]
            floor = np.float32(heap[0] - room.slack)
            if not above(some, floor):
                continue
            if held >= 0 and held + STRIDE > len(faces):
                held = _dropped(faces, values, held, floor)
                if held + STRIDE > len(faces):
                    held = -1
            for at in range(len(some)):
                face = first + left + at
                if some[at] > floor and face != rows[row]:
                    if held >= 0:
                        faces[held], values[held] = face, some[at]
                        held += 1
                    if some[at] > heap[0]:
                        replace_least(heap, some[at])
        room.held[row] = held


@njit(cache=True, nogil=True)
def _dropped(face: NDArray[np.int32], product: NDArray[np.float32], held: int, floor: np.float32) -> int:
    """How many candidates are left without those at or below `floor`, which are dropped in place."""
    left = 0
    for at in range(held):
        if product[at] > floor:
            face[left], product[left] = face[at], product[at]
            left += 1
    return left


@njit(cache=True, nogil=True)
def above(values: NDArray[np.float32], floor: np.float32) -> bool:
    """Whether any value exceeds `floor`; written so that it compiles to vector comparisons."""
    count = 0
    for at in range(len(values)):
        if values[at] > floor:
            count += 1
    return count > 0


@njit(cache=True, nogil=True)
def replace_least(heap: NDArray[np.float32], value: np.float32) -> None:
    """Puts the value into a heap whose first value is the least, in the place of that."""
    hole = 0
    while True:
        child = 2 * hole + 1
        if child + 1 < len(heap) and heap[child + 1] < heap[child]:
            child += 1
        if child >= len(heap) or heap[child] >= value:
            break
        heap[hole] = heap[child]
        hole = child
    heap[hole] = value


@njit(cache=True, nogil=True)
def _best(
    room: _Room,
    rows: NDArray[np.int64],
    features: NDArray[np.float32],
    neighbors: NDArray[np.int32],
    similarities: NDArray[np.float32],
) -> None:
    """Fills each row of `neighbors` and `similarities` from the candidates, by their exact cosines."""
    for row in range(len(rows)):
        if room.held[row] >= 0:
            floor = np.float32(room.heap[row, 0] - room.slack)
            left = _dropped(room.face[row], room.product[row], room.held[row], floor)
            fill_best(room.face[row, :left], rows[row], features, neighbors[row], similarities[row])


@njit(cache=True, nogil=True)
def fill_best(
    near: NDArray[np.int32],
    face: int,
    features: NDArray[np.float32],
    neighbors: NDArray[np.int32],
    similarities: NDArray[np.float32],
) -> None:
    """The best of the candidates `near` of one face, by exact cosine, equals in order."""
    exact = np.empty(len(near), np.float32)
    keys = np.empty(len(near), np.int64)
    for at in range(len(near)):
        exact[at] = cosine_of(features[face], features[near[at]])
        keys[at] = before(exact[at], near[at])
    sort_both(keys, exact)
    for rank in range(min(len(neighbors), len(near))):
        neighbors[rank] = place_of(keys[rank])
        similarities[rank] = exact[rank]


@njit(cache=True, nogil=True)
def before(value: np.float32, place: int) -> int:
    """A number that is smaller for the larger value, and of equal values for the smaller place."""
    bits = np.int64(np.float32(value + np.float32(0)).view(np.int32))
    rising = bits if bits >= 0 else bits ^ 0x7FFFFFFF
    return int((-rising << 32) | place)


@njit(cache=True, nogil=True)
def place_of(key: int) -> int:
    """The place that a number of `before` was made of."""
    return key & 0x7FFFFFFF


@njit(cache=True, nogil=True)
def value_of(key: int) -> np.float32:
    """The value that a number of `before` was made of."""
    rising = -(key >> 32)
    bits = np.int32(rising if rising >= 0 else rising ^ 0x7FFFFFFF)
    return bits.view(np.float32)


@njit(cache=True, fastmath={"reassoc", "contract"})
def cosine_of(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """The product of two rows in float64; in one order on one machine, and the same for (a, b) and (b, a)."""
    total = 0.0
    for at in range(len(a)):
        total += np.float64(a[at]) * np.float64(b[at])
    return total
