"""Exact nearest neighbors of every face, in blocks: one dense product, then the best k of each row."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import ArrayLike, NDArray

from personae.data.faceset import FaceSet
from personae.errors import InputError
from personae.graph.knn_graph import NOBODY, KnnGraph

COLUMNS = 4096  # faces multiplied at a time
STRIDE = 64  # products compared in one go
ROOM = 4  # candidates held, in k


def knn_graph(features: FaceSet | ArrayLike, k: int = 80, *, block: int | None = None) -> KnnGraph:
    """The `k` faces of highest cosine to each face, itself left out; N - 1 of them where k >= N.

    features: a FaceSet or (N, d) numbers, checked and scaled to unit rows by `FaceSet.of`
    block:    faces searched at a time, 16 KB and 32 k bytes each; 1,024 by default

    Cosines are summed in float64 for the faces that reach the list, so that s_ij equals s_ji and the result
    is the same to the bit for any block, thread count or BLAS; equal cosines stand in the order of the faces.
    Cost: 2 N^2 d floating-point operations; float16 rows are widened to float32 first.

    InputError: what `FaceSet.of` refuses; k or block below 1.

    >>> knn_graph([[1, 0], [0.8, 0.6], [0, 1]], k=1).neighbors.ravel()
    array([1, 0, 1], dtype=int32)
    """
    faces = features if isinstance(features, FaceSet) else FaceSet.of(features)
    if k < 1 or (block is not None and block < 1):
        raise InputError(f"k is {k} and block is {block}; both need to be at least 1")
    return nearest_faces(faces.features, np.arange(len(faces)), k, block=block)


def nearest_faces(
    features: NDArray[np.floating[Any]], queries: NDArray[np.integer[Any]], k: int, *, block: int | None = None
) -> KnnGraph:
    """The rows `queries` of the exact kNN graph of unit `features`; see `knn_graph`."""
    wide = np.ascontiguousarray(features, dtype=np.float32)
    n, d = wide.shape
    k = min(k, n - 1)
    neighbors = np.full((len(queries), k), NOBODY, dtype=np.int32)
    similarities = np.zeros((len(queries), k), dtype=np.float32)
    if k > 0:
        step = min(block or 1024, len(queries))
        room = _Room(
            slack=4 * d * float(np.finfo(np.float32).eps),  # the products' rounding, at its worst
            heap=np.empty((step, k), dtype=np.float32),
            face=np.empty((step, ROOM * k + STRIDE), dtype=np.int32),
            product=np.empty((step, ROOM * k + STRIDE), dtype=np.float32),
            held=np.empty(step, dtype=np.int64),
        )
        tile = np.empty(step * min(COLUMNS, n), dtype=np.float32)
        for start in range(0, len(queries), step):
            rows = queries[start : start + step].astype(np.int64)
            asked = wide[rows]
            room.heap.fill(-np.inf)
            room.held.fill(0)
            for first in range(0, n, COLUMNS):
                columns = wide[first : first + COLUMNS]
                products = tile[: len(rows) * len(columns)].reshape(len(rows), len(columns))
                np.matmul(asked, columns.T, out=products)
                _hold(products, rows, first, room)
            span = slice(start, start + len(rows))
            _best(room, rows, wide, neighbors[span], similarities[span])
    return KnnGraph(neighbors, similarities)


class _Room(NamedTuple):
    """What is remembered of R faces while the products with all faces pass by.

    slack:   how far a product may be from the cosine
    heap:    (R, k) float32, the largest products so far, the least of them first
    face:    (R, room) int32, every face whose cosine may be among the k largest, in order
    product: (R, room) float32, its product
    held:    (R,) int64, how many there are; -1 where there is no room for all
    """

    slack: float
    heap: NDArray[np.float32]
    face: NDArray[np.int32]
    product: NDArray[np.float32]
    held: NDArray[np.int64]


@njit(parallel=True, cache=True)
def _hold(products: NDArray[np.float32], rows: NDArray[np.int64], first: int, room: _Room) -> None:
    """Takes in the products of `rows` with the faces from `first` on."""
    held = room.held  # written within the loop through the tuple, it would be lost
    for row in prange(len(rows)):
        held[row] = _hold_one(products[row], rows[row], first, room, row)


@njit(cache=True)
def _hold_one(products: NDArray[np.float32], face: int, first: int, room: _Room, row: int) -> int:
    """How many candidates face `face`, in row `row`, has after these products."""
    heap, faces, values = room.heap[row], room.face[row], room.product[row]
    held = int(room.held[row])
    for left in range(0, len(products), STRIDE):
        right = min(left + STRIDE, len(products))
        floor = np.float32(heap[0] - room.slack)
        if held < 0 or _above(products[left:right], floor) == 0:
            continue
        if held + STRIDE > len(faces):
            held = _dropped(faces, values, held, floor)
            if held + STRIDE > len(faces):
                held = -1
                continue
        for at in range(left, right):
            if products[at] > floor and first + at != face:
                faces[held], values[held] = first + at, products[at]
                held += 1
                if products[at] > heap[0]:
                    _replace_least(heap, products[at])
    return held


@njit(cache=True)
def _dropped(face: NDArray[np.int32], product: NDArray[np.float32], held: int, floor: np.float32) -> int:
    """How many candidates are left without those at or below `floor`, which are dropped in place."""
    left = 0
    for at in range(held):
        if product[at] > floor:
            face[left], product[left] = face[at], product[at]
            left += 1
    return left


@njit(cache=True)
def _above(values: NDArray[np.float32], floor: np.float32) -> int:
    """How many values exceed `floor`; written so that it compiles to vector comparisons."""
    count = 0
    for at in range(len(values)):
        if values[at] > floor:
            count += 1
    return count


@njit(cache=True)
def _replace_least(heap: NDArray[np.float32], value: np.float32) -> None:
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


@njit(parallel=True, cache=True)
def _best(
    room: _Room,
    rows: NDArray[np.int64],
    features: NDArray[np.float32],
    neighbors: NDArray[np.int32],
    similarities: NDArray[np.float32],
) -> None:
    """Fills each row of `neighbors` and `similarities` from the candidates, by their exact cosines."""
    for row in prange(len(rows)):
        near = _near(rows[row], len(features), room, row)
        exact = np.empty(len(near), dtype=np.float32)
        for at in range(len(near)):
            exact[at] = _cosine(features[rows[row]], features[near[at]])
        order = np.argsort(-exact, kind="mergesort")
        for rank in range(neighbors.shape[1]):
            neighbors[row, rank] = near[order[rank]]
            similarities[row, rank] = exact[order[rank]]


@njit(cache=True)
def _near(face: int, faces: int, room: _Room, row: int) -> NDArray[np.int32]:
    """The faces that may be among the nearest of `face`, in order."""
    if room.held[row] >= 0:
        floor = np.float32(room.heap[row, 0] - room.slack)
        left = _dropped(room.face[row], room.product[row], room.held[row], floor)
        return room.face[row, :left].copy()
    everybody = np.arange(faces - 1).astype(np.int32)  # more equals than there is room for
    everybody[face:] += 1
    return everybody


@njit(cache=True, fastmath={"reassoc", "contract"})
def _cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """The product of two rows in float64; in one order on one machine, and the same for (a, b) and (b, a)."""
    total = 0.0
    for at in range(len(a)):
        total += np.float64(a[at]) * np.float64(b[at])
    return total
