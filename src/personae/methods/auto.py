"""The default: links judged against strangers, then the map equation; nothing to choose."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personae.clustering.map_equation import MapEquation
from personae.data.faceset import FaceSet
from personae.errors import InputError
from personae.graph.confidence import confidence
from personae.graph.knn_graph import KnnGraph
from personae.link.false_links import StrangerPairs, least_width, lightest_tail
from personae.link.strangers import Sample, bell_floor, strangers_of
from personae.methods.estimator import FeatureClusterer, graph_of

ALPHA = 1e-3  # strangers a face that are nearer than the first two looks ask for
ROWS = 1 << 12  # faces whose strangers are looked at


def cluster(features: FaceSet | ArrayLike) -> NDArray[np.int32]:
    """(N,) int32, the person of each face, 0..C-1 in the order of the first faces: `Auto` as it comes.

    features: a FaceSet or (N, d) embeddings of any model, float32 at best

    InputError: not numbers, not two-dimensional, no face, NaN, infinite or zero rows.

    >>> cluster([[1, 0, 0]])
    array([0], dtype=int32)
    """
    labels: NDArray[np.int32] = Auto().fit(features).labels_
    return labels


class Auto(FeatureClusterer):
    """Two faces are linked if few of the links between faces as close as they are can be between strangers.

    Each face is compared with some of the others; the level and spread of those log distances say how close
    a stranger can come, whatever the embedder. They are looked at three times. First from the far side, which a
    face's own person does not reach even where it is five sixths of the collection, and all faces are given the
    middle ones; with `strangers` from elsewhere this look is at them. Then without the people found, from the
    near side, which is the one that matters, and believed to be a face's own as far as that keeps its strangers
    away. Last, strangers are counted again, and at each closeness the links that they would make are compared
    with those that there are (`personae.link.false_links`). The map equation turns the links into people.

    It holds for collections of lone faces and of large people and for any embedder's scale of cosines. It
    is weak where more than that are one person, for then there are too few strangers to measure (give it some:
    thirty are enough), and where people look alike to the embedder: a bell curve underestimates look-alikes.
    O(N^2 d) for the graph of up to 50,000 faces, less beyond; O(N (sample d + k)) after.

    k:           neighbors a face
    false_links: share of false links that is put up with at the closeness where they are most
    sample:      faces that each face is compared with
    strangers:   (M, d) features of people who are in none of the photos, or None

    labels_:     (N,) int32, 0..C-1 in the order of the first faces
    confidence_: (N,) float32 in [0, 1], how far the links of each face agree with its person
    """

    def __init__(
        self,
        k: int = 80,
        false_links: float = 0.15,
        sample: int = 1024,
        strangers: NDArray[np.floating[Any]] | None = None,
    ) -> None:
        self.k = k
        self.false_links = false_links
        self.sample = sample
        self.strangers = strangers

    def fit(self, X: FaceSet | ArrayLike, y: Any = None, *, graph: KnnGraph | None = None) -> Self:
        """Clusters X, a FaceSet or features (N, d); `graph` is its kNN graph where that is there already.

        InputError: a kNN graph for X, what `FaceSet.of` refuses, strangers of another dimension.
        """
        faces = self._faces(X)
        if not (0 < self.false_links < 1 and self.sample >= 2):
            raise InputError(
                f"false_links is {self.false_links} and sample is {self.sample}; "
                "give a share between 0 and 1, and at least 2"
            )
        graph = graph_of(faces, graph, self.k)
        sample = Sample.among(faces.features, graph, self.sample)
        if self.strangers is None:
            strangers = strangers_of(faces.features, sample, side="far")
        else:
            others = Sample.elsewhere(FaceSet.of(self.strangers).features)
            if others.features.shape[1] != faces.dimension:
                raise InputError(
                    f"strangers have {others.features.shape[1]} values, the faces {faces.dimension}"
                )
            strangers = strangers_of(faces.features, others, side="near")
            sample |= others
        people = MapEquation()
        floor = bell_floor(ALPHA, len(faces))
        guess = people.cluster(strangers.believed(0).link(graph, floor))
        strangers = strangers_of(faces.features, sample, side="near", labels=guess)
        rows = Sample.among(faces.features, graph, ROWS).face
        pairs = StrangerPairs.among(faces.features, rows, sample, guess)
        strangers = lightest_tail(strangers, pairs)
        guess = people.cluster(strangers.link(graph, floor))
        pairs = StrangerPairs.among(faces.features, rows, sample, guess)
        links = strangers.link(graph, least_width(strangers, pairs, graph, self.false_links))
        self.labels_ = people.cluster(links)
        self.confidence_ = confidence(links, self.labels_)
        return self
