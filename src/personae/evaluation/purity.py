"""Weighted clustering purity (WCP): the share of faces of their cluster's most frequent identity."""

import numpy as np
from numpy.typing import ArrayLike

from personae.evaluation.contingency import Contingency, Noise, contingency


def purity(
    truth: ArrayLike,
    labels: ArrayLike,
    *,
    noise: Noise = "singletons",
    weights: ArrayLike | None = None,
    ignore_unknown: bool = False,
) -> float:
    """WCP in (0, 1]: sum over clusters of max_a n_ab, divided by N.

    It is 1 when every face is alone: never report it without the number of clusters. Papers on video count
    tracks or frames; with one row a track, `weights` of frames a track give the count by frames.

    truth, labels, noise, weights, ignore_unknown: see `contingency`, InputError too

    >>> purity([0, 0, 1, 1], [0, 0, 0, 1])
    0.75
    >>> purity([0, 0, 1, 1], [0, 0, 0, 1], weights=[5, 2, 1, 2])
    0.9
    """
    return purity_of(contingency(truth, labels, noise=noise, weights=weights, ignore_unknown=ignore_unknown))


def purity_of(table: Contingency) -> float:
    """WCP of a table; see `purity`."""
    largest = np.zeros(table.clusters, dtype=np.int64)
    np.maximum.at(largest, table.cluster, table.count)
    return int(largest.sum()) / table.faces
