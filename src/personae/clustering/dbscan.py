"""DBSCAN on links: people grow from faces that have enough close neighbors.

Ester, Kriegel, Sander and Xu, "A density-based algorithm for discovering clusters in large spatial databases
with noise", KDD 1996, definitions 1 to 6.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.clustering.noise import with_noise
from personae.errors import InputError, refuse_no_cosine
from personae.graph.components import root_of
from personae.graph.knn_graph import KnnGraph
from personae.graph.links import symmetric_links


@dataclass(frozen=True)
class DensityReach:
    """Core faces that are linked are one person; a core has `min_samples` faces at cosine `tau` or above.

    A face counts among its own. One that is no core joins its closest core at `tau` or above, where the paper
    leaves the choice open; a face without one is noise. A link counts for both its faces, whoever lists it,
    so neither the direction of a list nor the order of the faces matters; still no face has more neighbors
    than the lists know of. With min_samples = 1 there is no noise, and the people are the connected
    components. O(N k log k).
    """

    tau: float
    min_samples: int = 1

    def __post_init__(self) -> None:
        refuse_no_cosine(self.tau)
        if self.min_samples < 1:
            raise InputError(f"min_samples is {self.min_samples}; it needs to be at least 1")

    def cluster(self, graph: KnnGraph) -> NDArray[np.int32]:
        """(N,) int32, 0..C-1 in the order of the first faces; each face of noise is a cluster of one."""
        return self.cluster_and_noise(graph)[0]

    def cluster_and_noise(self, graph: KnnGraph) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """The labels, and (N,) bool, which faces are noise."""
        links = symmetric_links(graph, self.tau)
        core = np.diff(links.indptr) + 1 >= self.min_samples
        found = _reached(links.indptr, links.others, links.weights, core)
        return with_noise(links, found)


@njit(cache=True)
def _reached(
    indptr: NDArray[np.int64], others: NDArray[np.int32], weights: NDArray[np.float32], core: NDArray[np.bool_]
) -> NDArray[np.int32]:
    """(N,) int32, a place of the person of each place, -1 for noise."""
    n = len(indptr) - 1
    parent = np.arange(n, dtype=np.int32)
    for a in range(n):
        for at in range(indptr[a], indptr[a + 1]):
            if core[a] and core[others[at]]:
                left, right = root_of(parent, a), root_of(parent, others[at])
                parent[max(left, right)] = min(left, right)
    found = np.full(n, -1, np.int32)
    for a in range(n):
        if core[a]:
            found[a] = root_of(parent, a)
            continue
        closest = np.float32(-np.inf)
        for at in range(indptr[a], indptr[a + 1]):
            if core[others[at]] and weights[at] > closest:
                closest, found[a] = weights[at], root_of(parent, others[at])
    return found
