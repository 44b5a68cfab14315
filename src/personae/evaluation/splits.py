"""Splits and mixtures: over how many clusters an identity is spread, how many identities a cluster holds."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personae.evaluation.contingency import Contingency, Noise, contingency


def splits(
    truth: ArrayLike, labels: ArrayLike, *, noise: Noise = "singletons", ignore_unknown: bool = False
) -> NDArray[np.int64]:
    """(A,) int64, clusters that hold each identity, in sorted order of the identities; 1 is whole.

    "The same person twice" to whoever looks at the result; its mean is the expansion of FC-ESER.

    truth, labels, noise, ignore_unknown: see `contingency`, InputError too

    >>> splits(["Ada", "Ada", "Bo", "Bo"], [0, 1, 1, 1])
    array([2, 1])
    """
    return splits_of(contingency(truth, labels, noise=noise, ignore_unknown=ignore_unknown))


def splits_of(table: Contingency) -> NDArray[np.int64]:
    """Clusters an identity of a table; see `splits`."""
    return np.bincount(table.identity)


def mixtures(
    truth: ArrayLike, labels: ArrayLike, *, noise: Noise = "singletons", ignore_unknown: bool = False
) -> NDArray[np.int64]:
    """(B,) int64, identities in each cluster, in sorted order of the labels; 1 is pure.

    "Two people in one" to whoever looks at the result. Faces that `noise` made clusters of their own come last.

    truth, labels, noise, ignore_unknown: see `contingency`, InputError too

    >>> mixtures(["Ada", "Ada", "Bo", "Bo"], [0, 1, 1, 1])
    array([1, 2])
    """
    return mixtures_of(contingency(truth, labels, noise=noise, ignore_unknown=ignore_unknown))


def mixtures_of(table: Contingency) -> NDArray[np.int64]:
    """Identities a cluster of a table; see `mixtures`."""
    return np.bincount(table.cluster)
