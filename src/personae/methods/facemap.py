"""FaceMap: outlier detection on each face's list, then the map equation.

Yu et al., "FaceMap: Towards Unsupervised Face Clustering via Map Equation", arXiv 2203.10090, 2022.
"""

from typing import Self

import numpy as np
from numpy.typing import NDArray

from personae.clustering.map_equation import MapEquation
from personae.data.constraints import Constraints
from personae.graph.knn_graph import KnnGraph
from personae.link.outlier_detection import OutlierDetection
from personae.methods.estimator import ConstrainedClusterer


class FaceMap(ConstrainedClusterer):
    """Each face keeps its neighbors up to the steepest fall of similarity; the map equation finds the people.

    It believes that everybody has some dozens of pictures: with the paper's k = 256 and window = 20 at least
    11 neighbors of each face are kept, so collections of lone faces collapse into false groups. There use
    `FaceMap.for_albums()`, or better `Auto`. No threshold. O(N^2 d) for the graph, O(N k) for the links.

    k:        K, neighbors a face; N - 1 where there are fewer
    window:   omega, steps in the window; shortened for small sets as `OutlierDetection` says
    directed: follow links one way, as the paper's text has it; its program and tables go both ways
    search:   "own", or "infomap" for the program that made the tables (pip install 'personae[infomap]')
    """

    def __init__(self, k: int = 256, window: int = 20, directed: bool = False, search: str = "own") -> None:
        self.k = k
        self.window = window
        self.directed = directed
        self.search = search

    @classmethod
    def for_albums(cls) -> Self:
        """Lists of 24 and the shortest window, for collections in which most people have few pictures."""
        return cls(k=24, window=4)

    def _held(self, graph: KnnGraph, constraints: Constraints | None) -> NDArray[np.int32]:
        return MapEquation(self.directed, self.search).cluster(
            OutlierDetection(self.window).link(graph), constraints
        )
