"""TPDi: two faces are as similar as the places where a random step from each of them leads.

Chen et al., "On Mitigating Hard Clusters for Face Clustering", ECCV 2022: the transition-probability distance.
"""

from dataclasses import dataclass

from personae.graph.knn_graph import KnnGraph
from personae.graph.transitions import shared, transitions


@dataclass(frozen=True)
class TransitionOverlap:
    """S_ij = sum of sqrt(P_im P_jm) over the faces m in both lists, 1 - the paper's distance.

    P_im = exp(-d_im / sigma) / sum_m exp(-d_im / sigma) over the list of i, the face itself in it, with
    d = 1 - s for the similarities s of the graph: cosines, or the probabilities of a link model. O(N k^2).

    sigma: width of the neighborhood, in similarity
    """

    sigma: float = 0.05

    def link(self, graph: KnnGraph) -> KnnGraph:
        """Every neighbor with its weight S_ij, in [0, 1].

        InputError: sigma is not above 0.
        """
        steps = transitions(graph, self.sigma)
        roots = steps.linked(steps.similarities**0.5)
        return graph.linked(shared(roots, "product")[:, 1:].clip(max=1))
