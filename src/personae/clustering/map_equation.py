"""The map equation as a clusterer of link weights."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personae.graph.adjacency import canonical_order, directed, undirected
from personae.graph.knn_graph import KnnGraph
from personae.graph.map_equation import map_equation_labels


@dataclass(frozen=True)
class MapEquation:
    """A person is a group of faces that a random walk along the links stays in for long.

    One wrong link between two people does not join them, since the walk rarely takes it; a chain of faces
    without cross-links may be cut. Weights are positive, of any scale. Some dozens of looks at each link.

    directed: whether the walk follows links one way only, with teleportation, or both ways
    """

    directed: bool = False

    def cluster(self, graph: KnnGraph) -> NDArray[np.int32]:
        """(N,) int32, 0..C-1 in the order of the first faces; the same people for any order of the input."""
        links = directed(graph) if self.directed else undirected(graph)
        return map_equation_labels(links, directed=self.directed, order=canonical_order(graph))
