"""CDP, consensus-driven propagation: pairs that several models agree on, and components that stay small.

Zhan et al., "Consensus-Driven Propagation in Massive Unlabeled Data for Face Recognition", ECCV 2018,
without the learned mediator, which is `MediatedCDP`.
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personae.clustering.propagation import Propagation
from personae.data.faceset import FaceSet
from personae.graph.knn_graph import KnnGraph
from personae.graph.search import knn_graph
from personae.link.consensus import Consensus
from personae.methods.estimator import GraphClusterer, as_faces, counting_copies_once, refuse_short_lists


class CDP(GraphClusterer):
    """Neighbors above `tau` that the committee has too are pairs; chains of pairs are people, cut if too large.

    It believes that models err in different ways, so that what they agree on is right. With a single model it
    is a threshold on short lists, and `tau` belongs to the embedder and to the size of the collection;
    `max_size` keeps one false pair from joining whole crowds, and cuts people who have more faces. The
    published program drops faces without any pair; here they are lone faces. O(N^2 d) for each graph, O(N k^2)
    after.

    k:        length of the lists, of all models; longer graphs are cut to it
    tau:      cosine of the base model that a pair needs to exceed; 0.7 alone, 0.605 to 0.62 with four more
    accept:   votes of the committee that a pair needs; None: all
    max_size: faces a person
    step:     by which share of what is left to 1 the threshold rises for components that are too large
    """

    def __init__(
        self,
        k: int = 15,
        tau: float = 0.7,
        accept: int | None = None,
        max_size: int = 600,
        step: float = 0.05,
    ) -> None:
        self.k = k
        self.tau = tau
        self.accept = accept
        self.max_size = max_size
        self.step = step

    @counting_copies_once
    def fit(
        self,
        X: FaceSet | ArrayLike | KnnGraph,
        y: Any = None,
        *,
        committee: Sequence[FaceSet | ArrayLike | KnnGraph] = (),
    ) -> Self:
        """Clusters X; `committee` holds the same faces, in the same order, as seen by other models.

        InputError: a member has other faces or is a graph of shorter lists than `k`, or `accept` exceeds the
        number of members.
        """
        faces = X if isinstance(X, KnnGraph) else as_faces(X)
        members = [self._lists(member) for member in committee]
        links = Consensus(self.tau, self.accept).link(self._lists(faces), members)
        self.labels_ = self._labels(self._graph(links))
        if isinstance(faces, FaceSet):
            self.n_features_in_ = faces.dimension
        return self

    def _labels(self, graph: KnnGraph) -> NDArray[np.int32]:
        return Propagation(self.max_size, self.step).cluster(graph)

    def _lists(self, faces: FaceSet | ArrayLike | KnnGraph) -> KnnGraph:
        if not isinstance(faces, KnnGraph):
            return knn_graph(as_faces(faces), self.k)
        faces.refuse_own_faces()
        refuse_short_lists(faces, self.k)
        return faces.nearest(self.k)
