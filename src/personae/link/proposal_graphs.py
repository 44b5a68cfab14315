"""The graphs among the faces of proposals, ragged and packed, and what leads out of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.link.proposals import Proposals


def symmetric(graph: KnnGraph) -> csr_array:
    """(N, N) CSR float32, the larger of both directions' weights, none of 0 or less."""
    n = len(graph)
    rows, ranks = np.nonzero((graph.neighbors != NOBODY) & (graph.similarities > 0))
    weights = graph.similarities[rows, ranks].astype(np.float32)
    links = csr_array((weights, (rows.astype(np.int32), graph.neighbors[rows, ranks])), shape=(n, n))
    both = links.maximum(links.T).tocsr()
    both.sort_indices()
    return both


@dataclass(frozen=True)
class ProposalGraphs:
    """The links of a matrix among the members of each of P proposals, M members in all.

    inside:  (M, M) CSR float32, block-diagonal, rows and columns in the order of the members
    outside: (M, 2) float32, the sum and the largest of a member's weights that lead out
    pull:    (P,) float32, the largest sum of weights between all members and one face outside
    """

    inside: csr_array
    outside: NDArray[np.float32]
    pull: NDArray[np.float32]

    @classmethod
    def of(cls, matrix: csr_array, proposals: Proposals) -> "ProposalGraphs":
        """Of symmetric links, (N, N) CSR float32. O(M) rows of the matrix."""
        indptr = np.asarray(matrix.indptr, dtype=np.int64)
        indices = np.asarray(matrix.indices, dtype=np.int32)
        packed = (indptr, indices, matrix.data, proposals.faces, proposals.offsets)
        starts, outside, pull = _outside(*packed)
        columns, values = _inside(*packed, starts[-1])
        m = len(proposals.faces)
        return cls(csr_array((values, columns, starts), shape=(m, m)), outside, pull)

    def averaging(self) -> csr_array:
        """(M, M) CSR float32, D~^-1 (A + I): each member's own row with weight 1, rows that sum to 1."""
        m = self.inside.shape[0]
        eye = csr_array((np.ones(m, np.float32), np.arange(m), np.arange(m + 1)), shape=(m, m))
        both = (self.inside + eye).tocsr()
        both.data /= np.repeat(np.asarray(both.sum(axis=1)).ravel(), np.diff(both.indptr))
        return both


@njit(cache=True)
def _outside(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    weights: NDArray[np.float32],
    faces: NDArray[np.int32],
    offsets: NDArray[np.int64],
) -> Any:
    """Where the row of each member starts in the links inside, what leads out of it, and the pull."""
    n, m = len(indptr) - 1, len(faces)
    member = np.zeros(n, np.bool_)  # of the proposal at hand
    starts = np.zeros(m + 1, np.int32)
    out = np.zeros((m, 2), np.float32)
    pull = np.zeros(len(offsets) - 1, np.float32)
    towards = np.zeros(n, np.float32)  # sums of weights to each face outside
    for p in range(len(offsets) - 1):
        members = faces[offsets[p] : offsets[p + 1]]
        member[members] = True
        for at in range(offsets[p], offsets[p + 1]):
            starts[at + 1] = starts[at]
            for link in range(indptr[faces[at]], indptr[faces[at] + 1]):
                other = indices[link]
                if member[other]:
                    starts[at + 1] += 1
                    continue
                out[at, 0] += weights[link]
                out[at, 1] = max(out[at, 1], weights[link])
                towards[other] += weights[link]
                pull[p] = max(pull[p], towards[other])
        for face in members:
            towards[indices[indptr[face] : indptr[face + 1]]] = 0
        member[members] = False
    return starts, out, pull


@njit(cache=True)
def _inside(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    weights: NDArray[np.float32],
    faces: NDArray[np.int32],
    offsets: NDArray[np.int64],
    count: int,
) -> Any:
    """Columns and values of the `count` links inside."""
    place = np.full(len(indptr) - 1, -1, np.int32)  # of a face among the members of the proposal at hand
    columns = np.empty(count, np.int32)
    values = np.empty(count, np.float32)
    end = 0
    for p in range(len(offsets) - 1):
        for at in range(offsets[p], offsets[p + 1]):
            place[faces[at]] = at
        for at in range(offsets[p], offsets[p + 1]):
            for link in range(indptr[faces[at]], indptr[faces[at] + 1]):
                other = place[indices[link]]
                if other >= 0:
                    columns[end], values[end] = other, weights[link]
                    end += 1
        for at in range(offsets[p], offsets[p + 1]):
            place[faces[at]] = -1
    return columns, values
