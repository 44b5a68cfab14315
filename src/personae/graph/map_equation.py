"""The two-level map equation: the partition that describes a random walk on the graph in the fewest bits.

Rosvall and Bergstrom, "Maps of random walks on complex networks reveal community structure", PNAS 2008.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from personae.graph.components import first_seen
from personae.graph.map_equation_search import Network, shortest


def map_equation_labels(
    adjacency: csr_array, *, order: NDArray[np.integer[Any]] | None = None
) -> NDArray[np.int32]:
    """(N,) int32, the modules of the shortest description found; a face without links is a module of one.

    adjacency: (N, N) symmetric, positive weights, no self-links
    order:     (N,) the order in which faces are visited; pass `canonical_order` so that the order of the input
               does not matter
    Nothing is drawn by chance and one thread does it all: the same graph gives the same modules. O(E) a look
    at all faces; some dozens are usual. About 24 bytes an edge beyond the input.
    """
    n = adjacency.shape[0]
    order = np.arange(n) if order is None else order
    graph = adjacency[order][:, order].tocsr()
    total = graph.data.sum(dtype=np.float64)
    if total == 0:
        return np.arange(n, dtype=np.int32)
    strength = np.asarray(graph.sum(axis=1), dtype=np.float64).reshape(-1)
    flow = (graph.data / total).astype(np.float32)
    network = Network(graph.indptr.astype(np.int64), graph.indices.astype(np.int32), flow, strength / total)
    labels = np.empty(n, dtype=np.int32)
    labels[order] = shortest(network)
    return first_seen(labels)


def codelength(adjacency: csr_array, labels: NDArray[np.integer[Any]]) -> float:
    """Bits a step of the undirected random walk, described with one codebook a module and one between them.

    L = f(q) - 2 sum_i f(q_i) - sum_a f(p_a) + sum_i f(q_i + p_i) with f(x) = x log2 x, p_a the visit rate of
    face a, p_i that of module i, q_i the exit rate of module i and q their sum.

    >>> pair = csr_array([[0.0, 1.0], [1.0, 0.0]])
    >>> codelength(pair, np.array([0, 0]))
    1.0
    """
    strength = np.asarray(adjacency.sum(axis=1), dtype=np.float64).reshape(-1)
    total = strength.sum()
    if total == 0:
        return 0.0
    edges = adjacency.tocoo()
    crossing = labels[edges.row] != labels[edges.col]
    modules = int(labels.max()) + 1
    leave = np.bincount(labels[edges.row[crossing]], edges.data[crossing], modules) / total
    visit = np.bincount(labels, strength, modules) / total
    bits = _f(leave.sum()) - 2 * _f(leave).sum() - _f(strength / total).sum() + _f(leave + visit).sum()
    return float(bits)


def _f(x: Any) -> Any:
    """X log2 x, 0 at 0."""
    return np.where(x > 0, x * np.log2(np.where(x > 0, x, 1)), 0.0)
