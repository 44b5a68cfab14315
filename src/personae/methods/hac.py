"""HAC: hierarchical agglomeration with single, average or complete linkage.

Sibson, "SLINK: an optimally efficient algorithm for the single-link cluster method", Computer Journal 16, 1973;
Sokal and Michener, "A statistical method for evaluating systematic relationships", 1958 (average linkage).
"""

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personae.clustering.agglomeration import MOST, Agglomeration
from personae.data.constraints import Constraints
from personae.data.faceset import FaceSet
from personae.errors import refuse_no_cosine
from personae.graph.knn_graph import KnnGraph
from personae.methods.estimator import ConstrainedClusterer, as_faces, counting_copies_once


class HAC(ConstrainedClusterer):
    """The two most alike clusters are joined, again and again, while they are `tau` alike or more.

    Single linkage believes that one close pair makes two clusters one person, so one wrong pair joins two
    people for good; complete linkage believes that no two faces of a person are ever far apart, so it tears
    people with many poses; average linkage lies between and is the one to take. All believe in one `tau` for
    everybody, which belongs to the embedder.

    Up to 20,000 faces given as features all pairs are looked at: exact, O(N^2 d) time, O(N d) memory for
    single linkage and 4 N^2 bytes for the others. From there on, and for a graph, only links count: see
    `Agglomeration` for what becomes of a pair without one. Average linkage then knows of two clusters only
    what their closest faces say, so it joins more than on all pairs; complete linkage cannot build a person
    of more than k + 1 faces.

    linkage:    "single", "average" or "complete"
    tau:        cosine of the cut; 0.7408 is the Euclidean distance of 0.72 of the published tables
    n_clusters: cut at this many clusters instead; `tau` is not looked at then
    k:          neighbors a face, where a graph is searched
    """

    def __init__(
        self,
        linkage: Literal["single", "average", "complete"] = "single",
        tau: float = 0.7408,
        n_clusters: int | None = None,
        k: int = 80,
    ) -> None:
        self.linkage = linkage
        self.tau = tau
        self.n_clusters = n_clusters
        self.k = k

    @counting_copies_once
    def fit(
        self, X: FaceSet | ArrayLike | KnnGraph, y: Any = None, *, constraints: Constraints | None = None
    ) -> Self:
        """Clusters X: a FaceSet, features (N, d), or a graph that is there already; `y` is not looked at.

        InputError: what `FaceSet.of` refuses, another linkage, an `n_clusters` that cannot be reached,
        constraints of other faces.
        """
        faces = X if isinstance(X, KnnGraph) else as_faces(X)
        if isinstance(faces, KnnGraph) or len(faces) > MOST:
            self.labels_ = self._held(self._graph(faces), constraints)
            return self
        self.labels_ = self._clusterer().cluster_all_pairs(faces.features, constraints)
        self.n_features_in_ = faces.dimension
        return self

    def _held(self, graph: KnnGraph, constraints: Constraints | None) -> NDArray[np.int32]:
        return self._clusterer().cluster(graph, constraints)

    def _clusterer(self) -> Agglomeration:
        refuse_no_cosine(self.tau)
        return Agglomeration(self.tau, self.linkage, self.n_clusters)
