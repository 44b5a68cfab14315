"""The two-level map equation: the partition that describes a random walk on the graph in the fewest bits.

Rosvall and Bergstrom, "Maps of random walks on complex networks reveal community structure", PNAS 2008.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, triu

from personae.graph.components import first_seen


def map_equation_labels(
    adjacency: csr_array, *, order: NDArray[np.integer[Any]] | None = None, seed: int = 0
) -> NDArray[np.int32]:
    """(N,) int32, the modules of the shortest description found; a face without links is a module of one.

    adjacency: (N, N) symmetric, positive weights, no self-links
    order:     (N,) the order in which faces are visited; pass `canonical_order` so that the order of the input
               does not matter
    Optimised by networkit's map-equation Louvain on one thread. O(E log N) in practice.
    """
    import networkit  # noqa: PLC0415  (takes a second to load)

    n = adjacency.shape[0]
    order = np.arange(n) if order is None else order
    upper: csr_array = triu(adjacency[order][:, order], k=1, format="csr")
    if upper.nnz == 0:
        return np.arange(n, dtype=np.int32)
    networkit.setSeed(seed, False)
    edges = upper.tocoo()
    network = networkit.GraphFromCoo(
        (edges.data, (edges.row.astype(np.uint64), edges.col.astype(np.uint64))), n=n, weighted=True
    )
    search = networkit.community.LouvainMapEquation(network, hierarchical=True, parallelizationStrategy="none")
    modules = np.asarray(search.run().getPartition().getVector(), dtype=np.int64)
    labels = np.empty(n, dtype=np.int64)
    labels[order] = modules
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
