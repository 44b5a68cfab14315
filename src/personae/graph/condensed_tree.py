"""The condensed tree of a dendrogram, and the clusters in it that last longest.

Campello, Moulavi, Zimek and Sander, "Hierarchical density estimates for data clustering, visualization, and
outlier detection", ACM TKDD 10(1), 2015, sections 4 and 5.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.graph.components import root_of
from personae.graph.merges import Merges

CLOSEST = 1e-6  # 1 - cosine of the closest pair that is told apart
NONE = -1


class CondensedTree(NamedTuple):
    """The clusters of at least so many faces, a parent before its parts; number 0 is everybody.

    parent:    (C,) int32, NONE for cluster 0
    stability: (C,) float64, the sum over its faces of how long they stay, in 1 / (1 - cosine)
    last:      (N,) int32, the smallest cluster each face is in
    """

    parent: NDArray[np.int32]
    stability: NDArray[np.float64]
    last: NDArray[np.int32]


def condensed_tree(merges: Merges, min_cluster_size: int) -> CondensedTree:
    """Walks down the dendrogram; a cluster splits where two parts or more of that size come apart.

    Smaller parts fall out of their cluster. All that comes apart at one level does so at once, so that ties,
    which mutual reachability makes many of, are not broken by chance. Parts that nothing joins come apart at
    level 0, where everything began. O(N).
    """
    left, right, size, joined = _dendrogram(merges.faces, merges.a, merges.b)
    tops = np.flatnonzero(~joined).astype(np.int32)  # the nodes that nothing joins
    return CondensedTree(*_condensed(left, right, size, tops, merges.similarity, min_cluster_size))


def excess_of_mass(tree: CondensedTree) -> NDArray[np.int32]:
    """(N,) int32, the selected cluster of each face, NONE for noise.

    The selected clusters do not overlap and have the largest sum of stabilities; everybody, cluster 0, is
    never selected.
    """
    return _selected(*tree)


@njit(cache=True)
def _condensed(
    left: NDArray[np.int32],
    right: NDArray[np.int32],
    size: NDArray[np.int32],
    tops: NDArray[np.int32],
    similarity: NDArray[np.float64],
    least: int,
) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.int32]]:
    n = len(size) - len(left)
    parent = np.full(n + 2, NONE, np.int32)
    birth = np.zeros(n + 2)
    stability = np.zeros(n + 2)
    last = np.zeros(n, np.int32)
    clusters = 1
    todo = [(-1, 0)]  # a node and the cluster it is in; -1 stands for everybody
    while len(todo) > 0:
        node, cluster = todo.pop()
        if node < 0:
            level, parts = 0.0, tops
        else:
            level = 1 / max(1 - similarity[node - n], CLOSEST)
            parts = _parts(node, n, left, right, similarity)
        big = 0
        for part in parts:
            big += size[part] >= least
        for part in parts:
            if size[part] < least:
                stability[cluster] += size[part] * (level - birth[cluster])
                _put(last, part, cluster, n, left, right)
            elif big == 1:
                todo.append((part, cluster))
            else:
                stability[cluster] += size[part] * (level - birth[cluster])
                parent[clusters], birth[clusters] = cluster, level
                todo.append((part, clusters))
                clusters += 1
    return parent[:clusters], stability[:clusters], last


@njit(cache=True)
def _dendrogram(
    n: int, a: NDArray[np.int32], b: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], NDArray[np.bool_]]:
    """The two parts of each merge, how many faces a node holds, and whether something joins it.

    Nodes 0..N-1 are the faces, N + m is merge m.
    """
    left = np.empty(len(a), np.int32)
    right = np.empty(len(a), np.int32)
    size = np.ones(n + len(a), np.int32)
    joined = np.zeros(n + len(a), np.bool_)
    parent = np.arange(n, dtype=np.int32)
    node = np.arange(n, dtype=np.int32)
    for at in range(len(a)):
        x, y = root_of(parent, a[at]), root_of(parent, b[at])
        left[at], right[at] = node[x], node[y]
        joined[node[x]] = joined[node[y]] = True
        size[n + at] = size[node[x]] + size[node[y]]
        parent[max(x, y)] = min(x, y)
        node[min(x, y)] = n + at
    return left, right, size, joined


@njit(cache=True)
def _parts(
    node: int,
    n: int,
    left: NDArray[np.int32],
    right: NDArray[np.int32],
    similarity: NDArray[np.float64],
) -> NDArray[np.int32]:
    """Into which nodes a node falls at its level: more than two where merges below have the same one."""
    parts = [left[node - n], right[node - n]]
    at = 0
    while at < len(parts):
        part = parts[at]
        if part >= n and similarity[part - n] == similarity[node - n]:
            parts[at] = left[part - n]
            parts.append(right[part - n])
        else:
            at += 1
    return np.array(parts)


@njit(cache=True)
def _put(
    last: NDArray[np.int32],
    node: int,
    cluster: int,
    n: int,
    left: NDArray[np.int32],
    right: NDArray[np.int32],
) -> None:
    """Writes the cluster of all faces of a node."""
    below = [node]
    while len(below) > 0:
        part = below.pop()
        if part < n:
            last[part] = cluster
        else:
            below.append(left[part - n])
            below.append(right[part - n])


@njit(cache=True)
def _selected(
    parent: NDArray[np.int32], stability: NDArray[np.float64], last: NDArray[np.int32]
) -> NDArray[np.int32]:
    of_parts = np.zeros(len(parent))
    selected = np.zeros(len(parent), np.bool_)
    for cluster in range(len(parent) - 1, 0, -1):
        selected[cluster] = of_parts[cluster] <= stability[cluster]
        of_parts[parent[cluster]] += max(stability[cluster], of_parts[cluster])
    owner = np.full(len(parent), NONE, np.int32)
    for cluster in range(1, len(parent)):
        owner[cluster] = owner[parent[cluster]]
        if owner[cluster] == NONE and selected[cluster]:
            owner[cluster] = cluster
    return owner[last]
