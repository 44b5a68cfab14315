"""Exact nearest neighbors of every face, in blocks: one dense product, then the best k of each row."""

from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import ArrayLike, NDArray

from personae.data.faceset import FaceSet
from personae.errors import InputError
from personae.graph.knn_graph import NOBODY, KnnGraph

STRIDE = 32  # products looked at in one comparison
COLUMNS = 1 << 14  # faces multiplied at a time


def knn_graph(features: FaceSet | ArrayLike, k: int = 80, *, block: int | None = None) -> KnnGraph:
    """The `k` faces of highest cosine to each face, itself left out; N - 1 of them where k >= N.

    features: a FaceSet or (N, d) numbers, checked and scaled to unit rows by `FaceSet.of`
    block:    faces searched at a time, 4 N bytes each; by default as many as fill 256 MB

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
        step = block or max(1, (1 << 26) // n)
        slack = 4 * d * float(np.finfo(np.float32).eps)  # the product's rounding, at its worst
        products = np.empty((min(step, len(queries)), n), dtype=np.float32)
        for start in range(0, len(queries), step):
            rows = queries[start : start + step]
            asked = wide[rows]
            for first in range(0, n, COLUMNS):
                products[: len(rows), first : first + COLUMNS] = asked @ wide[first : first + COLUMNS].T
            span = slice(start, start + len(rows))
            ids = rows.astype(np.int64)
            _best(products[: len(rows)], ids, wide, slack, neighbors[span], similarities[span])
    return KnnGraph(neighbors, similarities)


@njit(parallel=True, cache=True)  # no fast-math: the order of a sum is part of the result
def _best(
    products: NDArray[np.float32],
    rows: NDArray[np.int64],
    features: NDArray[np.float32],
    slack: float,
    neighbors: NDArray[np.int32],
    similarities: NDArray[np.float32],
) -> None:
    """Fills `neighbors` and `similarities` from the inexact `products` of each row's face with all faces."""
    k = neighbors.shape[1]
    for row in prange(len(rows)):
        near = _at_least(products[row], rows[row], _kth_largest(products[row], rows[row], k) - slack)
        exact = np.empty(len(near), dtype=np.float32)
        for at in range(len(near)):
            exact[at] = _cosine(features[rows[row]], features[near[at]])
        order = np.argsort(-exact, kind="mergesort")[:k]
        for rank in range(k):
            neighbors[row, rank] = near[order[rank]]
            similarities[row, rank] = exact[order[rank]]


@njit(cache=True)
def _cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """The product of two rows in float64, with eight running sums, which a processor adds side by side."""
    sums = np.zeros(8)
    whole = len(a) - len(a) % 8
    for first in range(0, whole, 8):
        for lane in range(8):
            sums[lane] += np.float64(a[first + lane]) * np.float64(b[first + lane])
    for rest in range(whole, len(a)):
        sums[0] += np.float64(a[rest]) * np.float64(b[rest])
    total: float = sums[0] + sums[1] + sums[2] + sums[3] + sums[4] + sums[5] + sums[6] + sums[7]
    return total


@njit(cache=True)
def _kth_largest(values: NDArray[np.float32], left_out: int, k: int) -> float:
    """The k-th largest value, position `left_out` aside; a min-heap of k."""
    heap = np.full(k, -np.inf, dtype=np.float32)
    for first in range(0, len(values), STRIDE):
        last = min(first + STRIDE, len(values))
        if not _any_above(values, first, last, heap[0]):
            continue
        for at in range(first, last):
            value = values[at]
            if value > heap[0] and at != left_out:
                hole = 0
                while True:
                    child = 2 * hole + 1
                    if child + 1 < k and heap[child + 1] < heap[child]:
                        child += 1
                    if child >= k or heap[child] >= value:
                        break
                    heap[hole] = heap[child]
                    hole = child
                heap[hole] = value
    smallest: float = heap[0]
    return smallest


@njit(cache=True)
def _at_least(values: NDArray[np.float32], left_out: int, floor: float) -> NDArray[np.int32]:
    """Positions of the values at or above `floor`, in order, `left_out` aside."""
    count = 0
    for at in range(len(values)):
        count += values[at] >= floor and at != left_out
    found = np.empty(count, dtype=np.int32)
    count = 0
    for first in range(0, len(values), STRIDE):
        last = min(first + STRIDE, len(values))
        if not _any_above(values, first, last, np.nextafter(np.float32(floor), np.float32(-np.inf))):
            continue
        for at in range(first, last):
            if values[at] >= floor and at != left_out:
                found[count] = at
                count += 1
    return found


@njit(cache=True)
def _any_above(values: NDArray[np.float32], first: int, last: int, floor: float) -> bool:
    """Whether one of values[first:last] exceeds `floor`, without a branch a value."""
    above = 0
    for at in range(first, last):
        above += values[at] > floor
    return above > 0
