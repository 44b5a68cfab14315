"""C1C: FINCH's rounds for tracks, where some are known to be two people; the map equation ends them.

After Kalogeiton and Zisserman, "Constrained video face clustering using 1NN relations", BMVC 2020. The choice
of the level is this project's, as in `FINCH`.
"""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personae.clustering.agglomeration import MOST
from personae.clustering.c1c import constrained_partitions, joined_down
from personae.data.constraints import Constraints
from personae.data.faceset import FaceSet
from personae.graph.components import first_seen
from personae.graph.knn_graph import KnnGraph
from personae.methods.estimator import (
    FeatureClusterer,
    counting_copies_once,
    graph_of,
    refuse_crowds,
    tracks_of,
)
from personae.methods.finch import codelengths, finest, refuse_no_alpha


class C1C(FeatureClusterer):
    """Every track joins the closest one that it may join, then cluster joins cluster; nothing is trained.

    It believes that the closest track is of the same person unless it is known not to be, so nobody is left
    alone but by constraints. Without those it is `FINCH`, with its faults: clusters grow three- to fivefold
    from one level to the next, and the right number of people may lie between two of them. It is made for
    films, where most people are seen again and again. O(T^2 d) time and 8 T^2 bytes for T tracks, at most
    20,000.

    n_clusters: this many people, made of the coarsest level that has as many; else the level is chosen
                without labels
    k:          neighbors a track that the choice looks at
    alpha:      false links a track that are put up with in the choice

    hierarchy_:   (L, N) int32, every partition, finest first
    codelengths_: (L,) float64, bits a step on each; the least belongs to `labels_` where no number is given
    """

    of_faces = ("labels_", "hierarchy_")

    def __init__(self, n_clusters: int | None = None, k: int = 80, alpha: float = 1e-3) -> None:
        self.n_clusters = n_clusters
        self.k = k
        self.alpha = alpha

    @counting_copies_once
    def fit(
        self,
        X: FaceSet | ArrayLike,
        y: Any = None,
        *,
        graph: KnnGraph | None = None,
        constraints: Constraints | None = None,
    ) -> Self:
        """Clusters X, a FaceSet or features (N, d): faces, or the mean features of tracks.

        graph:       the kNN graph of X where that is there already; not looked at if faces form tracks
        constraints: faces of a group are one track and stand for it by their mean; hard pairs are never joined

        InputError: a graph in place of features or of other faces, what `FaceSet.of` refuses, k below 1, an
        alpha of 0 or less, more than 20,000 tracks, constraints of others, an `n_clusters` that cannot be
        reached.
        """
        tracks, apart, track = tracks_of(self._faces(X), constraints)
        refuse_no_alpha(self.alpha, len(tracks))
        refuse_crowds(tracks, MOST, "C1C", "FINCH or Auto, or tracks instead of faces")
        graph = graph_of(tracks, graph if len(tracks) == len(track) else None, self.k)
        levels = constrained_partitions(tracks.features, apart)
        self.codelengths_ = codelengths(tracks, graph, levels, self.alpha)
        self.hierarchy_: NDArray[np.int32] = np.array([first_seen(level[track]) for level in levels])
        if self.n_clusters is None:
            self.labels_ = self.hierarchy_[finest(self.codelengths_)]
        else:
            self.labels_ = first_seen(joined_down(tracks.features, levels, apart, self.n_clusters)[track])
        return self
