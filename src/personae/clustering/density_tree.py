"""Density peaks on the kNN graph: every face follows its best neighbor that lies at least as dense.

Rodriguez and Laio, "Clustering by fast search and find of density peaks", Science 2014, on neighbor lists.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from personae.errors import InputError
from personae.graph.components import component_labels
from personae.graph.knn_graph import NOBODY, KnnGraph


@dataclass(frozen=True)
class DensityTree:
    """One link a face at most: to the neighbor of highest weight above `tau` whose density is not lower.

    A wrong link costs one branch of the tree, which may still be half a person. O(N k).
    """

    tau: float = 0.3

    def cluster(self, graph: KnnGraph, density: NDArray[np.floating[Any]]) -> NDArray[np.int32]:
        """(N,) int32, 0..C-1 in the order of the first faces.

        density: (N,) of any scale; equals may follow each other

        InputError: as many densities as faces are needed.
        """
        if density.shape != (len(graph),):
            raise InputError(f"density has shape {density.shape}; {len(graph):,} faces need ({len(graph)},)")
        weights = graph.similarities.astype(np.float32, copy=False)
        parent = _parents(graph.neighbors, weights, density, self.tau)
        return component_labels(KnnGraph(parent[:, None], np.ones((len(graph), 1), dtype=np.float32)))


@njit(parallel=True, cache=True)
def _parents(
    neighbors: NDArray[np.int32], weights: NDArray[np.float32], density: NDArray[np.floating[Any]], tau: float
) -> Any:
    parent = np.full(len(neighbors), NOBODY, np.int32)
    for face in prange(len(neighbors)):
        best = tau
        for rank in range(neighbors.shape[1]):
            other = neighbors[face, rank]
            if other >= 0 and weights[face, rank] > best and density[other] >= density[face]:
                best = np.float64(weights[face, rank])
                parent[face] = other
    return parent
