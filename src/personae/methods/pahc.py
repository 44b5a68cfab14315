"""PAHC: each face's neighborhood is told from everybody else by a linear machine; agreement of machines links.

After Lin, Chen and Chellappa, "A Proximity-Aware Hierarchical Clustering of Faces", FG 2017. The idea is
theirs; the details are from a description of it, and no parity with the paper is claimed.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from sklearn.svm import LinearSVC

from personae.data.faceset import FaceSet
from personae.errors import InputError
from personae.graph.components import first_seen
from personae.graph.farthest_first import canonical_rows
from personae.graph.search import knn_graph
from personae.methods.estimator import FeatureClusterer, refuse_crowds

MOST_FACES = 5_000


class PAHC(FeatureClusterer):
    """Average linkage of the proximity S, cut at `tau`.

    S(i, j) = 1/2 [mean of H_i over the neighborhood of j + mean of H_j over that of i], where H_i is the margin
    of a linear support vector machine trained to tell the neighborhood of i, face i included, from far faces.
    It believes that everybody has more than `k` pictures; lone faces take strangers for their own. One machine
    a face and 24 N^2 bytes, so at most 5,000 faces.

    tau:       proximity from which two groups of faces are joined; 1 and -1 are the sides of a margin
    k:         neighbors a face, at most half of all faces
    negatives: far faces a machine is trained with, spread evenly over the less similar half of all faces
    penalty:   C of the machines; small ones are closer to the mean of the neighborhood
    """

    def __init__(self, tau: float = 0.4, k: int = 5, negatives: int = 100, penalty: float = 1.0) -> None:
        self.tau = tau
        self.k = k
        self.negatives = negatives
        self.penalty = penalty

    def _labels(self, faces: FaceSet) -> NDArray[np.int32]:
        n = len(faces)
        refuse_crowds(faces, MOST_FACES, "PAHC", "DDC or Auto")
        if self.k < 1 or self.negatives < 1 or not self.penalty > 0:
            raise InputError(
                f"k is {self.k}, negatives {self.negatives}, penalty {self.penalty}; all need to be above 0"
            )
        if n == 1:
            return np.zeros(1, dtype=np.int32)
        order = canonical_rows(faces.features)
        features = faces.features[order].astype(np.float64)
        near = neighborhoods(features, min(self.k, (n - 1) // 2))
        margin = margins(features, near, self.negatives, self.penalty)
        alike = proximity(margin, near)
        labels = np.empty(n, dtype=np.intp)
        labels[order] = average_linkage(alike, self.tau)
        return first_seen(labels)


def neighborhoods(features: NDArray[np.float64], k: int) -> NDArray[np.int32]:
    """(N, k + 1) each face and its k nearest."""
    own = np.arange(len(features), dtype=np.int32)[:, None]
    return np.hstack([own, knn_graph(features, k).neighbors]) if k else own


def margins(
    features: NDArray[np.float64], near: NDArray[np.int32], negatives: int, penalty: float
) -> NDArray[np.float64]:
    """(N, N) H[i, x]: how far face x lies on the side of the neighborhood of i, w_i x + b_i."""
    n, d = features.shape
    weight, bias = np.empty((n, d)), np.empty(n)
    for face in range(n):
        far = np.argsort(features @ features[face], kind="stable")  # least similar first
        far = far[: max(1, min(n // 2, n - near.shape[1]))]
        far = far[np.linspace(0, len(far) - 1, min(negatives, len(far))).astype(np.intp)]
        rows = np.r_[near[face], far]
        side = np.arange(len(rows)) < near.shape[1]
        machine = LinearSVC(C=penalty, dual=False, class_weight="balanced").fit(features[rows], side)
        weight[face], bias[face] = machine.coef_[0], machine.intercept_[0]
    return np.asarray(features @ weight.T + bias).T


def proximity(margin: NDArray[np.float64], near: NDArray[np.int32]) -> NDArray[np.float64]:
    """(N, N) S, symmetric."""
    mean: NDArray[Any] = np.zeros_like(margin)  # of H_i over the neighborhood of j
    for column in near.T:
        mean += margin[:, column]
    mean /= near.shape[1]
    return np.asarray((mean + mean.T) / 2)


def average_linkage(alike: NDArray[np.float64], tau: float) -> NDArray[np.int32]:
    """(N,) groups joined as long as their mean similarity is `tau` or above."""
    highest = float(alike.max())
    apart = highest - alike
    np.fill_diagonal(apart, 0)
    tree = linkage(squareform(apart, checks=False), "average")
    return np.asarray(fcluster(tree, highest - tau, criterion="distance"), dtype=np.int32)
