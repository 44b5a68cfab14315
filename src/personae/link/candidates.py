"""The faces one could follow: denser neighbors, with the graph among them.

Yang et al., "Learning to Cluster Faces via Confidence and Connectivity Estimation", CVPR 2020, section 3.3.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.graph.threads import Span, in_threads, spans


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
        ranks = np.full(graph.neighbors.shape, -1, np.int32)
        count = np.zeros(len(graph), np.int64)
        in_threads(_list_denser, spans(len(graph)), graph.neighbors, place, ranks, count)
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
    graphs = np.zeros((*nodes.shape, widest), np.float32)
    in_threads(_link, spans(len(nodes)), nodes, (matrix.indptr, matrix.indices, matrix.data), graphs)
    return ranks, graphs


@njit(cache=True, nogil=True)
def _list_denser(
    span: Span,
    neighbors: NDArray[np.int32],
    place: NDArray[np.int64],
    ranks: NDArray[np.int32],
    count: NDArray[np.int64],
) -> None:
    for face in range(*span):
        found = 0
        for rank in range(neighbors.shape[1]):
            other = neighbors[face, rank]
            if other >= 0 and place[other] > place[face]:
                ranks[face, found] = rank
                found += 1
        count[face] = found


@njit(cache=True, nogil=True)
def _link(
    span: Span,
    nodes: NDArray[np.int64],
    matrix: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]],
    graphs: NDArray[np.float32],
) -> None:
    indptr, indices, weights = matrix
    widest = nodes.shape[1]
    place = np.full(len(indptr) - 1, -1, np.int32)
    for at in range(*span):
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
