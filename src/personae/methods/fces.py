"""FC-ES: edge probabilities from shared neighbors, lists that stop early, the map equation.

Liu, "Face Clustering via Early Stopping and Edge Recall", arXiv 2408.13431, 2024: the part without training.
"""

import numpy as np
from numpy.typing import NDArray

from personae.clustering.map_equation import MapEquation
from personae.data.constraints import Constraints
from personae.graph.knn_graph import KnnGraph
from personae.graph.lists import a_tenth_of, itself_counted
from personae.link.edge_probability import EdgeProbability
from personae.methods.estimator import ConstrainedClusterer


class FCES(ConstrainedClusterer):
    """Each face keeps its neighbors until one shares too few faces with it; the map equation finds the people.

    It believes that people have dozens of faces and that mates share most of their list. `sigma` is a width in
    squared distance, so it belongs to the embedder: where strangers are close to each other (dlib), every
    list looks like its neighbors' lists. The walk of the map equation is directed. O(N^2 d) for the graph,
    O(N k^2) for the links.

    k:     length of the lists, the face itself counted; a longer graph is cut to it, and lists of small
           collections to a tenth of the faces
    theta: edge probability at which a list ends
    sigma: width of a neighborhood, in squared distance
    """

    counts_itself = True

    def __init__(self, k: int = 80, theta: float = 0.22, sigma: float = 0.5) -> None:
        self.k = k
        self.theta = theta
        self.sigma = sigma

    def list_length(self, faces: int) -> int:
        return min(self.k, a_tenth_of(faces) + 1)

    def _held(self, graph: KnnGraph, constraints: Constraints | None) -> NDArray[np.int32]:
        lists = itself_counted(graph, self.list_length(len(graph)))
        links = EdgeProbability(self.theta, self.sigma).link(lists)
        return MapEquation(directed=True).cluster(links, constraints)
