"""The search for the shortest description: moves of faces, of modules and of parts of modules.

Greedy moves with aggregation follow Rosvall and Bergstrom, PNAS 2008, and Blondel et al., J. Stat. Mech.
P10008, 2008; moving single faces and parts of modules again afterwards is the fine- and coarse-tuning of
Rosvall, Axelsson and Bergstrom, Eur. Phys. J. Special Topics 178, 2009. A part of a module is found by
the same moves from single faces, kept within the module.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Labels = NDArray[np.int32]
Rates = NDArray[np.float64]

LEAST_GAIN = 1e-10  # bits: a move for less is rounding
TIRED = 40  # looks at each node, on average, after which a search ends; a few are usual
ROUNDS = 10  # of tuning
WORTH_A_ROUND = 1e-5  # bits, of the few to twenty that a description has


class Network(NamedTuple):
    """A random walk on an undirected graph: which nodes, and how much of the walk goes along each edge.

    indptr:  (N + 1,) int64, edges[indptr[a] : indptr[a + 1]] are those of node a
    indices: (E,) int32, the other node; never a itself
    flow:    (E,) float32, share of the walk's steps from a to it
    visit:   (N,) float64, share of the steps that end in a, steps within a node included
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    flow: NDArray[np.float32]
    visit: Rates


class Moved(NamedTuple):
    """A partition and the bits that finding it has gained."""

    labels: Labels
    gain: float


def shortest(network: Network) -> Labels:
    """(N,) int32 in 0..C-1, the partition of the shortest description found."""
    n = len(network.visit)
    together = np.zeros(n, dtype=np.int32)
    labels = _merged(network, _moved(network, together, _singles(n)).labels).labels
    for _ in range(ROUNDS):
        fine = _moved(network, together, labels)
        whole = _merged(network, fine.labels)
        parts, count = _compact(_moved(network, whole.labels, _singles(n)).labels)
        home = np.empty(count, dtype=np.int32)
        home[parts] = whole.labels
        coarse = _moved(_aggregated(network, parts, count), np.zeros(count, dtype=np.int32), home)
        merged = _merged(network, coarse.labels[parts])
        labels = merged.labels
        if fine.gain + whole.gain + coarse.gain + merged.gain < WORTH_A_ROUND:
            break
    return labels


def _merged(network: Network, labels: Labels) -> Moved:
    """Whole modules moved into each other, level by level, until none moves."""
    total = 0.0
    while True:
        labels, count = _compact(labels)
        modules = _aggregated(network, labels, count)
        top = _moved(modules, np.zeros(count, dtype=np.int32), _singles(count))
        if top.gain <= LEAST_GAIN:
            return Moved(labels, total)
        total += top.gain
        labels = top.labels[labels]


def _singles(n: int) -> Labels:
    return np.arange(n, dtype=np.int32)


@njit(cache=True)
def _f(x: float) -> float:
    """X log2 x, 0 at 0 and where rounding fell below it."""
    bits: float = x * np.log2(x) if x > 0 else 0.0
    return bits


@njit(cache=True)
def _moved(network: Network, bound: Labels, labels: Labels) -> Moved:  # noqa: PLR0912, PLR0915  (one loop)
    """Nodes moved to the neighboring module, or to an empty one, that shortens the description most.

    bound:  (N,) a node looks only at neighbors of its own bound
    labels: (N,) in 0..N-1, the modules to start from

    A node is looked at again when a neighbor has moved. Moving a from i to j, with e the flow that leaves a
    and w_i, w_j its flow to the rest of i and to j, changes the exit rates to q_i - e + 2 w_i and
    q_j + e - 2 w_j, and L by the change of f(q) - 2 f(q_i) - 2 f(q_j) + f(q_i + p_i) + f(q_j + p_j).
    """
    indptr, indices, flow, visit = network
    n = len(visit)
    labels = labels.copy()
    inside = np.zeros(n)  # p of each module
    leaving = np.zeros(n)  # q of each module
    out = np.zeros(n)  # e of each node
    size = np.zeros(n, np.int32)
    for a in range(n):
        inside[labels[a]] += visit[a]
        size[labels[a]] += 1
        for at in range(indptr[a], indptr[a + 1]):
            out[a] += flow[at]
            if labels[indices[at]] != labels[a]:
                leaving[labels[a]] += flow[at]
    total = leaving.sum()
    empty = np.empty(n, np.int32)
    empties = 0
    for module in range(n - 1, -1, -1):
        if size[module] == 0:
            empty[empties] = module
            empties += 1
    to = np.zeros(n)
    seen = np.zeros(n, np.bool_)
    near = np.empty(n, np.int32)
    queue = np.arange(n, dtype=np.int32)
    waiting = np.ones(n, np.bool_)
    head, length, looks, gain = 0, n, TIRED * n, 0.0
    while length > 0 and looks > 0:
        a = queue[head]
        head = (head + 1) % n
        length -= 1
        looks -= 1
        waiting[a] = False
        i = labels[a]
        count = 0
        for at in range(indptr[a], indptr[a + 1]):
            b = indices[at]
            if bound[b] == bound[a]:
                module = labels[b]
                if not seen[module]:
                    seen[module] = True
                    to[module] = 0.0
                    near[count] = module
                    count += 1
                to[module] += flow[at]
        e = out[a]
        q_i = leaving[i] - e + 2 * (to[i] if seen[i] else 0.0)
        p_i = inside[i] - visit[a]
        if size[i] == 1:
            q_i, p_i = 0.0, 0.0
        change_i = -2 * (_f(q_i) - _f(leaving[i])) + _f(q_i + p_i) - _f(leaving[i] + inside[i]) - _f(total)
        best, j, q_best = -LEAST_GAIN, i, 0.0
        for at in range(count):
            module = near[at]
            seen[module] = False
            if module != i:
                q_old, p_old = leaving[module], inside[module]
                q_j = q_old + e - 2 * to[module]
                change = change_i + _f(total + q_i - leaving[i] + q_j - q_old) - 2 * (_f(q_j) - _f(q_old))
                change += _f(q_j + p_old + visit[a]) - _f(q_old + p_old)
                if change < best:
                    best, j, q_best = change, module, q_j
        if size[i] > 1 and empties > 0:
            change = change_i + _f(total + q_i - leaving[i] + e) - 2 * _f(e) + _f(e + visit[a])
            if change < best:
                best, j, q_best = change, empty[empties - 1], e
        if j == i:
            continue
        if size[j] == 0:
            empties -= 1
        total += q_i - leaving[i] + q_best - leaving[j]
        leaving[i], inside[i] = q_i, p_i
        leaving[j], inside[j] = q_best, inside[j] + visit[a]
        size[i] -= 1
        size[j] += 1
        if size[i] == 0:
            empty[empties] = i
            empties += 1
        labels[a] = j
        gain -= best
        for at in range(indptr[a], indptr[a + 1]):
            b = indices[at]
            if labels[b] != j and not waiting[b] and bound[b] == bound[a]:
                waiting[b] = True
                queue[(head + length) % n] = b
                length += 1
    return Moved(labels, gain)


@njit(cache=True)
def _compact(labels: Labels) -> tuple[Labels, int]:
    """The same partition numbered 0..C-1 by the first nodes, and C."""
    number = np.full(len(labels), -1, np.int32)
    compact = np.empty(len(labels), np.int32)
    count = 0
    for a in range(len(labels)):
        if number[labels[a]] < 0:
            number[labels[a]] = count
            count += 1
        compact[a] = number[labels[a]]
    return compact, count


@njit(cache=True)
def _aggregated(network: Network, labels: Labels, count: int) -> Network:
    """Modules as nodes: flows between two of them added up, flows within one left to its visit rate."""
    indptr, indices, flow, visit = network
    start = np.zeros(count + 1, np.int64)
    rate = np.zeros(count)
    for a in range(len(labels)):
        start[labels[a] + 1] += 1
        rate[labels[a]] += visit[a]
    start = np.cumsum(start)
    member = np.empty(len(labels), np.int32)
    filled = start[:-1].copy()
    for a in range(len(labels)):
        member[filled[labels[a]]] = a
        filled[labels[a]] += 1
    degree = np.zeros(count + 1, np.int64)
    seen = np.full(count, -1, np.int32)
    for module in range(count):
        for place in range(start[module], start[module + 1]):
            for at in range(indptr[member[place]], indptr[member[place] + 1]):
                other = labels[indices[at]]
                if other != module and seen[other] != module:
                    seen[other] = module
                    degree[module + 1] += 1
    pointer = np.cumsum(degree)
    others = np.empty(pointer[-1], np.int32)
    summed = np.empty(pointer[-1], np.float32)
    to = np.zeros(count)
    seen[:] = -1
    for module in range(count):
        end = pointer[module]
        for place in range(start[module], start[module + 1]):
            for at in range(indptr[member[place]], indptr[member[place] + 1]):
                other = labels[indices[at]]
                if other != module:
                    if seen[other] != module:
                        seen[other] = module
                        to[other] = 0.0
                        others[end] = other
                        end += 1
                    to[other] += flow[at]
        for at in range(pointer[module], end):
            summed[at] = to[others[at]]
    return Network(pointer, others, summed, rate)
