"""The faces one could follow: denser neighbors, with the graph among them.

Yang et al., "Learning to Cluster Faces via Confidence and Connectivity Estimation", CVPR 2020, section 3.3.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray
from scipy.sparse import csr_array

from personae.graph.knn_graph import NOBODY, KnnGraph

SHARES = 16  # the faces are dealt out in so many runs, each with N marks of its own


@dataclass(frozen=True)
class Candidates:
    """S_i of each of N faces: its neighbors of higher confidence, in the order of its list.

    ranks: (N, k) int32, the ranks of the candidates, first those that are there, then -1
    count: (N,) int64, how many there are
    order: (N,) int64, the faces from the least confident to the most
    """

    ranks: NDArray[np.int32]
    count: NDArray[np.int64]
    order: NDArray[np.int64]

    @classmethod
    def of(cls, graph: KnnGraph, density: NDArray[np.float32]) -> "Candidates":
        """Of equally dense faces the first counts as denser, so that equals stay together."""
        order = np.lexsort((-np.arange(len(graph)), density)).astype(np.int64)
        place = np.empty(len(graph), dtype=np.int64)
        place[order] = np.arange(len(graph))
        ranks, count = _denser(graph.neighbors, place)
        return cls(ranks, count, order)

    def most_confident(self, share: float) -> NDArray[np.int64]:
        """The faces of highest confidence, in order of their number."""
        kept = round(share * len(self.order))
        return np.sort(self.order[len(self.order) - kept :])

    def buckets(self, faces: NDArray[np.int64], rows: int) -> Iterator[NDArray[np.int64]]:
        """Those with candidates in groups of like many, at most `rows` of these with the padding."""
        faces = faces[self.count[faces] > 0]
        faces = faces[np.argsort(-self.count[faces], kind="stable")]
        start = 0
        while start < len(faces):
            stop = start + max(1, rows // int(self.count[faces[start]]))
            yield faces[start:stop]
            start = stop


def candidate_graphs(
    graph: KnnGraph, candidates: Candidates, faces: NDArray[np.int64], matrix: csr_array
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Ranks (B, n) of the candidates, -1 for padding, and A~[S_i, S_i] (B, n, n) float32, rows that sum to 1.

    n is the largest number of candidates of these faces. Rows and columns of padding are 0.
    """
    widest = int(candidates.count[faces].max())
    ranks = candidates.ranks[faces, :widest].astype(np.int64)
    nodes = np.where(ranks < 0, NOBODY, graph.neighbors[faces[:, None], ranks])
    return ranks, _graphs(nodes, matrix.indptr, matrix.indices, matrix.data)


@njit(parallel=True, cache=True)
def _denser(neighbors: NDArray[np.int32], place: NDArray[np.int64]) -> Any:
    n, k = neighbors.shape
    ranks = np.full((n, k), -1, np.int32)
    count = np.zeros(n, np.int64)
    for face in prange(n):
        found = 0
        for rank in range(k):
            other = neighbors[face, rank]
            if other >= 0 and place[other] > place[face]:
                ranks[face, found] = rank
                found += 1
        count[face] = found
    return ranks, count


@njit(parallel=True, cache=True)
def _graphs(
    nodes: NDArray[np.int64],
    indptr: NDArray[np.int32],
    indices: NDArray[np.int32],
    weights: NDArray[np.float32],
) -> Any:
    count, widest = nodes.shape
    graphs = np.zeros((count, widest, widest), np.float32)
    for share in prange(SHARES):
        place = np.full(len(indptr) - 1, -1, np.int32)
        for at in range(share * count // SHARES, (share + 1) * count // SHARES):
            for column in range(widest):
                if nodes[at, column] >= 0:
                    place[nodes[at, column]] = column
            for row in range(widest):
                node = nodes[at, row]
                if node < 0:
                    continue
                total = np.float32(0)
                for link in range(indptr[node], indptr[node + 1]):
                    if place[indices[link]] >= 0:
                        graphs[at, row, place[indices[link]]] = weights[link]
                        total += weights[link]
                for column in range(widest):
                    graphs[at, row, column] /= total
            for column in range(widest):
                if nodes[at, column] >= 0:
                    place[nodes[at, column]] = -1
    return graphs
