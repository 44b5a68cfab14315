"""FINCH: first neighbors join, then the first neighbors of the clusters, and so on; the map equation ends it.

Sarfraz, Sharma and Stiefelhagen, "Efficient parameter-free clustering using first neighbor relations", CVPR
2019. The choice of the level is this project's: the paper leaves it to the user.
"""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personae.clustering.c1c import joined_down
from personae.clustering.finch import first_neighbor_partitions
from personae.data.constraints import Constraints
from personae.data.faceset import FaceSet
from personae.errors import InputError
from personae.graph.adjacency import undirected
from personae.graph.knn_graph import KnnGraph
from personae.graph.map_equation import codelength
from personae.link.strangers import Sample, Strangers, bell_floor, strangers_of
from personae.methods.estimator import FeatureClusterer, counting_copies_once, graph_of

SAMPLE = 1024  # faces that each face is compared with, as in `Auto`
ROUNDING = 1e-10  # bits by which equal descriptions may differ


class FINCH(FeatureClusterer):
    """Everybody joins the closest face, whoever that is, then cluster joins cluster; the level that fits best.

    It believes that the closest face is of the same person, so it has no threshold and leaves no face alone:
    a collection of lone faces falls into false pairs. From one partition to the next clusters grow three- to
    fivefold, and the right one may lie between two of them.

    The level is chosen without labels: neighbors closer than strangers come are linked, as in `Auto`, and the
    partition that describes a random walk along these links in the fewest bits (the map equation) is taken,
    the finer one of equals. This is done twice: first strangers are measured on the far side, then on the
    near side with the faces of a face's own cluster left out, if there are others. O(N^2 d) for the graph,
    O(C^2 d) for the C < N / 2 clusters of each later level, O(N (1024 d + k)) for the choice.

    k:          neighbors a face that the choice looks at; the partitions need but one
    alpha:      false links a face that are put up with in the choice
    n_clusters: this many people, made of the coarsest level that has as many; else the level is chosen

    hierarchy_:   (L, N) int32, every partition, finest first
    codelengths_: (L,) float64, bits a step on each, at the last look; the least belongs to `labels_` where
                  no number is given
    """

    of_faces = ("labels_", "hierarchy_")

    def __init__(self, k: int = 80, alpha: float = 1e-3, n_clusters: int | None = None) -> None:
        self.k = k
        self.alpha = alpha
        self.n_clusters = n_clusters

    @counting_copies_once
    def fit(self, X: FaceSet | ArrayLike, y: Any = None, *, graph: KnnGraph | None = None) -> Self:
        """Clusters X, a FaceSet or features (N, d); `graph` is its kNN graph where that is there already.

        InputError: a graph in place of features or of another number of faces, what `FaceSet.of` refuses,
        k below 1, an alpha of 0 or less, an `n_clusters` that cannot be reached or needs more than 20,000
        clusters joined.
        """
        faces = self._faces(X)
        refuse_no_alpha(self.alpha, len(faces))
        graph = graph_of(faces, graph, self.k)
        self.hierarchy_ = first_neighbor_partitions(faces.features, graph)
        self.codelengths_ = codelengths(faces, graph, self.hierarchy_, self.alpha)
        if self.n_clusters is None:
            self.labels_ = self.hierarchy_[finest(self.codelengths_)]
        else:
            nothing = Constraints.of(len(faces))
            self.labels_ = joined_down(faces.features, self.hierarchy_, nothing, self.n_clusters)
        return self


def codelengths(
    faces: FaceSet, graph: KnnGraph, hierarchy: NDArray[np.int32], alpha: float
) -> NDArray[np.float64]:
    """(L,) bits a step of each partition (L, N) on links that strangers do not reach, at the second look.

    At the first look where that takes all faces for one person: then there are no strangers for a second.
    """
    sample = Sample.among(faces.features, graph, SAMPLE)

    def bits(strangers: Strangers) -> NDArray[np.float64]:
        links = undirected(strangers.link(graph, bell_floor(alpha, len(graph))))
        return np.array([codelength(links, partition) for partition in hierarchy])

    first = bits(strangers_of(faces.features, sample, side="far"))
    guess = hierarchy[finest(first)]
    if not sample.has_strangers(guess):
        return first
    return bits(strangers_of(faces.features, sample, side="near", labels=guess))


def refuse_no_alpha(alpha: float, faces: int) -> None:
    """InputError unless a face may have so many false links."""
    if not 0 < alpha <= faces:
        raise InputError(f"alpha is {alpha}; it needs to be above 0 false links a face, such as 0.001")


def finest(bits: NDArray[np.float64]) -> int:
    """The first of the partitions that take the fewest bits, whatever rounding says of equals."""
    return int(np.flatnonzero(bits <= bits.min() + ROUNDING)[0])
