"""Density peaks on the kNN graph: every face follows its best neighbor that lies at least as dense.

Rodriguez and Laio, "Clustering by fast search and find of density peaks", Science 2014, on neighbor lists.
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
class DensityTree:
    """One link a face at most: to the neighbor of highest weight above `tau` whose density is not lower.

    A wrong link costs one branch of the tree, which may still be half a person. O(N k).

    ordered: whether of equally dense faces the first counts as denser; otherwise they follow each other, and
             may end up as a couple that follows nobody else
    """

    tau: float = 0.3
    ordered: bool = False

    def cluster(
        self,
        graph: KnnGraph,
        density: NDArray[np.floating[Any]],
        preference: NDArray[np.float32] | None = None,
    ) -> NDArray[np.int32]:
        """(N,) int32, 0..C-1 in the order of the first faces.

        density:    (N,) of any scale
        preference: (N, k), the neighbor to follow is the one where this is highest, and the link to it stays if
                    its weight is above `tau`; the weights themselves if left out

        InputError: as many densities as faces are needed, as many preferences as links.
        """
        if density.shape != (len(graph),):
            raise InputError(f"density has shape {density.shape}; {len(graph):,} faces need ({len(graph)},)")
        weights = graph.similarities.astype(np.float32, copy=False)
        chosen_by = weights if preference is None else preference
        if chosen_by.shape != weights.shape:
            raise InputError(f"preference has shape {chosen_by.shape}; the links have {weights.shape}")
        rank = np.full(len(graph), -1, np.intp)  # of the neighbor that each face follows, -1 for none
        in_threads(_follow, spans(len(graph)), graph.neighbors, chosen_by, density, self.ordered, rank)
        parent = np.full(len(graph), NOBODY, dtype=np.int32)
        found = np.flatnonzero(rank >= 0)
        found = found[weights[found, rank[found]].astype(np.float64) > self.tau]
        parent[found] = graph.neighbors[found, rank[found]]
        return component_labels(KnnGraph(parent[:, None], np.ones((len(graph), 1), dtype=np.float32)))


@njit(cache=True, nogil=True)
def _follow(
    span: Span,
    neighbors: NDArray[np.int32],
    preference: NDArray[np.float32],
    density: NDArray[np.floating[Any]],
    ordered: bool,
    followed: NDArray[np.intp],
) -> None:
    for face in range(*span):
        best = -np.inf
        for rank in range(neighbors.shape[1]):
            other = neighbors[face, rank]
            if other < 0 or not preference[face, rank] > best:
                continue
            equal = density[other] == density[face] and (other < face or not ordered)
            if density[other] > density[face] or equal:
                best = np.float64(preference[face, rank])
                followed[face] = rank
