"""The walk that the map equation describes, between nodes that are faces or groups of faces."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.graph.threads import Span, in_threads, spans

Labels = NDArray[np.int32]
Rates = NDArray[np.float64]
Groups = tuple[Labels, NDArray[np.int64], Labels]  # labels, and the members of each as of `members`


class Network(NamedTuple):
    """A random walk on a graph of N nodes, with no flow from a node to itself.

    indptr:   (N + 1,) int64, edges[indptr[a] : indptr[a + 1]] are those of node a
    indices:  (E,) int32, the other node
    flow:     (E,) float32, above 0, share of the steps between the two nodes, both directions together
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


def aggregated(network: Network, labels: Labels, count: int) -> Network:
    """Modules as nodes: flows between two of them added up, flows within one left to its visit rate."""
    start, member = members(labels, count)
    pointer, bars = np.zeros((2, count + 1), np.int64)
    visit, leave, enter = rates = np.zeros((3, count))
    some, group = spans(count), (labels, start, member)
    in_threads(_measured, some, tuple(network), group, pointer, bars, rates)
    np.cumsum(pointer, out=pointer)
    np.cumsum(bars, out=bars)
    others, summed = np.empty(pointer[-1], np.int32), np.empty(pointer[-1], np.float32)
    shut = np.empty(bars[-1], np.int32)
    in_threads(_added_up, some, tuple(network), group, pointer, bars, (others, summed, shut))
    return Network(pointer, others, summed, visit, leave, enter, bars, shut)


@njit(cache=True, nogil=True)
def _measured(
    span: Span,
    network: tuple[NDArray[Any], ...],
    group: Groups,
    lengths: NDArray[np.int64],
    bars: NDArray[np.int64],
    rates: NDArray[np.float64],
) -> None:
    """The rates of some modules; and, one place later, how many others each has flows to, and how many bars."""
    indptr, indices, flow, visit, leave, enter, bar, _ = network
    labels, start, member = group
    seen = np.full(len(start) - 1, -1, np.int32)
    for module in range(span[0], span[1]):
        for place in range(start[module], start[module + 1]):
            a = member[place]
            rates[0, module] += visit[a]
            rates[1, module] += leave[a]
            rates[2, module] += enter[a]
            bars[module + 1] += bar[a + 1] - bar[a]
            for at in range(indptr[a], indptr[a + 1]):
                other = labels[indices[at]]
                if other == module:
                    rates[1, module] -= flow[at] / 2
                    rates[2, module] -= flow[at] / 2
                elif seen[other] != module:
                    seen[other] = module
                    lengths[module + 1] += 1


@njit(cache=True, nogil=True)
def _added_up(
    span: Span,
    network: tuple[NDArray[Any], ...],
    group: Groups,
    pointer: NDArray[np.int64],
    bars: NDArray[np.int64],
    found: tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.int32]],
) -> None:
    """The flows from some modules, and the modules they are barred from."""
    indptr, indices, flow, _, _, _, bar, barred = network
    (labels, start, member), (others, summed, shut) = group, found
    seen, to = np.full(len(start) - 1, -1, np.int32), np.empty(len(start) - 1)
    for module in range(span[0], span[1]):
        end, end_of_bars = pointer[module], bars[module]
        for place in range(start[module], start[module + 1]):
            a = member[place]
            for at in range(bar[a], bar[a + 1]):
                shut[end_of_bars] = labels[barred[at]]
                end_of_bars += 1
            for at in range(indptr[a], indptr[a + 1]):
                other = labels[indices[at]]
                if other == module:
                    continue
                if seen[other] != module:
                    seen[other] = module
                    to[other] = 0.0
                    others[end] = other
                    end += 1
                to[other] += flow[at]
        for at in range(pointer[module], end):
            summed[at] = to[others[at]]


@njit(cache=True)
def members(labels: Labels, count: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The nodes of each module one after the other: members[start[m] : start[m + 1]] are those of module m."""
    start = np.zeros(count + 1, np.int64)
    for a in range(len(labels)):
        start[labels[a] + 1] += 1
    for module in range(count):
        start[module + 1] += start[module]
    member = np.empty(len(labels), np.int32)
    filled = start[:-1].copy()
    for a in range(len(labels)):
        member[filled[labels[a]]] = a
        filled[labels[a]] += 1
    return start, member


def laid_out(network: Network, order: NDArray[np.int32]) -> Network:
    """The walk with order[a] as node a, in the memory of the edges that it had."""
    indptr, indices, flow, visit, leave, enter, bar, barred = network
    node = np.empty(len(order), np.int32)
    node[order] = np.arange(len(order), dtype=np.int32)
    pointer, bars = _ends(indptr, order), _ends(bar, order)
    moved = np.empty(len(indices), np.int32)  # one column at a time: half of the memory
    shut = np.empty(len(barred), np.int32)
    _put_rows(indices, indptr, order, pointer, moved)
    _rename(moved, node, indices)
    share = moved.view(np.float32)
    _put_rows(flow, indptr, order, pointer, share)
    flow[:] = share
    _put_rows(barred, bar, order, bars, shut)
    return Network(pointer, indices, flow, visit[order], leave[order], enter[order], bars, node[shut])


def _ends(indptr: NDArray[np.int64], order: NDArray[np.int32]) -> NDArray[np.int64]:
    """(N + 1,) where the rows end if they stand in that order."""
    ends = np.zeros(len(order) + 1, np.int64)
    np.cumsum(np.diff(indptr)[order], out=ends[1:])
    return ends


@njit(cache=True)
def _put_rows(
    old: NDArray[Any],
    indptr: NDArray[np.int64],
    order: NDArray[np.int32],
    pointer: NDArray[np.int64],
    new: NDArray[Any],
) -> None:
    for a in range(len(order)):
        start = indptr[order[a]]
        for at in range(pointer[a + 1] - pointer[a]):
            new[pointer[a] + at] = old[start + at]


@njit(cache=True)
def _rename(names: NDArray[np.int32], node: NDArray[np.int32], new: NDArray[np.int32]) -> None:
    for at in range(len(names)):
        new[at] = node[names[at]]
