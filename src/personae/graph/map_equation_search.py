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
    """A random walk on a graph of N nodes, with no flow from a node to itself.

    indptr:   (N + 1,) int64, edges[indptr[a] : indptr[a + 1]] are those of node a, by rising other node
    indices:  (E,) int32, the other node
    flow:     (E,) float32, share of the steps that go between the two nodes, in both directions together
    visit:    (N,) float64, share of the steps that end in a
    leave:    (N,) float64, share of the steps from a to others
    enter:    (N,) float64, share of the steps from others to a
    bar:      (N + 1,) int64, barred[bar[a] : bar[a + 1]] are the nodes that must not share a module with a
    barred:   (B,) int32
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    flow: NDArray[np.float32]
    visit: Rates
    leave: Rates
    enter: Rates
    bar: NDArray[np.int64]
    barred: NDArray[np.int32]


class Moved(NamedTuple):
    """A partition and the bits that finding it has gained."""

    labels: Labels
    gain: float


def shortest(network: Network, start: Labels) -> Labels:
    """(N,) int32 in 0..C-1, the partition of the shortest description found from `start`, (N,) int32 in 0..N-1.

    `start` keeps barred nodes apart, and so does the result.
    """
    n = len(network.visit)
    together = np.zeros(n, dtype=np.int32)
    labels = _merged(network, _moved(network, together, start).labels).labels
    for _ in range(ROUNDS):
        fine = _moved(network, together, labels)
        whole = _merged(network, fine.labels)
        parts, count = compact(_moved(network, whole.labels, singles(n)).labels)
        home = np.empty(count, dtype=np.int32)
        home[parts] = whole.labels
        coarse = _moved(aggregated(network, parts, count), np.zeros(count, dtype=np.int32), home)
        merged = _merged(network, coarse.labels[parts])
        labels = merged.labels
        if fine.gain + whole.gain + coarse.gain + merged.gain < WORTH_A_ROUND:
            break
    return labels


def _merged(network: Network, labels: Labels) -> Moved:
    """Whole modules moved into each other, level by level, until none moves."""
    total = 0.0
    while True:
        labels, count = compact(labels)
        modules = aggregated(network, labels, count)
        top = _moved(modules, np.zeros(count, dtype=np.int32), singles(count))
        if top.gain <= LEAST_GAIN:
            return Moved(labels, total)
        total += top.gain
        labels = top.labels[labels]


def singles(n: int) -> Labels:
    """Each of n nodes in a module of its own."""
    return np.arange(n, dtype=np.int32)


@njit(cache=True)
def _f(x: float) -> float:
    """X log2 x, 0 at 0 and where rounding fell below it."""
    bits: float = x * np.log2(x) if x > 0 else 0.0
    return bits


@njit(cache=True)
def _bits(exits: float, enters: float, inside: float) -> float:
    """What one module adds to the description."""
    out = _f(exits)
    bits: float = _f(exits + inside) - out - (out if exits == enters else _f(enters))
    return bits


@njit(cache=True)
def _moved(network: Network, bound: Labels, labels: Labels) -> Moved:  # noqa: PLR0912, PLR0915  (one loop)
    """Nodes moved to the neighboring module, or to an empty one, that shortens the description most.

    bound:  (N,) a node looks only at neighbors of its own bound
    labels: (N,) in 0..N-1, the modules to start from

    A node is looked at again when a neighbor has moved. Moving a out of i takes l_a - w_i from i's exit rate
    and e_a - w_i from its enter rate, w_i being the flow between a and the rest of i, l_a and e_a what leaves
    and enters a; moving it into j adds l_a - w_j and e_a - w_j. With f(x) = x log2 x the description is
    L = f(sum enter) - sum f(enter) - sum f(exit) + sum f(exit + visit), and a constant.
    """
    indptr, indices, flow, visit, leave, enter, bar, barred = network
    n = len(visit)
    labels = labels.copy()
    inside = np.zeros(n)  # visit rate of each module
    exits = np.zeros(n)
    enters = np.zeros(n)
    size = np.zeros(n, np.int32)
    for a in range(n):
        module = labels[a]
        inside[module] += visit[a]
        size[module] += 1
        exits[module] += leave[a]
        enters[module] += enter[a]
        for at in range(indptr[a], indptr[a + 1]):
            if labels[indices[at]] == module:  # met from both ends
                exits[module] -= flow[at] / 2
                enters[module] -= flow[at] / 2
    cost = np.zeros(n)  # bits of each module, kept beside the rates: logarithms are most of the work
    for module in range(n):
        cost[module] = _bits(exits[module], enters[module], inside[module])
    total = enters.sum()
    empty = np.empty(n, np.int32)
    empties = 0
    for module in range(n - 1, -1, -1):
        if size[module] == 0:
            empty[empties] = module
            empties += 1
    to = np.zeros(n)
    seen = np.zeros(n, np.bool_)
    shut = np.zeros(n, np.bool_)
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
        for at in range(bar[a], bar[a + 1]):
            shut[labels[barred[at]]] = True
        w = to[i] if seen[i] else 0.0
        exit_i, enter_i, inside_i = exits[i] - leave[a] + w, enters[i] - enter[a] + w, inside[i] - visit[a]
        if size[i] == 1:
            exit_i, enter_i, inside_i = 0.0, 0.0, 0.0
        rest = total - enters[i] + enter_i
        cost_i = _bits(exit_i, enter_i, inside_i)
        change_i = cost_i - cost[i] - _f(total)
        best, j, exit_best, enter_best, cost_best = -LEAST_GAIN, i, 0.0, 0.0, 0.0
        for at in range(count):
            module = near[at]
            seen[module] = False
            if module != i and not shut[module]:
                exit_j = exits[module] + leave[a] - to[module]
                enter_j = enters[module] + enter[a] - to[module]
                cost_j = _bits(exit_j, enter_j, inside[module] + visit[a])
                change = change_i + _f(rest - enters[module] + enter_j) + cost_j - cost[module]
                if change < best:
                    best, j, exit_best, enter_best, cost_best = change, module, exit_j, enter_j, cost_j
        for at in range(bar[a], bar[a + 1]):
            shut[labels[barred[at]]] = False
        if size[i] > 1 and empties > 0:
            cost_j = _bits(leave[a], enter[a], visit[a])
            change = change_i + _f(rest + enter[a]) + cost_j
            if change < best:
                best, j, exit_best, enter_best = change, empty[empties - 1], leave[a], enter[a]
                cost_best = cost_j
        if j == i:
            continue
        if size[j] == 0:
            empties -= 1
        total = rest - enters[j] + enter_best
        exits[i], enters[i], inside[i] = exit_i, enter_i, inside_i
        exits[j], enters[j], inside[j] = exit_best, enter_best, inside[j] + visit[a]
        cost[i], cost[j] = cost_i, cost_best
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
def compact(labels: Labels) -> tuple[Labels, int]:
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
def aggregated(network: Network, labels: Labels, count: int) -> Network:
    """Modules as nodes: flows between two of them added up, flows within one left to its visit rate."""
    indptr, indices, flow, visit, leave, enter, bar, barred = network
    start, member = _members(labels, count)
    visits, leaves, enters = np.zeros(count), np.zeros(count), np.zeros(count)
    degree, bars = np.zeros(count + 1, np.int64), np.zeros(count + 1, np.int64)
    seen = np.full(count, -1, np.int32)
    for module in range(count):
        for place in range(start[module], start[module + 1]):
            a = member[place]
            visits[module] += visit[a]
            leaves[module] += leave[a]
            enters[module] += enter[a]
            bars[module + 1] += bar[a + 1] - bar[a]
            for at in range(indptr[a], indptr[a + 1]):
                other = labels[indices[at]]
                if other != module and seen[other] != module:
                    seen[other] = module
                    degree[module + 1] += 1
    pointer, bars = np.cumsum(degree), np.cumsum(bars)
    others = np.empty(pointer[-1], np.int32)
    summed = np.empty(pointer[-1], np.float32)
    shut = np.empty(bars[-1], np.int32)
    to = np.zeros(count)
    seen[:] = -1
    for module in range(count):
        end, end_of_bars = pointer[module], bars[module]
        for place in range(start[module], start[module + 1]):
            a = member[place]
            for at in range(bar[a], bar[a + 1]):
                shut[end_of_bars] = labels[barred[at]]
                end_of_bars += 1
            for at in range(indptr[a], indptr[a + 1]):
                other = labels[indices[at]]
                if other == module:
                    leaves[module] -= flow[at] / 2
                    enters[module] -= flow[at] / 2
                    continue
                if seen[other] != module:
                    seen[other] = module
                    to[other] = 0.0
                    others[end] = other
                    end += 1
                to[other] += flow[at]
        for at in range(pointer[module], end):
            summed[at] = to[others[at]]
    return Network(pointer, others, summed, visits, leaves, enters, bars, shut)


@njit(cache=True)
def _members(labels: Labels, count: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The nodes of each module one after the other: members[start[m] : start[m + 1]] are those of module m."""
    start = np.zeros(count + 1, np.int64)
    for a in range(len(labels)):
        start[labels[a] + 1] += 1
    start = np.cumsum(start)
    member = np.empty(len(labels), np.int32)
    filled = start[:-1].copy()
    for a in range(len(labels)):
        member[filled[labels[a]]] = a
        filled[labels[a]] += 1
    return start, member
