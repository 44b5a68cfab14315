"""Pseudo-label propagation: components, and a higher threshold for those that grew too large.

Zhan et al., "Consensus-Driven Propagation in Massive Unlabeled Data for Face Recognition", ECCV 2018; also the
last step of L-GCN and the first of GCN-D.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personae.graph.capped_components import capped_components
from personae.graph.knn_graph import KnnGraph


@dataclass(frozen=True)
class Propagation:
    """Chains of links are people; those of more than `max_size` faces are cut at a threshold that rises.

    The threshold starts at the least weight and goes up by `step` of what is left to 1, again and again, for
    the faces that are still in too large a component. Components are found whole and then measured, so that no
    order of visits matters, where the published programs stop a search at `max_size`; what is still too large
    after 100 passes stays as it is, where they make one cluster of all that is left. Where a pair is linked in
    both lists with two weights, the larger counts. O(N k), and O(k) a pass for each face that is left.

    max_size: faces a person
    step:     in (0, 1)
    """

    max_size: int = 600
    step: float = 0.05

    def cluster(self, graph: KnnGraph) -> NDArray[np.int32]:
        """(N,) int32, 0..C-1 in the order of the first faces; a face without links is a cluster of one.

        InputError: max_size below 1, or step outside of (0, 1).
        """
        return capped_components(graph, self.max_size, self.step)
