"""Links under must-links and cannot-links: faces that are one become one node, pairs that are two bar it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import coo_array

from personae.data.constraints import Constraints
from personae.data.pages import passing
from personae.graph.components import first_seen, root_of
from personae.graph.knn_graph import BLOCK, KnnGraph
from personae.graph.links import Links
from personae.graph.merges import Merges

Linkage = Literal["single", "average", "complete"]


def softened(graph: KnnGraph, constraints: Constraints) -> KnnGraph:
    """The graph in which each soft pair has lost its weight's share of the similarity, if that is above 0.

    InputError: constraints of another number of faces.
    """
    pairs, weight = constraints.held_by(len(graph)).soft()
    if not len(pairs):
        return graph
    similarities = graph.similarities.copy()
    for here in passing(len(pairs), BLOCK):
        for own, other in (pairs[here].T, pairs[here, ::-1].T):
            pair, rank = np.nonzero(graph.neighbors[own] == other[:, None])
            before = similarities[own[pair], rank]
            lowered = before * (1 - weight[here][pair])
            similarities[own[pair], rank] = np.where(before > 0, lowered, before)
    return graph.linked(similarities)


@dataclass(frozen=True)
class Contracted:
    """Links between G groups of faces that are one person each.

    node:  (N,) int32, the group of each face; groups are numbered by their places in the order of the links
    size:  (G,) int64, faces of each
    links: between groups; the weight is that of the linkage over the links of their faces, and -inf where
           two groups must not join
    count: (E,) int32, of how many links of faces each is made, in the order of `links.pairs()`
    """

    node: NDArray[np.int32]
    size: NDArray[np.int64]
    links: Links
    count: NDArray[np.int32]

    @classmethod
    def of(cls, links: Links, constraints: Constraints, linkage: Linkage) -> "Contracted":
        """The links, with the hard pairs among them. InputError: constraints of other faces."""
        place_node = first_seen(constraints.held_by(len(links)).group[links.order])
        node = np.empty_like(place_node)
        node[links.order] = place_node
        size = np.bincount(place_node).astype(np.int64)
        a, b, weights = links.pairs()
        ends = np.sort(np.stack([place_node[a], place_node[b]], axis=1), axis=1).astype(np.int64)
        apart = ends[:, 0] != ends[:, 1]
        barred = np.sort(node[constraints.hard], axis=1).astype(np.int64)
        keys = np.concatenate([ends[apart], barred]) @ np.array([len(size), 1])
        values = np.concatenate([weights[apart].astype(np.float64), np.full(len(barred), -np.inf)])
        order = np.lexsort((values, keys))
        key, start, count = np.unique(keys[order], return_index=True, return_counts=True)
        values = values[order]
        fold = {"single": np.maximum, "average": np.add, "complete": np.minimum}[linkage]
        joined = fold.reduceat(values, start) / (count if linkage == "average" else 1)
        weight = np.where(values[start] == -np.inf, -np.inf, joined).astype(np.float32)  # the least is first
        both = np.divmod(key, len(size))
        return cls(node, size, _linked(len(size), *both, weight), count.astype(np.int32))


def forest_apart(contracted: Contracted) -> Merges:
    """Single linkage from the most alike pair on; a pair whose two parts hold a barred pair is passed over.

    Kruskal's way, where each part knows what it is barred from. O(E log E + B log B).
    """
    a, b, weights = contracted.links.pairs()
    n = len(contracted.links)
    order = np.argsort(-weights, kind="stable")[: int((weights > -np.inf).sum())]
    barred = weights == -np.inf
    both = np.concatenate([np.stack([a[barred], b[barred]], axis=1), np.stack([b[barred], a[barred]], axis=1)])
    both = both[np.argsort(both[:, 0], kind="stable")]
    bar = np.concatenate([[0], np.bincount(both[:, 0], minlength=n).cumsum()])
    barred_by = both[:, 1].astype(np.int32)
    chains = bar[:-1].copy(), bar[1:] - 1, np.arange(1, len(both) + 1), np.diff(bar)
    kept = order[_joining_apart(a, b, order, barred_by, chains)]
    return Merges(n, a[kept], b[kept], weights[kept].astype(np.float64))


def contracted_pairs(
    similarity: NDArray[np.float32], constraints: Constraints, order: NDArray[np.intp], linkage: Linkage
) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.int64]]:
    """The similarities of groups, -inf of pairs that must stay apart; the groups of the faces; their sizes.

    similarity: (N, N) float32, symmetric, of faces in `order`; soft pairs are lowered in place
    """
    node = first_seen(constraints.held_by(len(order)).group[order])
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    pairs, weight = constraints.soft()
    for own, other in (place[pairs].T, place[pairs[:, ::-1]].T):
        here = similarity[own, other]
        similarity[own, other] = np.where(here > 0, here * (1 - weight), here)
    size = np.bincount(node).astype(np.int64)
    if len(size) < len(node):
        by_node, start = np.argsort(node, kind="stable"), np.concatenate([[0], size.cumsum()[:-1]])
        fold = {"single": np.maximum, "average": np.add, "complete": np.minimum}[linkage]
        grouped = similarity[np.ix_(by_node, by_node)]
        similarity = fold.reduceat(fold.reduceat(grouped, start, axis=0), start, axis=1)
        if linkage == "average":
            for row, own in zip(similarity, size, strict=True):
                np.divide(row, own * size, out=row, casting="same_kind")
    np.fill_diagonal(similarity, -np.inf)
    a, b = node[place[constraints.hard]].T
    similarity[a, b] = similarity[b, a] = -np.inf
    return similarity, node, size


def _linked(nodes: int, a: NDArray[np.int64], b: NDArray[np.int64], weights: NDArray[np.float32]) -> Links:
    """The links of pairs a < b, each there once and sorted."""
    at = np.arange(1, len(a) + 1)  # 0 would be no entry
    there = coo_array((np.tile(at, 2), (np.r_[a, b], np.r_[b, a])), shape=(nodes, nodes)).tocsr()
    there.sort_indices()
    indptr, others = there.indptr.astype(np.int64), there.indices.astype(np.int32)
    return Links(np.arange(nodes), indptr, others, weights[there.data - 1])


@njit(cache=True)
def _joining_apart(
    a: NDArray[np.int32],
    b: NDArray[np.int32],
    order: NDArray[np.intp],
    barred: NDArray[np.int32],
    chains: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
) -> NDArray[np.intp]:
    """Where in `order` the links are that join two parts which nothing keeps apart.

    chains: where in `barred` that of each part begins and ends, what follows on each place, and their lengths
    """
    head, tail, following, bars = chains
    n = len(head)
    parent = np.arange(n, dtype=np.int32)
    joining = np.empty(max(n - 1, 0), np.intp)
    count = 0
    for at in range(len(order)):
        left, right = root_of(parent, a[order[at]]), root_of(parent, b[order[at]])
        if left == right:
            continue
        few, many = (left, right) if bars[left] < bars[right] else (right, left)
        free, place = True, head[few]
        for _ in range(bars[few]):
            if root_of(parent, barred[place]) == many:
                free = False
                break
            place = following[place]
        if not free:
            continue
        keep, drop = min(left, right), max(left, right)
        parent[drop] = keep
        if bars[keep] == 0:
            head[keep], tail[keep] = head[drop], tail[drop]
        elif bars[drop] > 0:
            following[tail[keep]] = head[drop]
            tail[keep] = tail[drop]
        bars[keep] += bars[drop]
        joining[count] = at
        count += 1
    return joining[:count]
