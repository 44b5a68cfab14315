"""The kNN graph and what is computed on it; NumPy and numba, never torch."""

from personae.graph.adjacency import canonical_order, directed, undirected
from personae.graph.components import component_labels, first_seen
from personae.graph.exact import neighbor_recall
from personae.graph.knn_graph import KnnGraph
from personae.graph.map_equation import codelength, map_equation_labels
from personae.graph.search import knn_graph, near_recall

__all__ = [
    "KnnGraph",
    "canonical_order",
    "codelength",
    "component_labels",
    "directed",
    "first_seen",
    "knn_graph",
    "map_equation_labels",
    "near_recall",
    "neighbor_recall",
    "undirected",
]
