"""HDBSCAN on links: the density at which people separate is found for each by itself.

Campello, Moulavi and Sander, "Density-based clustering based on hierarchical density estimates", PAKDD 2013.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personae.clustering.noise import with_noise
from personae.errors import InputError
from personae.graph.condensed_tree import condensed_tree, excess_of_mass
from personae.graph.knn_graph import KnnGraph
from personae.graph.merges import Merges
from personae.graph.mutual_reachability import mutual_reachability
from personae.graph.spanning import spanning_forest


@dataclass(frozen=True)
class ExcessOfMass:
    """People are the groups of `min_cluster_size` faces or more that last longest as the density rises.

    min_samples: faces, itself counted, that make the crowd a face's density is read from; None takes
                 `min_cluster_size`

    Density is 1 / (1 - cosine), cosines above 0.999999 counting as that. Only links of the graph are looked
    at; parts that no link joins come apart at density 0. O(E log E) for E links.
    """

    min_cluster_size: int = 5
    min_samples: int | None = None

    def __post_init__(self) -> None:
        if self.min_cluster_size < 2:
            raise InputError(f"min_cluster_size is {self.min_cluster_size}; it needs to be at least 2")

    def cluster(self, graph: KnnGraph) -> NDArray[np.int32]:
        """(N,) int32, 0..C-1 in the order of the first faces; each face of noise is a cluster of one."""
        return self.cluster_and_noise(graph)[0]

    def cluster_and_noise(self, graph: KnnGraph) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """The labels, and (N,) bool, which faces are noise.

        InputError: `min_samples` below 1, or more than the lists hold.
        """
        samples = self.min_cluster_size if self.min_samples is None else self.min_samples
        links = mutual_reachability(graph, samples)
        forest = spanning_forest(links)
        known = forest.similarity > -np.inf
        merges = Merges(len(links), forest.a[known], forest.b[known], forest.similarity[known])
        return with_noise(links, excess_of_mass(condensed_tree(merges, self.min_cluster_size)))
