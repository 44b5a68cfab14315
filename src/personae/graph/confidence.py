"""How far the links of a face and the people found agree."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.graph.adjacency import Csr, undirected
from personae.graph.knn_graph import KnnGraph
from personae.graph.threads import Span, in_threads, spans


def confidence(links: KnnGraph, labels: NDArray[np.int32]) -> NDArray[np.float32]:
    """(N,) float32 in [0, 1]: of the faces a face links to or shares a person with, the share that are both.

    links:  the kept links, of weights above 0; both directions count as in the undirected graph
    labels: (N,) int32, 0..C-1

    Of a large person at most k others are counted, as no list is longer. A lone face without any link scores
    1, a lone face that was cut off scores 0. Low values mark what to look at: chains, faces torn from a person.
    Memory as of `undirected`.
    """
    n, both = len(links), undirected(links)
    inside = np.zeros(n, np.int64)
    in_threads(_count_inside, spans(n), (both.indptr, both.indices, both.data), labels, inside)
    across = np.diff(both.indptr) - inside
    mates = np.minimum(np.bincount(labels)[labels] - 1, np.maximum(inside, links.k))
    union = mates + across
    share = np.divide(inside, union, out=np.ones(n), where=union > 0)
    return np.asarray(share, dtype=np.float32)


@njit(cache=True, nogil=True)
def _count_inside(span: Span, links: Csr, labels: NDArray[np.int32], inside: NDArray[np.int64]) -> None:
    """How many of the links of some faces are with their own person."""
    indptr, others, _ = links
    for face in range(span[0], span[1]):
        for at in range(indptr[face], indptr[face + 1]):
            if labels[others[at]] == labels[face]:
                inside[face] += 1
