"""The row-normalised affinity matrix that graph convolutions average with.

Yang et al., "Learning to Cluster Faces via Confidence and Connectivity Estimation", CVPR 2020; STAR-FC too.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array

from personae.data.pages import is_map, passing
from personae.graph.knn_graph import BLOCK, NOBODY, KnnGraph
from personae.graph.threads import Span, in_threads, spans

ROWS = 1 << 16  # of the matrix at a time, some 150 MB for 80 neighbors,
LOOKS = 64  # but so many looks at all lists at most
AT_ONCE = 1 << 12  # rows of averages

Entries = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]


def affinity(graph: KnnGraph, rows: Span | None = None) -> csr_array:
    """(N, N) CSR float32, A~ = D^-1 (A + I) with A_ij = max of both directions' similarity, at least 0.

    Each row sums to 1; a face without neighbors has itself alone. rows: (B, N), those from the first to before
    the second of these faces alone, for one more look at all lists.
    """
    n = len(graph)
    low, high = rows or (0, n)
    own, back = [], []
    for here in passing(n, BLOCK, graph.neighbors, graph.similarities):
        others, values = graph.neighbors[here], graph.similarities[here]
        there = (others != NOBODY) & (values > 0)
        row, rank = np.nonzero(there & (others >= low) & (others < high))
        back.append(_entries(others[row, rank] - low, row + here.start, values[row, rank]))
        if here.start < high and here.stop > low:
            row, rank = np.nonzero(there)
            mine = (row + here.start >= low) & (row + here.start < high)
            row, rank = row[mine], rank[mine]
            own.append(_entries(row + here.start - low, others[row, rank], values[row, rank]))
    shape = (high - low, n)
    links, returned = (_matrix(entries, shape) for entries in (own, back))
    both = (links.maximum(returned) + eye_array(*shape, k=low, dtype=np.float32)).tocsr()
    both.sort_indices()
    both.data /= np.repeat(np.asarray(both.sum(axis=1)).ravel(), np.diff(both.indptr))
    return both


def averaged(graph: KnnGraph, values: NDArray[np.floating[Any]]) -> Iterator[NDArray[np.float32]]:
    """A~ times the values (N, c), in blocks of float32 rows: the first `AT_ONCE`, and so on."""
    n = len(graph)
    size = max(ROWS, -(-n // LOOKS) // AT_ONCE * AT_ONCE)
    for low in range(0, n, size):
        matrix = affinity(graph, rows=(low, min(low + size, n)))
        for here in passing(matrix.shape[0], AT_ONCE, values):
            yield averages(matrix[here], values)


def averages(matrix: csr_array, values: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """(B, c) float32, the matrix (B, N) times values (N, c), each row summed in the order of its columns."""
    columns: NDArray[Any] = matrix.indices
    if is_map(values):
        used, columns = np.unique(columns, return_inverse=True)
        values = values[used]
    wide = np.ascontiguousarray(values, dtype=np.float32)
    result = np.zeros((matrix.shape[0], wide.shape[1]), np.float32)
    parts = matrix.indptr, columns.astype(np.int32, copy=False), matrix.data
    in_threads(_average, spans(len(result)), *parts, wide, result)
    return result


@njit(cache=True, nogil=True)
def _average(
    span: Span,
    indptr: NDArray[np.int32],
    indices: NDArray[np.int32],
    weights: NDArray[np.float32],
    features: NDArray[np.float32],
    result: NDArray[np.float32],
) -> None:
    for row in range(*span):
        total = result[row]
        for at in range(indptr[row], indptr[row + 1]):
            weight, other = weights[at], features[indices[at]]
            for column in range(features.shape[1]):
                total[column] += weight * other[column]


def _entries(rows: NDArray[Any], columns: NDArray[Any], values: NDArray[np.floating[Any]]) -> Entries:
    return rows.astype(np.int32), columns.astype(np.int32), values.astype(np.float32)


def _matrix(entries: list[Entries], shape: tuple[int, int]) -> csr_array:
    rows, columns, values = (np.concatenate(parts) for parts in zip(*entries, strict=True))
    return csr_array((values, (rows, columns)), shape=shape)
