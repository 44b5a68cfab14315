"""Affinity propagation: faces vote which of them stand for the others.

Frey and Dueck, "Clustering by passing messages between data points", Science 315, 2007.
"""

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import AffinityPropagation as Messages

from personae.data.faceset import FaceSet
from personae.errors import InputError, refuse_no_count
from personae.graph.components import first_seen
from personae.graph.farthest_first import canonical_rows
from personae.methods.estimator import FeatureClusterer, refuse_crowds

MOST_FACES = 8_000


class AffinityPropagation(FeatureClusterer):
    """Exemplars chosen by messages between all pairs of faces, similarities being cosines.

    It believes that a person is well told by one face. How many people there are follows from `preference`: the
    median cosine is the authors' choice, higher ones split. It is weak on collections of lone faces, who are
    drawn to somebody. O(N^2) a round, some dozens or hundreds of rounds, 32 N^2 bytes, so at most 8,000 faces.
    scikit-learn's AffinityPropagation, with the noise that breaks ties drawn from `seed`.

    preference: cosine of a face with itself in the vote, or None: the median of those of two faces
    damping:    how much of each message is kept from round to round, from 0.5 to below 1
    max_iter:   rounds at most
    seed:       breaks ties

    exemplars_: (C,) the face that stands for each label; empty where no vote came about
    n_iter_:    rounds it took
    converged_: whether the exemplars stood still in the end; without any, every face is alone
    """

    are_faces = ("exemplars_",)

    def __init__(
        self, preference: float | None = None, damping: float = 0.5, max_iter: int = 500, seed: int = 0
    ) -> None:
        self.preference = preference
        self.damping = damping
        self.max_iter = max_iter
        self.seed = seed

    def _labels(self, faces: FaceSet) -> NDArray[np.int32]:
        n = len(faces)
        refuse_crowds(faces, MOST_FACES, "affinity propagation", "Auto or KMeans")
        if not 0.5 <= self.damping < 1:
            raise InputError(f"damping is {self.damping}; it needs to be from 0.5 to below 1")
        refuse_no_count("max_iter", self.max_iter)
        refuse_no_count("seed", self.seed, 0)
        order = canonical_rows(faces.features)
        features = faces.features[order].astype(np.float64)
        cosines = features @ features.T
        vote = Messages(
            affinity="precomputed",
            preference=median_of_pairs(cosines) if self.preference is None else self.preference,
            damping=self.damping,
            max_iter=self.max_iter,
            random_state=self.seed,
            copy=False,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `converged_` says it
            vote.fit(cosines)
        self.n_iter_ = int(vote.n_iter_)
        self.converged_ = bool(self.n_iter_ < self.max_iter and vote.labels_.min() >= 0)
        if vote.labels_.min() < 0:
            self.exemplars_ = np.empty(0, dtype=np.intp)
            return np.arange(n, dtype=np.int32)
        labels = np.empty(n, dtype=np.intp)
        labels[order] = vote.labels_
        _, first = np.unique(labels, return_index=True)
        self.exemplars_ = order[vote.cluster_centers_indices_][np.argsort(first)]
        return first_seen(labels)


def median_of_pairs(cosines: NDArray[np.float64]) -> float:
    """The median of (N, N) without the diagonal, the paper's preference; 1 of one face."""
    n = len(cosines)
    if n == 1:
        return 1.0
    pairs = cosines.ravel()[1:].reshape(n - 1, n + 1)[:, :-1]  # every (n + 1)th is of a face with itself
    return float(np.median(pairs))
