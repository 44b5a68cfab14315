"""Spherical K-means: every face goes to the nearest of K mean directions.

Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information Theory, 1982; Dhillon and Modha,
"Concept decompositions for large sparse text data using clustering", Machine Learning 42, 2001; mini-batches:
Sculley, "Web-scale k-means clustering", WWW 2010.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.cluster import KMeans as Lloyd
from sklearn.cluster import MiniBatchKMeans
from threadpoolctl import threadpool_limits

from personae.data.faceset import FaceSet
from personae.errors import InputError
from personae.graph.components import first_seen
from personae.graph.farthest_first import canonical_rows, farthest_first
from personae.link.expected_people import expected_people
from personae.methods.estimator import FeatureClusterer

BATCHES_FROM = 20_000  # faces
BATCH = 8192
PRODUCTS = 1 << 22  # cosines in one go
MOST_ROUNDS, ROUNDS_AFTER_BATCHES = 10, 2


class KMeans(FeatureClusterer):
    """K mean directions, each the mean of the faces that are nearer to it than to any other.

    It believes that the number of people is known and that all of them are about as large and as spread out.
    It is weak where that is false: large people are split and small ones joined, since K is spent either way.

    The starting directions are faces that lie far apart, `farthest_first`: among lone faces and people of all
    sizes random starts leave most small people without one. scikit-learn's KMeans does the rounds on unit
    rows and up to ten by cosine to unit directions follow; from 20,000 faces on it is one pass of
    MiniBatchKMeans and two rounds by cosine. O(N K d) a round and for the start.

    clusters: K, or None: as many as `expected_people` counts without labels
    seed:     draws the mini-batches

    directions_: (C, d) float32, unit, in the order of the labels; C is below K where fewer faces differ
    """

    def __init__(self, clusters: int | None = None, seed: int = 0) -> None:
        self.clusters = clusters
        self.seed = seed

    def _labels(self, faces: FaceSet) -> NDArray[np.int32]:
        wanted = wanted_clusters(self.clusters, faces)
        order = canonical_rows(faces.features)
        features = np.ascontiguousarray(faces.features[order], dtype=np.float32)
        starts = features[farthest_first(features, wanted)]
        if len(faces) < BATCHES_FROM:
            rounds = Lloyd(len(starts), init=starts, n_init=1, random_state=self.seed)
            with threadpool_limits(1):  # several would add up in any order
                rounds.fit(features)
        else:
            rounds = MiniBatchKMeans(
                len(starts),
                init=starts,
                n_init=1,
                batch_size=BATCH,
                max_iter=1,
                init_size=len(starts),
                reassignment_ratio=0,
                compute_labels=False,
                random_state=self.seed,
            ).fit(features)
        most = MOST_ROUNDS if len(faces) < BATCHES_FROM else ROUNDS_AFTER_BATCHES
        labels = np.empty(len(faces), dtype=np.int32)
        labels[order] = rounds_by_cosine(features, rounds.cluster_centers_, most)
        labels = first_seen(labels)
        self.directions_ = mean_directions(faces.features, labels)
        return labels


def wanted_clusters(clusters: int | None, faces: FaceSet) -> int:
    """K as given, at most N, or as counted. InputError: K below 1."""
    if clusters is None:
        return expected_people(faces.features)
    if clusters < 1:
        raise InputError(f"clusters is {clusters}; it needs to be at least 1, or None to count them")
    return min(clusters, len(faces))


def rounds_by_cosine(
    features: NDArray[np.float32], centers: NDArray[np.float32], most: int
) -> NDArray[np.int32]:
    """The labels after up to `most` rounds of spherical K-means; a direction that loses all faces goes."""
    length = np.linalg.norm(centers, axis=1, keepdims=True)
    directions = np.divide(centers, length, out=np.zeros_like(centers), where=length > 0)
    labels = np.zeros(0, dtype=np.int32)
    for _ in range(most):
        step = max(1, PRODUCTS // len(directions))
        blocks = (features[start : start + step] for start in range(0, len(features), step))
        moved = first_seen(np.concatenate([(block @ directions.T).argmax(axis=1) for block in blocks]))
        if np.array_equal(moved, labels):
            break
        labels = moved
        directions = mean_directions(features, labels)
    return labels


def mean_directions(features: NDArray[np.floating[Any]], labels: NDArray[np.int32]) -> NDArray[np.float32]:
    """(C, d) the unit mean of the faces of each label, zero where they cancel out."""
    n = len(labels)
    member = csr_array((np.ones(n), (labels, np.arange(n))), shape=(int(labels.max()) + 1, n))
    sums = member @ features.astype(np.float64)
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    means = np.divide(sums, length, out=np.zeros_like(sums), where=length > 0)
    return np.asarray(means, dtype=np.float32)
