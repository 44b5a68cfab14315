"""Density peaks with diffusion density and transition overlap.

Chen et al., "On Mitigating Hard Clusters for Face Clustering", ECCV 2022: NDDe and TPDi without the
trained similarity.
"""

import numpy as np
from numpy.typing import NDArray

from personae.clustering.density_tree import DensityTree
from personae.errors import InputError
from personae.graph.density import diffusion_density, stationary_density
from personae.graph.knn_graph import KnnGraph
from personae.graph.lists import itself_counted
from personae.graph.transitions import transitions
from personae.link.transition_overlap import TransitionOverlap
from personae.methods.estimator import GraphClusterer


class DensityPeaks(GraphClusterer):
    """Each face follows the neighbor whose surroundings are most like its own and at least as dense.

    Density is how many random steps arrive at a face, about 1 in people of any size, so small and sparse
    people are not swallowed by large ones. The paper trains the similarity that all this starts from; on raw
    cosines the widths `sigma` belong to the embedder. The graph may as well hold the probabilities of a link
    model. O(N^2 d) for the graph, O(N k^2) after.

    k:             length of the lists that overlap, the face itself counted; a longer graph is cut to it
    tau:           overlap S that a link needs to exceed; the paper's distance 0.7 is 1 - tau
    sigma:         width of a neighborhood for the overlap, in cosine
    nearest:       length of the lists for the density, the face itself counted; may be above `k`
    sigma_density: width of a neighborhood for the density, in cosine
    exact:         the density of a long random walk instead of one step
    """

    counts_itself = True

    def __init__(
        self,
        k: int = 80,
        tau: float = 0.3,
        sigma: float = 0.05,
        nearest: int = 20,
        sigma_density: float = 0.5,
        exact: bool = False,
    ) -> None:
        self.k = k
        self.tau = tau
        self.sigma = sigma
        self.nearest = nearest
        self.sigma_density = sigma_density
        self.exact = exact

    def list_length(self, faces: int) -> int:
        return max(self.k, self.nearest)

    def _labels(self, graph: KnnGraph) -> NDArray[np.int32]:
        if not 0 <= self.tau <= 1:
            raise InputError(f"tau is {self.tau}; it needs to be an overlap, from 0 to 1")
        steps = transitions(itself_counted(graph, self.nearest), self.sigma_density)
        density = stationary_density(steps) if self.exact else diffusion_density(steps)
        links = TransitionOverlap(self.sigma).link(itself_counted(graph, self.k))
        return DensityTree(self.tau).cluster(links, density)
