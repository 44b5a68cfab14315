"""The kNN graph as an undirected weighted graph."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from personae.errors import InputError
from personae.graph.knn_graph import NOBODY, KnnGraph


def directed(graph: KnnGraph) -> csr_array:
    """(N, N) CSR, float64: the weight of each link as it lies, without self-links or zeros.

    InputError: a weight is negative or not finite.
    """
    kept = (graph.neighbors != NOBODY) & (graph.similarities != 0)
    kept &= graph.neighbors != np.arange(len(graph))[:, None]
    rows, ranks = np.nonzero(kept)
    weights = graph.similarities[rows, ranks].astype(np.float64)
    if not (np.isfinite(weights).all() and (weights > 0).all()):
        raise InputError("link weights are negative or not finite; clip them at 0 first")
    n = len(graph)
    links = coo_array((weights, (rows.astype(np.int32), graph.neighbors[rows, ranks])), shape=(n, n))
    return csr_array(links)


def undirected(graph: KnnGraph) -> csr_array:
    """(N, N) symmetric CSR, float64: W_ab = w(a -> b) + w(b -> a), without self-links or zeros.

    InputError: a weight is negative or not finite.
    """
    links = directed(graph)
    both: csr_array = (links + links.T).tocsr()
    both.sort_indices()
    return both


def canonical_order(graph: KnnGraph) -> NDArray[np.intp]:
    """(N,) an order of the faces that depends on their similarities and not on where they stand.

    The faces are sorted by their first similarities; only exact duplicates tie. A method that visits faces
    one after the other visits them so, and gives the same people whatever the order of the input.
    """
    return by_similarity(graph.similarities)


def by_similarity(rows: NDArray[np.floating[Any]]) -> NDArray[np.intp]:
    """(R,) the order of rows of similarities, (R, k) best first, by the first eight of each."""
    ranks = min(rows.shape[1], 8)
    keys = [rows[:, rank] for rank in reversed(range(ranks))]
    return np.lexsort(keys) if keys else np.arange(len(rows))
