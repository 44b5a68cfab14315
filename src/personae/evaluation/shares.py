"""What each identity adds to the sums behind the pairwise and BCubed scores.

Both scores are ratios of sums over faces. With the sums kept by identity, any choice of identities can be
scored without touching the faces again: those of one size, or a bootstrap sample. The clusters stay as they
are: an identity that is left out still counts as an impurity where it lies.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personae.evaluation.contingency import Contingency
from personae.evaluation.pairwise import score_of_pairs
from personae.evaluation.score import Score


@dataclass(frozen=True)
class Shares:
    """Sums over the faces of each identity, (A,) float64 each; pairs are ordered and begin with such a face.

    faces:     its faces, a_a
    together:  pairs of one identity in one cluster, sum_b n_ab (n_ab - 1)
    found:     pairs in one cluster, whoever the other is, sum_b n_ab (b_b - 1)
    true:      pairs of one identity, a_a (a_a - 1)
    precision: BCubed precision of its faces, sum_b n_ab^2 / b_b
    recall:    BCubed recall of its faces, sum_b n_ab^2 / a_a
    """

    faces: NDArray[np.float64]
    together: NDArray[np.float64]
    found: NDArray[np.float64]
    true: NDArray[np.float64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]

    def pairwise(self, times: NDArray[np.int64], *, zero_division: float = 1.0) -> Score:
        """The pairwise score when identity a counts times[a] times; (A,) int."""
        together, found, true = (_total(part, times) for part in (self.together, self.found, self.true))
        return score_of_pairs(together, found, true, zero_division)

    def bcubed(self, times: NDArray[np.int64]) -> Score:
        """The BCubed score when identity a counts times[a] times; (A,) int, not all 0."""
        faces, precision, recall = (_total(part, times) for part in (self.faces, self.precision, self.recall))
        return Score.of(precision / faces, recall / faces)


def shares_of(table: Contingency) -> Shares:
    """The shares of the identities of a table."""
    a, n = table.identity, table.count
    size, cluster_size = table.identity_sizes, table.cluster_sizes[table.cluster]

    def by_identity(cell: NDArray[np.int64] | NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(a, weights=cell).astype(np.float64)

    return Shares(
        faces=size.astype(np.float64),
        together=by_identity(n * (n - 1)),
        found=by_identity(n * (cluster_size - 1)),
        true=(size * (size - 1)).astype(np.float64),
        precision=by_identity(n * (n / cluster_size)),
        recall=by_identity(n * n) / size,
    )


def _total(part: NDArray[np.float64], times: NDArray[np.int64]) -> float:
    return float((part * times).sum())  # not a BLAS dot product, whose last bit depends on the threads
