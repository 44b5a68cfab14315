"""Single linkage: every chain of links is one person."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personae.graph.components import component_labels
from personae.graph.knn_graph import KnnGraph


@dataclass(frozen=True)
class Components:
    """Two faces share a person if a chain of links of weight `tau` or above joins them.

    Easy to reason about; one wrong link joins two people for good. O(N k).
    """

    tau: float = 0.5

    def cluster(self, graph: KnnGraph) -> NDArray[np.int32]:
        """(N,) int32, 0..C-1 in the order of the first faces."""
        return component_labels(graph.at_least(self.tau))
