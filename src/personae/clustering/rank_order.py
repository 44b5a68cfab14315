"""Rank-order clustering: clusters merge where they stand high in each other's lists and are dense there.

Zhu, Wen and Sun, "A Rank-Order Distance based Clustering Algorithm for Face Tagging", CVPR 2011.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.errors import InputError
from personae.graph.adjacency import canonical_order
from personae.graph.components import component_labels, first_seen
from personae.graph.exact import before
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.graph.sorting import sort_both
from personae.graph.threads import Span, in_threads, spans


@dataclass(frozen=True)
class RankOrder:
    """Pairs of clusters with D_R < t and D_N < 1 merge, all at once, until none does.

    O_a(b) is the rank of b in the list of a, O_a(a) = 0, f_a(i) the cluster at rank i. With
    D(a, b) = sum of O_b(f_a(i)) for i = 0..O_a(b), D_R = (D(a, b) + D(b, a)) / min(O_a(b), O_b(a)).
    The lists are sorted by the Euclidean distance d(a, b) of the closest faces of a and b; D_N = d(a, b) over
    the mean distance of the faces of both to their `nearest` nearest faces. Clusters at distance 0 have D_N 0.

    The paper sorts all faces for each face. There is no need: D_R is at least 1 + the larger of the two ranks,
    so a pair of D_R < t holds no rank of t - 1 or more, and no term of its sums reaches t (t - 1). So lists of
    t (t - 1) clusters, 182, give the same pairs. Where the kNN graph shows fewer clusters than that around a
    cluster, which happens if k is below t (t - 1) or people have nearly k faces, the clusters that are not
    shown count as infinitely far. With k = N - 1 nothing is left out. O(N k) for the first pass; later ones,
    often hundreds, read the lists once and look again only where a list changed. At most 16 N k bytes beyond
    the graph.
    """

    t: float = 14
    nearest: int = 9

    def cluster(self, graph: KnnGraph, k: int | None = None) -> NDArray[np.int32]:
        """(N,) int32, 0..C-1 in the order of the first faces.

        graph: cosines
        k:     ranks that are compared, of lists that may hold more for the usual distance; None: all

        InputError: nearest below 1; t negative or not finite.
        """
        if self.nearest < 1 or not 0 <= self.t < math.inf:
            raise InputError(
                f"nearest is {self.nearest} and t is {self.t}; nearest needs to be at least 1, t at least 0"
            )
        around = _mean_distance(graph.nearest(self.nearest))
        graph = graph if k is None else graph.nearest(k)
        similarities = graph.similarities.astype(np.float32, copy=False)
        near = max(math.ceil(self.t) - 2, 0)  # ranks below t - 1
        count = len(graph)
        reach = math.ceil(self.t * abs(self.t - 1))
        width = min(2 * reach, 2 * graph.k, count - 1)  # room for entries that merge
        labels = np.empty(count, dtype=np.int32)  # a cluster has the number of one of its faces
        labels[canonical_order(graph)] = np.arange(count, dtype=np.int32)  # so that ties go by content
        lists = _Lists(
            np.full((count, width), NOBODY, dtype=np.int32),
            np.zeros((count, width), dtype=np.float32),
            np.ones(count, dtype=np.bool_),
            np.ones(count, dtype=np.bool_),
        )
        near = min(near, width)
        pairs = _Pairs(
            np.zeros((count, near)), np.zeros((count, near), dtype=np.int32), np.ones(count, dtype=np.bool_)
        )
        now = np.arange(count, dtype=np.int32)
        changed = np.ones(count, dtype=np.bool_)
        parts = spans(count)
        while changed.any():
            crowd = _Crowd.of(labels, now, changed)
            listed = graph.neighbors, similarities
            in_threads(_renew, parts, listed, crowd, lists, min(reach, width))
            in_threads(_renew_pairs, parts, lists, pairs)
            scale = np.bincount(labels, weights=around, minlength=count).astype(np.float64)
            links = np.full((count, near), NOBODY, dtype=np.int32)  # to the clusters that each merges with
            in_threads(_join, parts, lists, pairs, (scale, crowd.size), float(self.t), links)
            group = component_labels(KnnGraph(links, np.ones(links.shape, dtype=np.float32)))
            _, first, size = np.unique(group, return_index=True, return_counts=True)
            changed = size[group] > 1
            now = first.astype(np.int32)[group]
            labels = now[labels]
        return first_seen(labels)


def _mean_distance(graph: KnnGraph) -> NDArray[np.float64]:
    """(N,) the mean Euclidean distance of each face to its neighbors, 0 without any."""
    there = graph.neighbors != NOBODY
    distance = np.sqrt((2 - 2 * graph.similarities.astype(np.float64)).clip(min=0))
    total = distance.sum(axis=1, where=there)
    return np.asarray(total / there.sum(axis=1).clip(min=1))


class _Crowd(NamedTuple):
    """Who is in which cluster. Clusters bear the number of one of their faces, 0..N-1, in canonical order.

    labels:  (N,) int32, the cluster of each face
    order:   (N,) int64, the faces of cluster 0, then those of cluster 1, ...
    start:   (N + 1,) int64, where in `order` they begin
    size:    (N,) int64, 0 for numbers that are no longer in use
    now:     (N,) int32, the cluster in which each cluster of the last pass is now
    changed: (N,) bool, whether that has more faces than before
    """

    labels: NDArray[np.int32]
    order: NDArray[np.int64]
    start: NDArray[np.int64]
    size: NDArray[np.int64]
    now: NDArray[np.int32]
    changed: NDArray[np.bool_]

    @classmethod
    def of(cls, labels: NDArray[np.int32], now: NDArray[np.int32], changed: NDArray[np.bool_]) -> "_Crowd":
        size = np.bincount(labels, minlength=len(labels)).astype(np.int64)
        start = np.concatenate([[0], size.cumsum()])
        return cls(labels, np.argsort(labels, kind="stable").astype(np.int64), start, size, now, changed)


class _Lists(NamedTuple):
    """The clusters around each cluster.

    clusters: (N, L) int32, closest first, -1 after the last that is known
    closest:  (N, L) float32, the highest similarity of faces of the two
    whole:    (N,) bool, whether there was room for all
    fresh:    (N,) bool, whether this pass has changed the list
    """

    clusters: NDArray[np.int32]
    closest: NDArray[np.float32]
    whole: NDArray[np.bool_]
    fresh: NDArray[np.bool_]


class _Pairs(NamedTuple):
    """What cluster b and the cluster a at one of its first R ranks are to each other.

    half:  (N, R) float64, D(a, b); infinite if a term is not known
    back:  (N, R) int32, 1 + the rank of b in the list of a; 0 if it is not among the first R
    fresh: (N,) bool, whether this pass has changed a list that the row depends on
    """

    half: NDArray[np.float64]
    back: NDArray[np.int32]
    fresh: NDArray[np.bool_]


@njit(cache=True, nogil=True)
def _renew(
    span: Span,
    graph: tuple[NDArray[np.int32], NDArray[np.float32]],
    crowd: _Crowd,
    lists: _Lists,
    reach: int,
) -> None:
    """Brings lists up to date: of clusters that changed, anew; of others, with entries that merged.

    A list that merging left with less than `reach` entries, and that is not whole, is made anew as well.
    """
    neighbors, similarities = graph
    labels, order, start, size, now, changed = crowd
    clusters, closest, whole, fresh = lists
    count, width = clusters.shape
    seen_by = np.full(count, -1, np.int64)
    best = np.empty(count, np.float32)
    found = np.empty(count, np.int32)
    keys = np.empty(count, np.int64)
    for own in range(*span):
        if size[own] == 0:
            clusters[own, :1] = NOBODY  # the list of a number that is no longer in use
            fresh[own] = False
            continue
        fresh[own] = changed[own] or _any_moved(clusters[own], now)
        if not fresh[own]:
            continue
        if not changed[own]:
            entries = _merged_entries(clusters[own], closest[own], now, seen_by, own)
            if whole[own] or entries >= reach:
                continue
        founds = 0
        for at in range(start[own], start[own + 1]):
            for rank in range(neighbors.shape[1]):
                if neighbors[order[at], rank] < 0 or labels[neighbors[order[at], rank]] == own:
                    continue
                other, similarity = labels[neighbors[order[at], rank]], similarities[order[at], rank]
                if seen_by[other] != count + own:
                    seen_by[other] = count + own
                    best[other] = similarity
                    found[founds] = other
                    founds += 1
                best[other] = max(best[other], similarity)
        for at in range(founds):
            keys[at] = before(best[found[at]], found[at])
        sort_both(keys[:founds], found[:founds])
        whole[own] = founds <= width
        for rank in range(width):
            clusters[own, rank] = found[rank] if rank < founds else NOBODY
            closest[own, rank] = best[found[rank]] if rank < founds else 0


@njit(cache=True)
def _any_moved(clusters: NDArray[np.int32], now: NDArray[np.int32]) -> bool:
    """Whether a cluster of a list is now another one."""
    for rank in range(len(clusters)):
        if clusters[rank] < 0:
            break
        if now[clusters[rank]] != clusters[rank]:
            return True
    return False


@njit(cache=True)
def _merged_entries(
    clusters: NDArray[np.int32],
    closest: NDArray[np.float32],
    now: NDArray[np.int32],
    seen_by: NDArray[np.int64],
    own: int,
) -> int:
    """How many entries a list has after each stands for the cluster it is in now, the closest of each kept."""
    kept = 0
    for rank in range(len(clusters)):
        if clusters[rank] < 0:
            break
        other = now[clusters[rank]]
        if seen_by[other] != own:
            seen_by[other] = own
            clusters[kept], closest[kept] = other, closest[rank]
            kept += 1
    clusters[kept:] = NOBODY
    return kept


@njit(cache=True, nogil=True)
def _renew_pairs(span: Span, lists: _Lists, pairs: _Pairs) -> None:
    """Brings the pairs up to date wherever a list changed."""
    clusters, _, _, changed = lists
    half, back, fresh = pairs
    count, near = half.shape
    width = clusters.shape[1]
    rank_of = np.zeros(count, np.int32)
    listed_by = np.full(count, -1, np.int32)
    for b in range(*span):
        fresh[b] = changed[b]
        for rank in range(near):
            if clusters[b, rank] < 0:
                break
            fresh[b] |= changed[clusters[b, rank]]
        if not fresh[b]:
            continue
        half[b], back[b] = 0, 0
        for rank in range(width):
            if clusters[b, rank] < 0:
                break
            rank_of[clusters[b, rank]] = rank + 1
            listed_by[clusters[b, rank]] = b
        for rank in range(near):
            a = clusters[b, rank]
            if a < 0:
                break
            total = rank + 1.0  # O_b(a)
            for at in range(near):
                between = clusters[a, at]
                if between < 0:
                    break
                if between == b:
                    half[b, rank] = total
                    back[b, rank] = at + 1
                    break
                total += rank_of[between] if listed_by[between] == b else np.inf


@njit(cache=True, nogil=True)
def _join(
    span: Span,
    lists: _Lists,
    pairs: _Pairs,
    around: tuple[NDArray[np.float64], NDArray[np.int64]],
    t: float,
    links: NDArray[np.int32],
) -> None:
    """Links what is close enough; pairs as they were do not merge now either."""
    clusters, closest, _, _ = lists
    half, back, fresh = pairs
    scale, size = around
    for b in range(*span):
        for rank in range(half.shape[1]):
            if not fresh[b] or back[b, rank] == 0:
                continue
            a, place = clusters[b, rank], back[b, rank] - 1
            apart = (half[b, rank] + half[a, place]) / min(rank + 1, back[b, rank])
            similarity = np.float64(max(closest[b, rank], closest[a, place]))
            distance = np.sqrt(max(2 - 2 * similarity, 0.0))
            usual = (scale[a] + scale[b]) / (size[a] + size[b])
            if apart < t and (distance < usual or distance == 0):
                links[b, rank] = a
