"""The two-level map equation: the partition that describes a random walk on the graph in the fewest bits.

Rosvall and Bergstrom, "Maps of random walks on complex networks reveal community structure", PNAS 2008.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from personae.errors import InputError
from personae.graph.components import first_seen
from personae.graph.map_equation_search import Labels, Network, aggregated, compact, shortest, singles

TELEPORT = 0.15  # share of the steps of a directed walk that begin anew
STEADY = 1e-15  # change of the visit rates at which they are taken as final
STEPS = 1000


def map_equation_labels(
    adjacency: csr_array,
    *,
    directed: bool = False,
    order: NDArray[np.integer[Any]] | None = None,
    start: NDArray[np.integer[Any]] | None = None,
    together: NDArray[np.integer[Any]] | None = None,
    apart: NDArray[np.integer[Any]] | None = None,
) -> Labels:
    """(N,) int32, the modules of the shortest description found; a face without links is a module of one.

    adjacency: (N, N) positive weights, no self-links; symmetric unless `directed`
    order:     (N,) the order in which faces are visited; pass `canonical_order` so that the order of the input
               does not matter
    start:     (N,) a partition to begin with; faces that are apart leave it
    together:  (N,) groups of faces that share a module in any case, such as the faces of one track
    apart:     (P, 2) pairs of faces that never share a module

    Nothing is drawn by chance and one thread does it all: the same graph gives the same modules. O(E) a look
    at all faces; some dozens are usual. 8 bytes an edge beyond the input, 16 while parts of modules move.

    InputError: a pair is to be both together and apart, or an array is not of N faces.
    """
    n = adjacency.shape[0]
    for name, given in (("order", order), ("start", start), ("together", together)):
        if given is not None and np.shape(given) != (n,):
            raise InputError(f"{name} has shape {np.shape(given)}; a graph of {n:,} faces needs ({n},)")
    visited = np.arange(n) if order is None else np.asarray(order)
    groups = visited if together is None else np.asarray(together)
    group_of, count = compact(first_seen(groups[visited]))
    position = np.empty(n, dtype=np.int64)
    position[visited] = group_of
    network = _with_bars(_walk(adjacency, visited, directed), _pairs(apart, position, n), group_of, count)
    beginning = singles(count)
    if start is not None:
        beginning[group_of] = first_seen(np.asarray(start)[visited])
        beginning = _kept_apart(beginning, network)
    found = shortest(network, beginning) if len(network.flow) else beginning
    return first_seen(found[position])


def codelength(adjacency: csr_array, labels: NDArray[np.integer[Any]], *, directed: bool = False) -> float:
    """Bits a step of the random walk, described with one codebook a module and one between them.

    L = f(sum enter) - sum f(enter) - sum f(exit) - sum f(p_a) + sum f(exit + p) with f(x) = x log2 x, p_a the
    visit rate of face a, and exit, enter and p the rates of each module. An undirected walk follows a link by
    its weight; a directed one, too, but begins anew with probability 0.15 at a face drawn by its weight, which
    is not described.

    >>> pair = csr_array([[0.0, 1.0], [1.0, 0.0]])
    >>> codelength(pair, np.array([0, 0]))
    1.0
    """
    if adjacency.nnz == 0:
        return 0.0
    flow = (_directed_flow(adjacency) if directed else adjacency / adjacency.sum()).tocoo()
    modules = int(labels.max()) + 1
    crossing = labels[flow.row] != labels[flow.col]
    leaves = np.bincount(labels[flow.row[crossing]], flow.data[crossing], modules)
    enters = np.bincount(labels[flow.col[crossing]], flow.data[crossing], modules)
    visits = np.bincount(flow.col, flow.data, len(labels))
    inside = np.bincount(labels, visits, modules)
    bits = _f(enters.sum()) - _f(enters).sum() - _f(leaves).sum() - _f(visits).sum() + _f(leaves + inside).sum()
    return float(bits)


def _f(x: Any) -> Any:
    """X log2 x, 0 at 0."""
    return np.where(x > 0, x * np.log2(np.where(x > 0, x, 1)), 0.0)


def _directed_flow(adjacency: csr_array) -> csr_array:
    """(N, N) float64, share of the steps along each link: visit rates of the walk with teleportation, one step
    without it. Teleportation goes to links: a face is drawn by the weight of its links.
    """
    strength = np.asarray(adjacency.sum(axis=1), dtype=np.float64).reshape(-1)
    drawn = strength / strength.sum()
    scale = np.divide(1.0, strength, out=np.zeros_like(strength), where=strength > 0)
    links = adjacency.tocoo()
    chance = links.data * scale[links.row]
    back = csr_array((chance, (links.col, links.row)), shape=adjacency.shape)
    rate = drawn
    for _ in range(STEPS):
        lost = float(rate[strength == 0].sum())
        new = (1 - TELEPORT) * (back @ rate + lost * drawn) + TELEPORT * drawn
        new = np.asarray(new / new.sum())
        change = float(np.abs(new - rate).sum())
        rate = new
        if change < STEADY:
            break
    flow = chance * rate[links.row]
    return csr_array((flow / flow.sum(), (links.row, links.col)), shape=adjacency.shape)


def _walk(adjacency: csr_array, order: NDArray[np.integer[Any]], directed: bool) -> Network:
    """The walk with its nodes in `order`."""
    n = adjacency.shape[0]
    nowhere = np.zeros(n + 1, dtype=np.int64), np.empty(0, dtype=np.int32)
    if adjacency.nnz == 0:
        still = np.zeros(n)
        empty = np.zeros(n + 1, dtype=np.int64)
        return Network(empty, np.empty(0, np.int32), np.empty(0, np.float32), still, still, still, *nowhere)
    graph, scale = adjacency, 2 / float(adjacency.sum())
    if directed:
        flow = _directed_flow(adjacency)
        leave, enter = (np.asarray(flow.sum(axis=axis), dtype=np.float64).reshape(-1) for axis in (1, 0))
        graph, scale = (flow + flow.T).tocsr(), 1.0
    else:
        leave = enter = np.asarray(adjacency.sum(axis=1), dtype=np.float64).reshape(-1) * scale / 2
    edges = _reordered(graph.indptr, graph.indices, graph.data, order.astype(np.int64), scale)
    return Network(*edges, enter[order], leave[order], enter[order], *nowhere)


@njit(cache=True)
def _reordered(
    indptr: NDArray[Any], indices: NDArray[Any], weights: NDArray[Any], order: NDArray[np.int64], scale: float
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    """The graph with face order[a] as node a, edges of a node by rising other node, weights times `scale`."""
    n = len(order)
    node = np.empty(n, np.int32)
    pointer = np.zeros(n + 1, np.int64)
    for a in range(n):
        node[order[a]] = a
        pointer[a + 1] = pointer[a] + indptr[order[a] + 1] - indptr[order[a]]
    others = np.empty(len(indices), np.int32)
    flow = np.empty(len(indices), np.float32)
    for a in range(n):
        first, last = indptr[order[a]], indptr[order[a] + 1]
        row = node[indices[first:last]]
        by_node = np.argsort(row)
        others[pointer[a] : pointer[a + 1]] = row[by_node]
        for at in range(last - first):
            flow[pointer[a] + at] = weights[first + by_node[at]] * scale
    return pointer, others, flow


def _pairs(apart: NDArray[np.integer[Any]] | None, position: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """(P, 2) the nodes of the pairs that stay apart."""
    pairs = np.empty((0, 2), dtype=np.int64) if apart is None else np.asarray(apart, dtype=np.int64)
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        raise InputError(f"apart has shape {pairs.shape}; it needs to be (pairs, 2)")
    if len(pairs) and not (pairs.min() >= 0 and pairs.max() < n):
        raise InputError(f"apart names faces from {pairs.min()} to {pairs.max()}; there are {n:,}")
    nodes = position[pairs]
    torn = np.flatnonzero(nodes[:, 0] == nodes[:, 1])
    if len(torn):
        raise InputError(f"faces {pairs[torn[0], 0]} and {pairs[torn[0], 1]} are to be both together and apart")
    return nodes


def _with_bars(network: Network, pairs: NDArray[np.int64], group_of: Labels, count: int) -> Network:
    """The walk between groups, with the pairs that stay apart."""
    if count < len(group_of):
        network = aggregated(network, group_of, count)
    both = np.unique(np.vstack([pairs, pairs[:, ::-1]]), axis=0)
    bar = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(np.bincount(both[:, 0], minlength=count), out=bar[1:])
    return network._replace(bar=bar, barred=both[:, 1].astype(np.int32))


def _kept_apart(labels: Labels, network: Network) -> Labels:
    """The same partition; nodes that share a module with one they must not share it with are alone."""
    barred_from = np.repeat(np.arange(len(labels)), np.diff(network.bar))
    torn = np.unique(barred_from[labels[barred_from] == labels[network.barred]])
    alone = labels.astype(np.int64)
    alone[torn] = len(labels) + torn
    return first_seen(alone)
