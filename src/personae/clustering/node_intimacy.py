"""Graph refinement by node intimacy: a link stays if its two faces share most of their links.

Shen et al., "Structure-Aware Face Clustering on a Large-Scale Graph with 10^7 Nodes", CVPR 2021, section 3.4;
the rule that depends on the degree is of the journal version, TPAMI 2023.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.errors import InputError
from personae.graph.components import component_labels
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.graph.threads import Span, in_threads, spans


@dataclass(frozen=True)
class NodeIntimacy:
    """Chains of links are people, of those links whose NI = max(C_ij / n_i, C_ij / n_j) is above `tau`.

    C_ij counts the m with links i -> m -> j, n is the number of links of a face. A bridge between two people
    has intimacy 0. So has the only link of a couple, which never stays as published; with `own` each face is
    among its own links, and couples stay. O(N k^2) at worst.

    tau:       in [0, 1)
    by_degree: whether `tau` falls for faces of few links, tau / (0.85^(10 q) + 1) with q of 1 below 10 links,
               2 below 20 and 3 above, as in the journal version, where tau is 0.78
    own:       whether a face counts among its own links
    """

    tau: float = 0.72
    by_degree: bool = False
    own: bool = False

    def cluster(self, graph: KnnGraph) -> NDArray[np.int32]:
        """(N,) int32, 0..C-1 in the order of the first faces; every link that is there counts as one.

        InputError: tau outside of [0, 1).
        """
        if not 0 <= self.tau < 1:
            raise InputError(f"tau is {self.tau}; a share of common links needs to be from 0 to below 1")
        share = intimacy(graph, own=self.own)
        least: Any = self.tau
        if self.by_degree:
            degree = (graph.neighbors != NOBODY).sum(axis=1) + self.own
            other = degree[graph.neighbors]
            q = np.minimum(np.minimum(degree[:, None], other) // 10, 2) + 1
            least = self.tau / (0.85 ** (10.0 * q) + 1)
        kept = (graph.neighbors != NOBODY) & (share > np.float32(least))  # a share of just tau is a tie
        del share
        return component_labels(graph.where(kept))


def intimacy(graph: KnnGraph, *, own: bool = False) -> NDArray[np.float32]:
    """(N, k) float32 in [0, 1], the node intimacy of each link, 0 where there is none or the other has none.

    own: whether each face counts among its own links
    """
    parts = spans(len(graph))
    lists, degree = np.empty_like(graph.neighbors), np.empty(len(graph), np.int32)
    share = np.zeros(graph.neighbors.shape, np.float32)
    in_threads(_close_gaps, parts, graph.neighbors, lists, degree)
    in_threads(_share, parts, graph.neighbors, (lists, degree), own, share)
    return share


@njit(cache=True, nogil=True)
def _close_gaps(
    span: Span, neighbors: NDArray[np.int32], lists: NDArray[np.int32], degree: NDArray[np.int32]
) -> None:
    """The links of each face without gaps, and how many they are."""
    for face in range(*span):
        degree[face] = 0
        for rank in range(neighbors.shape[1]):
            if neighbors[face, rank] != NOBODY:
                lists[face, degree[face]] = neighbors[face, rank]
                degree[face] += 1


@njit(cache=True, nogil=True)
def _share(
    span: Span,
    neighbors: NDArray[np.int32],
    links: tuple[NDArray[np.int32], NDArray[np.int32]],
    own: bool,
    share: NDArray[np.float32],
) -> None:
    lists, degree = links
    k = neighbors.shape[1]
    size = 16
    while size < 4 * k:
        size *= 2
    for face in range(*span):
        keys = np.full(size, NOBODY, np.int32)  # a hash table from a linked face to its rank
        ranks = np.empty(size, np.int32)
        common = np.zeros(k, np.int32)
        for rank in range(k):
            if neighbors[face, rank] != NOBODY:
                place = _place(keys, neighbors[face, rank])
                keys[place], ranks[place] = neighbors[face, rank], rank
        for step in range(degree[face]):
            middle = lists[face, step]
            for far in range(degree[middle]):
                place = _place(keys, lists[middle, far])
                if keys[place] != NOBODY:
                    common[ranks[place]] += 1
        for rank in range(k):
            other = neighbors[face, rank]
            if other != NOBODY and degree[other] > 0:
                both = common[rank] + 2 * own  # through either end of the link itself
                least = min(degree[face], degree[other]) + own
                share[face, rank] = min(both / least, 1)


@njit(cache=True)
def _place(keys: NDArray[np.int32], face: int) -> Any:
    """Where the face is in the hash table, or where it would go."""
    last = len(keys) - 1
    place = (face * 2654435761) >> 7 & last
    while keys[place] != NOBODY and keys[place] != face:
        place = place + 1 & last
    return place
