"""The row-normalised affinity matrix that graph convolutions average with.

Yang et al., "Learning to Cluster Faces via Confidence and Connectivity Estimation", CVPR 2020; STAR-FC too.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array

from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.graph.threads import Span, in_threads, spans


def affinity(graph: KnnGraph, least: float = 0.0) -> csr_array:
    """(N, N) CSR float32, A~ = D^-1 (A + I) with A_ij = max of both directions' similarity, 0 below `least`.

    Each row sums to 1; a face without neighbors has itself alone.
    """
    n = len(graph)
    rows, ranks = np.nonzero((graph.neighbors != NOBODY) & (graph.similarities > max(least, 0)))
    columns = graph.neighbors[rows, ranks]
    weights = graph.similarities[rows, ranks].astype(np.float32)
    links = csr_array((weights, (rows.astype(np.int32), columns)), shape=(n, n))
    both = (links.maximum(links.T) + eye_array(n, dtype=np.float32)).tocsr()
    both.sort_indices()
    both.data /= np.repeat(np.asarray(both.sum(axis=1)).ravel(), np.diff(both.indptr))
    return both


def averages(matrix: csr_array, features: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, d) float32, the matrix times features (N, d), each row summed in the order of its columns."""
    wide = np.ascontiguousarray(features, dtype=np.float32)
    result = np.zeros((matrix.shape[0], wide.shape[1]), np.float32)
    in_threads(_average, spans(len(result)), matrix.indptr, matrix.indices, matrix.data, wide, result)
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
