"""NDDe: how many random steps arrive at a face, a density that is about 1 in people of any size.

Chen et al., "On Mitigating Hard Clusters for Face Clustering", ECCV 2022: neighborhood-diffusion density.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from personae.graph.knn_graph import NOBODY, KnnGraph

STAY = 0.1  # d, the share of a face's density that stays
CHANGE = 0.05  # of all densities, in shares of their sum, at which they are taken as final


def diffusion_density(steps: KnnGraph) -> NDArray[np.float32]:
    """(N,) float32 with mean 1: rho_j = sum of P_ij over all i, one random step from everywhere.

    steps: P_ij, rows that sum to 1, from `transitions`
    """
    return _arrived(_matrix(steps), np.ones(len(steps))).astype(np.float32)


def stationary_density(steps: KnnGraph) -> NDArray[np.float32]:
    """(N,) float32 with mean 1: rho = d rho + (1 - d) P^T rho from rho = 1 on, until it hardly changes.

    steps: P_ij, rows that sum to 1, from `transitions`
    """
    matrix = _matrix(steps)
    density = np.ones(len(steps))
    while True:
        after = STAY * density + (1 - STAY) * _arrived(matrix, density)
        change = np.abs(after - density).sum() / len(steps)
        density = after
        if change < CHANGE:
            return density.astype(np.float32)  # so that equals stay equal whatever the order of the sums


def _matrix(steps: KnnGraph) -> csr_array:
    kept = steps.neighbors != NOBODY
    indptr = np.concatenate([[0], kept.sum(axis=1).cumsum()])
    weights = steps.similarities[kept].astype(np.float64)
    return csr_array((weights, steps.neighbors[kept], indptr), shape=(len(steps), len(steps)))


def _arrived(matrix: csr_array, density: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(matrix.T @ density, dtype=np.float64)
