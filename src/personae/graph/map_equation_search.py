"""The search for the shortest description: moves of faces, of modules and of parts of modules.

Greedy moves with aggregation follow Rosvall and Bergstrom, PNAS 2008, and Blondel et al., J. Stat. Mech.
P10008, 2008; moving single faces and parts of modules again afterwards is the fine- and coarse-tuning of
Rosvall, Axelsson and Bergstrom, Eur. Phys. J. Special Topics 178, 2009. A part of a module is found by
the same moves from single faces, kept within the module.

Time goes to memory that lies far apart, so the first looks are hasty ones, and then the nodes of a module are
laid side by side. What haste misses is found afterwards.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.graph.walk import Labels, Network, Rates, aggregated, compact, laid_out, members

LEAST_GAIN = 1e-10  # bits: a move for less is rounding
TIRED = 40  # looks at each node, on average, after which a search ends; a few are usual
HASTE = 0.5  # of the strongest flow to a module: a hasty look weighs no module with less
CAREFUL = 0.0
ANYWHERE = np.empty(0, dtype=np.int32)  # no node is bound
EXITS, ENTERS, INSIDE, BITS = 0, 1, 2, 3  # columns of what is known of a module
ROUNDS = 10  # of tuning
WORTH_A_ROUND = 1e-5  # bits, of the few to twenty that a description has


class Moved(NamedTuple):
    """A partition and the bits that finding it has gained."""

    labels: Labels
    gain: float


def shortest(network: Network, start: Labels) -> Labels:
    """(N,) int32, the partition of the shortest description found from `start`, (N,) int32 in 0..N-1.

    `start` keeps barred nodes apart, and so does the result. The edges of `network` are put in another order.
    """
    labels, count = compact(_moved(network, ANYWHERE, start, 1, HASTE).labels)
    order = members(labels, count)[1]
    network = laid_out(network, order)
    labels = _merged(network, _moved(network, ANYWHERE, labels[order], 1, HASTE).labels).labels
    node = singles(len(order))  # of the network in which only those are apart who may still move
    for _ in range(ROUNDS):
        tuned = _tuned(network, labels)
        if tuned.gain < WORTH_A_ROUND:
            labels = tuned.labels
            break
        still, count = compact(_still(network, labels, tuned.labels))
        network, labels = aggregated(network, still, count), _of_groups(tuned.labels, still, count)
        node = still[node]
    found = np.empty(len(order), dtype=np.int32)
    found[order] = labels[node]
    return found


def _tuned(network: Network, labels: Labels) -> Moved:
    """Nodes, modules and parts of modules moved once more."""
    fine = _moved(network, ANYWHERE, labels, TIRED, CAREFUL)
    whole = _merged(network, fine.labels) if fine.gain > 0 else Moved(labels, 0.0)
    parts, count = compact(_moved(network, whole.labels, singles(len(labels)), TIRED, CAREFUL).labels)
    tuned = Moved(whole.labels, fine.gain + whole.gain)
    if count > whole.labels.max() + 1:  # some module has parts
        home = _of_groups(whole.labels, parts, count)
        coarse = _moved(aggregated(network, parts, count), ANYWHERE, home, TIRED, CAREFUL)
        if coarse.gain > 0:
            merged = _merged(network, coarse.labels[parts])
            tuned = Moved(merged.labels, tuned.gain + coarse.gain + merged.gain)
    return tuned


def _merged(network: Network, labels: Labels) -> Moved:
    """Whole modules moved into each other, level by level, until none moves."""
    total, (step, count) = 0.0, compact(labels)
    labels = step
    while True:
        network = aggregated(network, step, count)
        top = _moved(network, ANYWHERE, singles(count), TIRED, CAREFUL)
        if top.gain <= LEAST_GAIN:
            return Moved(labels, total)
        total += top.gain
        step, count = compact(top.labels)
        labels = step[labels]


def _of_groups(labels: Labels, group: Labels, count: int) -> Labels:
    """(count,) the module of each group of nodes, all of which are in one."""
    of = np.empty(count, dtype=np.int32)
    of[group] = labels
    return of


@njit(cache=True)
def _still(network: Network, before: Labels, after: Labels) -> Labels:
    """(N,) in 0..N-1, in one group the nodes of each module that is what it was.

    Alone are the nodes of other modules, and those with links to them.
    """
    n = len(after)
    was, size, came = np.zeros(n, np.int32), np.zeros(n, np.int32), np.full(n, -1, np.int32)
    for a in range(n):
        was[before[a]] += 1
        size[after[a]] += 1
        came[after[a]] = before[a]
    new = np.zeros(n, np.bool_)
    for a in range(n):
        new[after[a]] |= came[after[a]] != before[a] or was[before[a]] != size[after[a]]
    first, group = np.full(n, -1, np.int32), np.arange(n, dtype=np.int32)
    for a in range(n):
        moving = new[after[a]]
        for at in range(network.indptr[a], network.indptr[a + 1]):
            moving |= new[after[network.indices[at]]]
        if not moving:
            if first[after[a]] < 0:
                first[after[a]] = a
            group[a] = first[after[a]]
    return group


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
def _moved(  # noqa: PLR0912, PLR0915  (one loop)
    network: Network, bound: Labels, labels: Labels, sweeps: int, least: float
) -> Moved:
    """Nodes moved to the neighboring module, or to an empty one, that shortens the description most.

    bound:  (N,) a node looks only at neighbors of its own bound; or ANYWHERE
    labels: (N,) in 0..N-1, the modules to start from
    sweeps: looks at each node, on average, at most
    least:  HASTE or CAREFUL; modules that a node has less flow to than this share of its strongest are skipped

    A node is looked at again when a neighbor has moved. Moving a out of i takes l_a - w_i from i's exit rate
    and e_a - w_i from its enter rate, w_i being the flow between a and the rest of i, l_a and e_a what leaves
    and enters a; moving it into j adds l_a - w_j and e_a - w_j. With f(x) = x log2 x the description is
    L = f(sum enter) - sum f(enter) - sum f(exit) + sum f(exit + visit), and a constant.
    """
    indptr, indices, flow, visit, leave, enter, bar, barred = network
    n = len(visit)
    tied = len(bound) > 0
    labels = labels.copy()
    of, size = _modules(network, labels)
    total = of[:, ENTERS].sum()
    empty = np.empty(n, np.int32)
    empties = 0
    for module in range(n - 1, -1, -1):
        if size[module] == 0:
            empty[empties] = module
            empties += 1
    to = np.zeros(n)  # flow between a node and each module; 0 between looks
    shut = np.zeros(n, np.bool_)
    near = np.empty(n, np.int32)
    queue = np.arange(n, dtype=np.int32)
    waiting = np.ones(n, np.bool_)
    head, length, looks, gain = 0, n, sweeps * n, 0.0
    while length > 0 and looks > 0:
        a = queue[head]
        head = head + 1 if head + 1 < n else 0
        length -= 1
        looks -= 1
        waiting[a] = False
        i = labels[a]
        count = 0
        for at in range(indptr[a], indptr[a + 1]):
            b = indices[at]
            if not tied or bound[b] == bound[a]:
                module = labels[b]
                if to[module] == 0:
                    near[count] = module
                    count += 1
                to[module] += flow[at]
        for at in range(bar[a], bar[a + 1]):
            shut[labels[barred[at]]] = True
        w, to[i] = to[i], 0.0
        exit_i = of[i, EXITS] - leave[a] + w
        enter_i = of[i, ENTERS] - enter[a] + w
        inside_i = of[i, INSIDE] - visit[a]
        if size[i] == 1:
            exit_i, enter_i, inside_i = 0.0, 0.0, 0.0
        rest = total - of[i, ENTERS] + enter_i
        bits_i = _bits(exit_i, enter_i, inside_i)
        change_i = bits_i - of[i, BITS] - _f(total)
        best, j, exit_best, enter_best, bits_best = -LEAST_GAIN, i, 0.0, 0.0, 0.0
        weak = 0.0
        if least > 0:
            for at in range(count):
                weak = max(weak, to[near[at]] * least)
        for at in range(count):
            module = near[at]
            w = to[module]
            to[module] = 0.0
            if module != i and w >= weak and not shut[module]:
                exit_j = of[module, EXITS] + leave[a] - w
                enter_j = of[module, ENTERS] + enter[a] - w
                bits_j = _bits(exit_j, enter_j, of[module, INSIDE] + visit[a])
                change = change_i + _f(rest - of[module, ENTERS] + enter_j) + bits_j - of[module, BITS]
                if change < best:
                    best, j, exit_best, enter_best, bits_best = change, module, exit_j, enter_j, bits_j
        for at in range(bar[a], bar[a + 1]):
            shut[labels[barred[at]]] = False
        if size[i] > 1 and empties > 0:
            bits_j = _bits(leave[a], enter[a], visit[a])
            change = change_i + _f(rest + enter[a]) + bits_j
            if change < best:
                best, j, exit_best, enter_best = change, empty[empties - 1], leave[a], enter[a]
                bits_best = bits_j
        if j == i:
            continue
        if size[j] == 0:
            empties -= 1
        total = rest - of[j, ENTERS] + enter_best
        of[i, EXITS], of[i, ENTERS], of[i, INSIDE], of[i, BITS] = exit_i, enter_i, inside_i, bits_i
        of[j, EXITS], of[j, ENTERS], of[j, BITS] = exit_best, enter_best, bits_best
        of[j, INSIDE] += visit[a]
        size[i] -= 1
        size[j] += 1
        if size[i] == 0:
            empty[empties] = i
            empties += 1
        labels[a] = j
        gain -= best
        if length >= looks:
            continue  # whoever waits now would never be looked at
        for at in range(indptr[a], indptr[a + 1]):
            b = indices[at]
            if labels[b] != j and not waiting[b] and (not tied or bound[b] == bound[a]):
                waiting[b] = True
                queue[(head + length) % n] = b
                length += 1
    return Moved(labels, gain)


@njit(cache=True)
def _modules(network: Network, labels: Labels) -> tuple[Rates, NDArray[np.int32]]:
    """(N, 4) float64, each module's rates and bits side by side, and (N,) int32, how many nodes it has.

    Bits are kept beside the rates since logarithms are most of the arithmetic.
    """
    n = len(labels)
    of, size = np.zeros((n, 4)), np.zeros(n, np.int32)
    for a in range(n):
        module = labels[a]
        kept = 0.0
        for at in range(network.indptr[a], network.indptr[a + 1]):
            if labels[network.indices[at]] == module:
                kept += network.flow[at] / 2  # met from both ends
        of[module, EXITS] += network.leave[a] - kept
        of[module, ENTERS] += network.enter[a] - kept
        of[module, INSIDE] += network.visit[a]
        size[module] += 1
    for module in range(n):
        of[module, BITS] = _bits(of[module, EXITS], of[module, ENTERS], of[module, INSIDE])
    return of, size
