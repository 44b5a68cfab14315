"""Single linkage: every chain of links is one person."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personae.data.constraints import Constraints
from personae.graph.components import component_labels, first_seen
from personae.graph.constrained import Contracted, forest_apart, softened
from personae.graph.knn_graph import KnnGraph
from personae.graph.links import symmetric_links


@dataclass(frozen=True)
class Components:
    """Two faces share a person if a chain of links of weight `tau` or above joins them.

    Easy to reason about; one wrong link joins two people for good. O(N k). With constraints the strongest link
    is followed first, and one whose two parts hold two people is not followed; O(N k log N k).
    """

    tau: float = 0.5

    def cluster(self, graph: KnnGraph, constraints: Constraints | None = None) -> NDArray[np.int32]:
        """(N,) int32, 0..C-1 in the order of the first faces. InputError: constraints of other faces."""
        if constraints is None:
            return component_labels(graph.at_least(self.tau))
        links = symmetric_links(softened(graph, constraints), self.tau)
        contracted = Contracted.of(links, constraints, "single")
        return first_seen(forest_apart(contracted).at_least(self.tau)[contracted.node])
