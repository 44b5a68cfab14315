"""Spherical K-means: every face goes to the nearest of K mean directions.

Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information Theory, 1982; Dhillon and Modha,
"Concept decompositions for large sparse text data using clustering", Machine Learning 42, 2001; mini-batches:
Sculley, "Web-scale k-means clustering", WWW 2010.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans as Lloyd
from threadpoolctl import threadpool_limits

from personae.data.faceset import FaceSet
from personae.errors import refuse_no_count
from personae.graph.components import first_seen
from personae.graph.directions import mean_directions
from personae.graph.farthest_first import canonical_rows, farthest_first
from personae.graph.nearest_point import NearestPoint
from personae.graph.threads import products_alone
from personae.link.expected_people import wanted_clusters
from personae.methods.estimator import FeatureClusterer

LARGE = 20_000  # faces, from which one round has to do
BATCH = 8192
FACES_A_DIRECTION = 10  # that the mini-batches show it
MOST_ROUNDS = 10  # by cosine, after scikit-learn's


class KMeans(FeatureClusterer):
    """K mean directions, each the mean of the faces that are nearer to it than to any other.

    It believes that the number of people is known and that all of them are about as large and as spread out.
    It is weak where that is false: large people are split and small ones joined, since K is spent either way.

    The starting directions are faces that lie far apart, `farthest_first`: among lone faces and people of all
    sizes random starts leave most small people without one. scikit-learn's KMeans does the rounds on unit
    rows and up to ten by cosine to unit directions follow. From 20,000 faces on it is one round: the faces
    nearest to each start have a mean direction, and each face goes to the nearest of these. Where there are
    ten faces a direction or more, mini-batches of 8,192 faces drawn by chance move the directions before
    that, as many as show each ten faces. O(N K d) for the start and for each round.

    n_clusters: K, at most N, or None: as many as `expected_people` counts without labels
    seed:       draws the mini-batches

    directions_: (C, d) float32, unit, in the order of the labels
    """

    def __init__(self, n_clusters: int | None = None, seed: int = 0) -> None:
        self.n_clusters = n_clusters
        self.seed = seed

    def _labels(self, faces: FaceSet) -> NDArray[np.int32]:
        refuse_no_count("seed", self.seed, 0)
        wanted = wanted_clusters(self.n_clusters, faces.features)
        order = canonical_rows(faces.features)
        features = np.ascontiguousarray(faces.features[order], dtype=np.float32)
        starts, nearest = farthest_first(features, wanted)
        labels = np.empty(len(faces), dtype=np.int32)
        labels[order] = (
            self._rounds(features, starts) if len(faces) < LARGE else self._one_round(features, nearest)
        )
        labels = first_seen(labels)
        self.directions_ = mean_directions(faces.features, labels, order)
        return labels

    def _rounds(self, features: NDArray[np.float32], starts: NDArray[np.intp]) -> NDArray[np.int32]:
        rounds = Lloyd(len(starts), init=features[starts], n_init=1, random_state=self.seed)
        with products_alone(), threadpool_limits(1, "openmp"):  # several would add up in any order
            rounds.fit(features)
        length = np.linalg.norm(rounds.cluster_centers_, axis=1, keepdims=True)
        centers = rounds.cluster_centers_
        directions = np.divide(centers, length, out=np.zeros_like(centers), where=length > 0)
        labels = np.zeros(0, dtype=np.int32)
        for _ in range(MOST_ROUNDS):
            moved = first_seen(_nearest(features, directions).point)
            if np.array_equal(moved, labels):
                break
            labels = moved
            directions = mean_directions(features, labels)
        return labels

    def _one_round(self, features: NDArray[np.float32], nearest: NearestPoint) -> NDArray[np.int32]:
        directions = mean_directions(features, nearest.point)
        if FACES_A_DIRECTION * len(directions) > len(features):
            return regrouped(nearest, directions)
        drawn = np.random.Generator(np.random.Philox(self.seed)).permutation(len(features))
        drawn = drawn[: FACES_A_DIRECTION * len(directions)]
        return _nearest(features, after_batches(features, directions, drawn)).point


def regrouped(nearest: NearestPoint, directions: NDArray[np.float32]) -> NDArray[np.int32]:
    """(N,) int32, the nearest direction of each face, where these are the means of the groups of `nearest`.

    The direction of a lone face is where its start was. So these are left out for all faces that came nearer
    to their own one: no other start was nearer than theirs.
    """
    own = np.einsum("ij,ij->i", nearest.features, directions[nearest.point])
    moved = np.bincount(nearest.point) > 1
    found = NearestPoint(nearest.features)
    found.point, found.similarity = nearest.point.copy(), own
    found.take(directions[moved], np.flatnonzero(moved).astype(np.int32))
    farther = np.flatnonzero(own < nearest.similarity)
    some = NearestPoint(nearest.features[farther])
    some.point, some.similarity = found.point[farther], found.similarity[farther]
    some.take(directions[~moved], np.flatnonzero(~moved).astype(np.int32))
    found.point[farther] = some.point
    return found.point


def after_batches(
    features: NDArray[np.float32], directions: NDArray[np.float32], drawn: NDArray[np.int64]
) -> NDArray[np.float32]:
    """The directions after the faces `drawn`, batch after batch: each the mean of its start and its faces."""
    sums = directions.astype(np.float64)
    directions = directions.copy()
    for start in range(0, len(drawn), BATCH):
        batch = features[drawn[start : start + BATCH]]
        point = _nearest(batch, directions).point
        np.add.at(sums, point, batch)
        touched = np.unique(point)
        length = np.linalg.norm(sums[touched], axis=1, keepdims=True)
        directions[touched] = sums[touched] / np.maximum(length, np.finfo(np.float64).tiny)
    return directions


def _nearest(features: NDArray[np.float32], directions: NDArray[np.float32]) -> NearestPoint:
    nearest = NearestPoint(features)
    nearest.take(directions, np.arange(len(directions), dtype=np.int32))
    return nearest
