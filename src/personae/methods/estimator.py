"""What every published method shares: it is a scikit-learn clusterer on a kNN graph."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClusterMixin

from personae.data.faceset import FaceSet
from personae.graph.exact import knn_graph
from personae.graph.knn_graph import KnnGraph


class GraphClusterer(ClusterMixin, BaseEstimator):
    """A method that needs nothing but each face's `k` nearest faces; a subclass says how they become labels.

    labels_: (N,) int32, 0..C-1 in the order of the first faces
    """

    k: int
    labels_: NDArray[np.int32]

    def fit(self, X: FaceSet | ArrayLike | KnnGraph, y: Any = None) -> Self:
        """Clusters X: a FaceSet, features (N, d), or a graph that is there already; `y` is not looked at."""
        self.labels_ = self._labels(X if isinstance(X, KnnGraph) else knn_graph(X, self.k))
        return self

    def _labels(self, graph: KnnGraph) -> NDArray[np.int32]:
        raise NotImplementedError
