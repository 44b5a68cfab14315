"""Average and complete linkage on links alone, where most pairs of faces are not known."""

from heapq import heappop, heappush
from typing import Literal, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.graph.components import root_of
from personae.graph.links import Links
from personae.graph.merges import Merges

FREE = -1
HANDED_OVER = 0
FULL = 0.7  # of the table, from which it is written anew
TURN, FIRST, SECOND = (
    np.uint64(0x9E3779B97F4A7C15),
    np.uint64(0xBF58476D1CE4E5B9),
    np.uint64(0x94D049BB133111EB),
)


class Table(NamedTuple):
    """What is known of the links between two clusters, by open addressing.

    key:   (S,) int64, a N + b of the clusters a < b, or FREE
    value: (S,) float64, sum (average) or least (complete) of the similarities of their links
    links: (S,) int32, how many links these are; HANDED_OVER where they belong to another cluster now
    """

    key: NDArray[np.int64]
    value: NDArray[np.float64]
    links: NDArray[np.int32]


def merges_of_links(
    links: Links,
    linkage: Literal["average", "complete"],
    tau: float = -np.inf,
    clusters: int = 1,
    groups: tuple[NDArray[np.int64], NDArray[np.int32]] | None = None,
) -> Merges:
    """Greedy agglomeration down to the similarity `tau`, or to so many clusters if that comes first.

    groups: where each place of `links` is a group of faces, (N,) how many, and (E,) how many links of faces
            each of `links.pairs()` stands for with its weight

    Two clusters that no link joins are never joined, nor are two with a link of -inf.

    average:  of the links there are between two clusters; pairs without one are left out of the mean
    complete: a pair without a link counts as the least similar there is, so clusters are cliques of links

    The clusters are those of the whole search for the best pair at every step. No merge makes a cluster more
    like another one, so the first merges are the best and the later ones, the slow ones, need not be known.
    A heap of links; when two clusters join, the one with fewer links hands its links over: O(E log^2 E) at
    most, about 90 bytes a link.
    """
    a, b, weights = links.pairs()
    sizes, counts = groups or (np.ones(len(links), np.int64), np.ones(len(weights), np.int32))
    order = np.flatnonzero((weights >= tau) & (weights > -np.inf))
    order = order[np.argsort(-weights[order], kind="stable")]  # of equals the first pair first
    most = max(0, len(links) - clusters)
    table = _filled((a, b, weights, counts), len(links), linkage == "complete")
    until = linkage == "complete", tau, most
    indptr, others = links.indptr, links.others
    chains = indptr[:-1].copy(), indptr[1:] - 1, np.arange(1, len(others) + 1), np.diff(indptr)
    found = _joined(others, chains, (a, b, weights), order, (table, sizes.copy()), until)
    return Merges.of(len(links), *found)


@njit(cache=True)
def _joined(
    others: NDArray[np.int32],
    chains: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    pairs: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]],
    order: NDArray[np.intp],
    known: tuple[Table, NDArray[np.int64]],
    until: tuple[bool, float, int],
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    """The merges.

    chains: where in `others` that of each cluster begins and ends, what follows on each place, their lengths
    """
    complete, tau, most = until
    head, tail, following, listed = chains
    n = len(head)
    table, size = known
    used = len(pairs[0])
    heap = [(0.0, 0, 0)]  # of what joined clusters have; single links come sorted
    heap.pop()
    first = 0
    parent = np.arange(n, dtype=np.int32)
    met = np.full(n, -1, np.int64)
    a, b, level = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.float64)
    count = 0
    while count < most and (first < len(order) or len(heap) > 0):
        similarity, x, y, first = _best(heap, pairs, order, first)
        if parent[x] != x or parent[y] != y:
            continue
        at = _slot(table.key, _key(x, y, n))
        if _similarity(table.value[at], table.links[at], size[x] * size[y], complete) != -similarity:
            continue
        keep, drop = (x, y) if listed[x] >= listed[y] else (y, x)
        a[count], b[count], level[count] = keep, drop, -similarity
        parent[drop] = keep
        size[keep] += size[drop]
        place = head[drop]
        for _ in range(listed[drop]):
            other = root_of(parent, others[place])
            place = following[place]
            if other == keep or met[other] == count:
                continue
            met[other] = count
            if used + 1 > FULL * len(table.key):
                table, used = _anew(table, parent, drop)
            new, more = _handed_over(table, drop, keep, other, n, complete)
            used += more
            joined = _similarity(table.value[new], table.links[new], size[keep] * size[other], complete)
            if joined >= tau and joined > -np.inf:
                heappush(heap, (-joined, int(min(keep, other)), int(max(keep, other))))
        following[tail[keep]] = head[drop]
        tail[keep] = tail[drop]
        listed[keep] += listed[drop]
        count += 1
    return a[:count], b[:count], level[:count]


@njit(cache=True)
def _best(
    heap: list[tuple[float, int, int]],
    pairs: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]],
    order: NDArray[np.intp],
    first: int,
) -> tuple[float, int, int, int]:
    """The better of the heap's best and the next link, taken from there, and which link is next."""
    if first < len(order):
        at = order[first]
        link = -float(pairs[2][at]), int(pairs[0][at]), int(pairs[1][at])
        if len(heap) == 0 or link < heap[0]:
            return link[0], link[1], link[2], first + 1
    best = heappop(heap)
    return best[0], best[1], best[2], first


@njit(cache=True)
def _handed_over(table: Table, drop: int, keep: int, other: int, n: int, complete: bool) -> tuple[int, int]:
    """Adds what `drop` has with `other` to what `keep` has: its slot, and 1 if that is a new one."""
    key, value, links = table
    old = _slot(key, _key(drop, other, n))
    new = _slot(key, _key(keep, other, n))
    more = int(key[new] == FREE)
    if more:
        key[new], value[new], links[new] = _key(keep, other, n), value[old], links[old]
    else:
        value[new] = min(value[new], value[old]) if complete else value[new] + value[old]
        links[new] += links[old]
    links[old] = HANDED_OVER
    return new, more


@njit(cache=True)
def _similarity(value: float, links: int, pairs: int, complete: bool) -> float:
    if complete:
        return value if links == pairs else -np.inf
    return value / links


@njit(cache=True)
def _key(a: int, b: int, n: int) -> int:
    return int(np.int64(min(a, b)) * n + max(a, b))


@njit(cache=True)
def _slot(key: NDArray[np.int64], wanted: int) -> int:
    """Where `wanted` is, or the free place where it belongs."""
    mixed = np.uint64(wanted) * TURN
    mixed = (mixed ^ (mixed >> np.uint64(30))) * FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * SECOND
    mask = len(key) - 1
    at = np.int64(mixed >> np.uint64(20)) & mask
    while key[at] not in (FREE, wanted):
        at = np.int64(at + 1) & mask
    return int(at)


@njit(cache=True)
def _filled(
    pairs: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32], NDArray[np.int32]],
    n: int,
    complete: bool,
) -> Table:
    left, right, weights, counts = pairs
    slots = 16
    while slots * FULL < 1.3 * len(left):
        slots *= 2
    key = np.full(slots, FREE, np.int64)
    value = np.empty(slots, np.float64)
    count = np.ones(slots, np.int32)
    for at in range(len(left)):
        wanted = _key(left[at], right[at], n)
        slot = _slot(key, wanted)
        total = np.float64(weights[at])  # of a mean it is exact, and so is the mean of it
        key[slot], value[slot], count[slot] = wanted, total if complete else total * counts[at], counts[at]
    return Table(key, value, count)


@njit(cache=True)
def _anew(table: Table, parent: NDArray[np.int32], drop: int) -> tuple[Table, int]:
    """The table without the clusters that are no more, and how many places it fills; `drop` is about to go."""
    n = len(parent)
    fresh = Table(
        np.full(len(table.key), FREE, np.int64), np.empty_like(table.value), np.empty_like(table.links)
    )
    key, value, count = fresh
    used = 0
    for at in range(len(table.key)):
        wanted = table.key[at]
        if wanted == FREE:
            continue
        a, b = wanted // n, wanted % n
        alive = (parent[a] == a or a == drop) and (parent[b] == b or b == drop)
        if alive and table.links[at] != HANDED_OVER:
            slot = _slot(key, wanted)
            key[slot], value[slot], count[slot] = wanted, table.value[at], table.links[at]
            used += 1
    return fresh, used
