"""The kNN graph and what is computed on it; NumPy and numba, never torch."""

from personae.graph.knn_graph import KnnGraph

__all__ = ["KnnGraph"]
