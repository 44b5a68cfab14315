"""The two-level map equation: the partition that describes a random walk on the graph in the fewest bits.

Rosvall and Bergstrom, "Maps of random walks on complex networks reveal community structure", PNAS 2008.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from personae.errors import InputError
from personae.graph.adjacency import Csr, Weighted
from personae.graph.components import first_seen
from personae.graph.map_equation_search import shortest, singles
from personae.graph.sorting import sort_both
from personae.graph.threads import Span, in_threads, shares, spans
from personae.graph.walk import Labels, Network, Rates, aggregated, compact

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

    adjacency: (N, N) weights from 0 of any scale, float32 or float64; symmetric unless `directed`. A link to
               itself makes a face be visited more often; a weight of 0 is no link
    order:     (N,) the order in which faces are visited; pass `canonical_order` so that the order of the input
               does not matter
    start:     (N,) a partition to begin with; faces that are apart, or have no links, leave it
    together:  (N,) groups of faces that share a module in any case, such as the faces of one track
    apart:     (P, 2) pairs of faces that never share a module

    Nothing is drawn by chance and one thread moves the nodes: the same graph gives the same modules. O(E) a
    look at all faces; some dozens are usual. 15 bytes a stored weight beyond the input, some 36 if `directed`.

    InputError: a weight is negative or not finite, rows and columns do not add up alike in a matrix that is not
    `directed`, a pair is to be both together and apart, or an array is not of N faces.
    """
    adjacency = _checked(adjacency)
    n = adjacency.shape[0]
    for name, given in (("order", order), ("start", start), ("together", together)):
        if given is not None and np.shape(given) != (n,):
            raise InputError(f"{name} has shape {np.shape(given)}; a graph of {n:,} faces needs ({n},)")
    visited = np.arange(n) if order is None else np.asarray(order)
    groups = visited if together is None else np.asarray(together)
    group_of, count = compact(first_seen(groups[visited]))
    position = np.empty(n, dtype=np.int64)
    position[visited] = group_of
    walk = _walk(adjacency, visited, directed)
    del adjacency  # nor is it needed any more, if nobody else does
    network = _with_bars(walk, _pairs(apart, position, n), group_of, count)
    del walk
    beginning = singles(count)
    if start is not None:
        beginning[group_of] = first_seen(np.asarray(start)[visited])
        beginning = _set_free(beginning, network)
    if len(network.flow) == 0:
        return first_seen(beginning[position])
    handed_over = [network]  # so that its memory goes once it is no longer needed
    del network
    return first_seen(shortest(handed_over.pop(), beginning)[position])


def codelength(adjacency: csr_array, labels: NDArray[np.integer[Any]], *, directed: bool = False) -> float:
    """Bits a step of the random walk, described with one codebook a module and one between them.

    L = f(sum enter) - sum f(enter) - sum f(exit) - sum f(p_a) + sum f(exit + p) with f(x) = x log2 x, p_a the
    visit rate of face a, and exit, enter and p the rates of each module. An undirected walk follows a link by
    its weight; a directed one, too, but begins anew with probability 0.15 at a face drawn by its weight, which
    is not described.

    labels: (N,) the module of each face, 0 or above

    InputError: as of `map_equation_labels`, or labels of other faces.

    >>> pair = csr_array([[0.0, 1.0], [1.0, 0.0]])
    >>> codelength(pair, np.array([0, 0]))
    1.0
    """
    adjacency = _checked(adjacency)
    if np.shape(labels) != (adjacency.shape[0],) or labels.min(initial=0) < 0:
        raise InputError(f"labels need one module from 0 on for each of {adjacency.shape[0]:,} faces")
    share = _share(adjacency, directed)
    leaves, enters, inside, visits = _rates(*_links(adjacency), share, _int32(labels), int(labels.max()) + 1)
    bits = _f(enters.sum()) - _f(enters).sum() - _f(leaves).sum() - _f(visits).sum() + _f(leaves + inside).sum()
    return float(bits)


def _checked(adjacency: csr_array) -> csr_array:
    """The matrix with float32 or float64 weights."""
    if adjacency.shape[0] != adjacency.shape[1]:
        raise InputError(f"the links have shape {adjacency.shape}; a graph is square")
    weights = adjacency.data
    if len(weights) and not (weights.min() >= 0 and weights.max() < np.inf):
        raise InputError("link weights are negative or not finite; clip them at 0 first")
    if weights.dtype in (np.float32, np.float64):
        return adjacency
    weights = weights.astype(np.float32 if weights.dtype == np.float16 else np.float64)
    return csr_array((weights, adjacency.indices, adjacency.indptr), shape=adjacency.shape)


def _links(adjacency: csr_array) -> Csr:
    return adjacency.indptr.astype(np.int64, copy=False), _int32(adjacency.indices), adjacency.data


def _int32(numbers: NDArray[np.integer[Any]]) -> NDArray[np.int32]:
    return numbers.astype(np.int32, copy=False)


def _f(x: Any) -> Any:
    """X log2 x, 0 at 0."""
    return np.where(x > 0, x * np.log2(np.where(x > 0, x, 1)), 0.0)


def _share(adjacency: csr_array, directed: bool) -> Rates:
    """(N,) share of the steps that a unit of weight of each face's links stands for.

    A directed walk begins anew at links: at a face drawn by the weight of its links. Its visit rates are those
    of the walk with teleportation, its steps one more without it.
    """
    links = _links(adjacency)
    strength = _strengths(*links)
    with np.errstate(over="ignore"):
        total = float(strength.sum())
    if total == 0:
        return np.zeros(len(strength))
    if not 1e-300 < total < np.inf:
        raise InputError(f"the link weights add up to {total}; scale them")
    if not directed:
        return np.full(len(strength), 1 / total)
    drawn = strength / total
    scale = np.divide(1.0, strength, out=np.zeros_like(strength), where=strength > 0)
    rate = drawn
    for _ in range(STEPS):
        lost = float(rate[strength == 0].sum())
        new = (1 - TELEPORT) * (_arriving(*links, rate * scale) + lost * drawn) + TELEPORT * drawn
        new = np.asarray(new / new.sum())
        change = float(np.abs(new - rate).sum())
        rate = new
        if change < STEADY:
            break
    share: Rates = rate * scale / rate[strength > 0].sum()
    return share


def _walk(adjacency: csr_array, order: NDArray[np.integer[Any]], directed: bool) -> Network:
    """The walk with its nodes in `order`."""
    n = adjacency.shape[0]
    share = _share(adjacency, directed)
    links = _links(adjacency)
    leave, enter, visit = np.zeros((3, n))
    in_threads(_of_faces, shares(links[0]), links, share, leave, enter, visit)
    graph, unit = adjacency, 2 * float(share.max(initial=0.0))
    if directed:
        weights = (adjacency.data * np.repeat(share, np.diff(adjacency.indptr))).astype(np.float32)
        flow = csr_array((weights, adjacency.indices, adjacency.indptr), shape=adjacency.shape)
        graph, unit = (flow + flow.T).tocsr(), 1.0
    elif not np.allclose(leave, enter, rtol=1e-5, atol=1e-5 * float(leave.max(initial=0.0))):
        raise InputError("the links are not symmetric; add their transpose, or say that they are directed")
    else:
        enter = leave  # to the last bit
    edges = _reordered(_links(graph), order.astype(np.int64), unit)
    nowhere = np.zeros(n + 1, dtype=np.int64), np.empty(0, dtype=np.int32)
    return Network(*edges, visit[order], leave[order], enter[order], *nowhere)


@njit(cache=True)
def _strengths(indptr: NDArray[np.int64], indices: NDArray[np.int32], weights: NDArray[Any]) -> Rates:
    """(N,) float64, the weight of each face's links."""
    strength = np.zeros(len(indptr) - 1)
    for a in range(len(strength)):
        for at in range(indptr[a], indptr[a + 1]):
            strength[a] += weights[at]
    return strength


@njit(cache=True)
def _arriving(
    indptr: NDArray[np.int64], indices: NDArray[np.int32], weights: NDArray[Any], share: Rates
) -> Rates:
    """(N,) what the links bring to each face, share[a] for a unit of weight from a."""
    arriving = np.zeros(len(share))
    for a in range(len(share)):
        for at in range(indptr[a], indptr[a + 1]):
            arriving[indices[at]] += weights[at] * share[a]
    return arriving


@njit(cache=True)
def _rates(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    weights: NDArray[Any],
    share: Rates,
    labels: Labels,
    modules: int,
) -> tuple[Rates, Rates, Rates, Rates]:
    """What leaves, enters and ends in each module, and what ends in each face."""
    leaves, enters, inside = np.zeros(modules), np.zeros(modules), np.zeros(modules)
    visits = np.zeros(len(share))
    for a in range(len(share)):
        module = labels[a]
        for at in range(indptr[a], indptr[a + 1]):
            flow = weights[at] * share[a]
            visits[indices[at]] += flow
            other = labels[indices[at]]
            inside[other] += flow
            if other != module:
                leaves[module] += flow
                enters[other] += flow
    return leaves, enters, inside, visits


@njit(cache=True, nogil=True)
def _of_faces(span: Span, links: Csr, share: Rates, leave: Rates, enter: Rates, visit: Rates) -> None:
    """What leaves, enters and ends in each of some faces."""
    indptr, indices, weights = links
    for a in range(len(share)):
        for at in range(indptr[a], indptr[a + 1]):
            b, flow = indices[at], weights[at] * share[a]
            if span[0] <= b < span[1]:
                visit[b] += flow
                enter[b] += flow if b != a else 0.0
            if span[0] <= a < span[1]:
                leave[a] += flow if b != a else 0.0


def _reordered(links: Csr, order: NDArray[np.int64], unit: float) -> Csr:
    """The graph with face order[a] as node a, edges of a node by rising other node, weights times `unit`.

    Links to itself, and those too weak for a float32, are left out.
    """
    n = len(order)
    node = np.empty(n, np.int32)
    node[order] = np.arange(n, dtype=np.int32)
    pointer, nothing = np.zeros(n + 1, np.int64), (np.empty(0, np.int32), np.empty(0, np.float32))
    in_threads(_put_in_order, spans(n), links, (order, node), unit, pointer, nothing)
    np.cumsum(pointer, out=pointer)
    others, flow = np.empty(pointer[n], np.int32), np.empty(pointer[n], np.float32)
    in_threads(_put_in_order, spans(n), links, (order, node), unit, pointer, (others, flow))
    return pointer, others, flow


@njit(cache=True, nogil=True)
def _put_in_order(
    span: Span,
    links: Csr,
    names: tuple[NDArray[np.int64], NDArray[np.int32]],
    unit: float,
    pointer: NDArray[np.int64],
    found: Weighted,
) -> None:
    """The edges of some nodes; or, while there is no room for them, pointer[a + 1] becomes how many a has."""
    (indptr, indices, weights), (order, node), (others, flow) = links, names, found
    room = len(others) > 0
    for a in range(span[0], span[1]):
        first = pointer[a] if room else 0
        end = first
        for at in range(indptr[order[a]], indptr[order[a] + 1]):
            share = np.float32(weights[at] * unit)
            if indices[at] != order[a] and share > 0:
                if room:
                    others[end], flow[end] = node[indices[at]], share
                end += 1
        if room:
            sort_both(others[first:end], flow[first:end])
        else:
            pointer[a + 1] = end


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


def _set_free(labels: Labels, network: Network) -> Labels:
    """The same partition; alone are nodes without links, which no move would take out of a module, and nodes
    that share one with a node they must not share it with.
    """
    barred_from = np.repeat(np.arange(len(labels)), np.diff(network.bar))
    torn = np.unique(barred_from[labels[barred_from] == labels[network.barred]])
    alone = labels.astype(np.int64)
    free = np.union1d(torn, np.flatnonzero(np.diff(network.indptr) == 0))
    alone[free] = len(labels) + free
    return first_seen(alone)
