"""Spanning trees of largest similarity: all that single linkage and HDBSCAN need to know of a graph.

Kruskal, Proc. AMS 7, 1956, on links; Prim, Bell System Technical Journal 36, 1957, on all pairs of features.
"""

from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from personae.data.one_loop import ONE
from personae.graph.components import root_of
from personae.graph.exact import cosine_of
from personae.graph.links import Links
from personae.graph.merges import Merges


def spanning_forest(links: Links) -> Merges:
    """The single-linkage merges of the places, one tree a component. O(E log E), about 30 bytes a link."""
    a, b, weights = links.pairs()
    order = np.argsort(-weights, kind="stable")
    kept = order[_joining(len(links), a, b, order)]
    return Merges(len(links), a[kept], b[kept], weights[kept].astype(np.float64))


def spanning_tree(features: NDArray[np.floating[Any]]) -> Merges:
    """The single-linkage merges of N faces by all their pairs. O(N^2 d) time, O(N d) memory.

    features: (N, d) unit rows
    """
    wide = np.ascontiguousarray(features, dtype=np.float32)
    with ONE:
        return Merges.of(len(wide), *_grown(wide))


@njit(cache=True)
def _joining(
    faces: int, a: NDArray[np.int32], b: NDArray[np.int32], order: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Where in `order` the links are that join two parts."""
    parent = np.arange(faces, dtype=np.int32)
    joining = np.empty(max(faces - 1, 0), np.intp)
    count = 0
    for at in range(len(order)):
        left, right = root_of(parent, a[order[at]]), root_of(parent, b[order[at]])
        if left != right:
            parent[max(left, right)] = min(left, right)
            joining[count] = at
            count += 1
    return joining[:count]


@njit(parallel=True, cache=True)
def _grown(
    features: NDArray[np.float32],
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    n = len(features)
    nearest = np.full(n, -np.inf, np.float32)  # to any face of the tree
    source = np.zeros(n, np.int32)
    inside = np.zeros(n, np.bool_)
    a = np.empty(n - 1, np.int32)
    b = np.empty(n - 1, np.int32)
    similarity = np.empty(n - 1, np.float32)
    newest = 0
    for step in range(n - 1):
        inside[newest] = True
        row = features[newest]
        for face in prange(n):
            if not inside[face]:
                cosine = np.float32(cosine_of(row, features[face]))
                if cosine > nearest[face]:
                    nearest[face], source[face] = cosine, newest
        best = -1
        for face in range(n):
            if not inside[face] and (best < 0 or nearest[face] > nearest[best]):
                best = face
        a[step], b[step], similarity[step] = source[best], best, nearest[best]
        newest = best
    return a, b, similarity
