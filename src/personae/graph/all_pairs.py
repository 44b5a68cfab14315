"""The cosines of all pairs of faces, and agglomeration on them."""

from typing import Any, Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.graph.exact import cosine_of
from personae.graph.merges import Merges
from personae.graph.threads import Span, in_threads, spans

LINKAGES = ("single", "average", "complete")
SINGLE, AVERAGE = 0, 1


def content_order(features: NDArray[np.floating[Any]]) -> NDArray[np.intp]:
    """(N,) an order of the faces that depends on their bytes and not on where they stand; only equals tie."""
    rows = np.ascontiguousarray(features)
    return np.argsort(rows.view(f"V{rows.shape[1] * rows.itemsize}").reshape(-1), kind="stable")


def all_cosines(features: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """(N, N) float32, symmetric to the bit, the values of `knn_graph`; the diagonal is -inf.

    features: (N, d) unit rows
    """
    wide = np.ascontiguousarray(features, dtype=np.float32)
    cosines = np.empty((len(wide), len(wide)), np.float32)
    in_threads(_fill, spans((len(wide) + 1) // 2), wide, cosines)
    return cosines


def merges_of_pairs(
    similarity: NDArray[np.float32],
    linkage: Literal["single", "average", "complete"],
    size: NDArray[np.integer[Any]] | None = None,
) -> Merges:
    """Agglomeration by chains of nearest neighbors. O(N^2) time, in place: `similarity` is overwritten.

    similarity: (N, N) float32, symmetric, -inf on the diagonal and where two clusters must never be in one
    size:       (N,) faces that each of the N stands for, one each unless given

    Murtagh, "A survey of recent advances in hierarchical clustering algorithms", Computer Journal 26, 1983.
    """
    faces = np.ones(len(similarity)) if size is None else size.astype(np.float64)
    return Merges.of(len(similarity), *_chained(similarity, LINKAGES.index(linkage), faces))


@njit(cache=True, nogil=True)
def _fill(span: Span, features: NDArray[np.float32], cosines: NDArray[np.float32]) -> None:
    for stripe in range(*span):
        for a in (stripe, len(features) - 1 - stripe):  # a short row with a long one
            cosines[a, a] = -np.inf
            for b in range(a):
                cosines[a, b] = cosines[b, a] = cosine_of(features[a], features[b])


@njit(cache=True)
def _chained(
    similarity: NDArray[np.float32], linkage: int, size: NDArray[np.float64]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    """Follows nearest neighbors until two clusters are each other's, joins them, and goes on from there.

    A joined cluster keeps the row of one of the two; the other's row and column become -inf. A cluster whose
    row is -inf all along stays as it is.
    """
    n = len(similarity)
    a = np.empty(n - 1, np.int32)
    b = np.empty(n - 1, np.int32)
    level = np.empty(n - 1, np.float32)
    chain = np.empty(n, np.int32)
    length, first, step = 0, 0, 0
    while step < n - 1:
        if length == 0:
            while first < n and size[first] == 0:
                first += 1
            if first == n:
                break
            chain[0], length = first, 1
        while True:
            tip = chain[length - 1]
            row = similarity[tip]
            best = chain[length - 2] if length > 1 else (0 if tip else 1)  # of equals, back along the chain
            for other in range(n):
                if row[other] > row[best]:
                    best = other
            if row[best] == -np.inf or (length > 1 and best == chain[length - 2]):
                break
            chain[length] = best
            length += 1
        if length == 1:  # nobody it may join
            size[tip] = 0
            length = 0
            continue
        length -= 2
        keep, drop = min(tip, best), max(tip, best)
        a[step], b[step], level[step] = keep, drop, similarity[keep, drop]
        of_keep, of_drop = size[keep] / (size[keep] + size[drop]), size[drop] / (size[keep] + size[drop])
        for other in range(n):
            if other not in (keep, drop) and size[other] > 0:
                x, y = similarity[keep, other], similarity[drop, other]
                joined = np.float32(of_keep * x + of_drop * y) if linkage == AVERAGE else min(x, y)
                if linkage == SINGLE and joined > -np.inf:
                    joined = max(x, y)
                similarity[keep, other] = similarity[other, keep] = joined
            similarity[drop, other] = similarity[other, drop] = -np.inf
        size[keep] += size[drop]
        size[drop] = 0
        step += 1
    return a[:step], b[:step], level[:step]
