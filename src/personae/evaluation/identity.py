"""Identity-level metrics: is the number of people right, and how many were found as one cluster each?

Yu et al., "FaceMap: Towards Unsupervised Face Clustering via Map Equation", 2022, section 2.2.
"""

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from personae.errors import InputError
from personae.evaluation.contingency import Contingency, Noise, contingency
from personae.evaluation.score import Score

Count = Literal["all", "wrong"]


def cluster_ratio(
    truth: ArrayLike,
    labels: ArrayLike,
    *,
    noise: Noise = "singletons",
    weights: ArrayLike | None = None,
    ignore_unknown: bool = False,
) -> float:
    """R#I: clusters for each 100 identities, lone faces included; 100 is best, above is split, below is merged.

    Splits and merges cancel: 100 alone proves nothing.

    truth, labels, noise, weights, ignore_unknown: see `contingency`, InputError too

    >>> cluster_ratio([0, 0, 1, 1], [0, 0, 1, 2])
    150.0
    """
    return cluster_ratio_of(
        contingency(truth, labels, noise=noise, weights=weights, ignore_unknown=ignore_unknown)
    )


def cluster_ratio_of(table: Contingency) -> float:
    """R#I of a table; see `cluster_ratio`."""
    return 100 * table.clusters / table.identities


def singleton_ratio(
    truth: ArrayLike,
    labels: ArrayLike,
    *,
    count: Count = "all",
    noise: Noise = "singletons",
    weights: ArrayLike | None = None,
    ignore_unknown: bool = False,
) -> float:
    """R#S: clusters of one face for each 100 identities; 0 is best where no identity has a single face.

    count: "all" takes each cluster of one face, as the authors' code and so the published tables do; "wrong"
           only those whose identity has more faces, as the paper's text says. They agree if no identity has a
           single face

    truth, labels, noise, weights, ignore_unknown: see `contingency`, InputError too

    >>> singleton_ratio([0, 0, 1, 2], [0, 1, 2, 2]), singleton_ratio([0, 1, 1], [0, 1, 1], count="wrong")
    (66.66666666666667, 0.0)
    """
    if count not in get_args(Count):
        raise InputError(f"count={count!r} is not known; choose one of {', '.join(get_args(Count))}")
    return singleton_ratio_of(
        contingency(truth, labels, noise=noise, weights=weights, ignore_unknown=ignore_unknown), count=count
    )


def singleton_ratio_of(table: Contingency, *, count: Count = "all") -> float:
    """R#S of a table; see `singleton_ratio`."""
    single = table.cluster_sizes[table.cluster] == 1  # (E,) such a cluster is one cell
    if count == "wrong":
        single &= table.identity_sizes[table.identity] > 1
    return 100 * int(single.sum()) / table.identities


def fi(
    truth: ArrayLike,
    labels: ArrayLike,
    *,
    theta: float = 0.5,
    noise: Noise = "singletons",
    weights: ArrayLike | None = None,
    ignore_unknown: bool = False,
) -> Score:
    """FI(theta): the share of clusters (precision) and of identities (recall) that are found as one another.

    Identity a and cluster b match if n_ab is more than the share `theta` of both. With M matches P = M / B,
    R = M / A and F = 2 M / (A + B). Every person weighs the same here, the one with two faces as the one with
    thousands. An identity of one face in a cluster of its own is a match.

    truth, labels, noise, weights, ignore_unknown: see `contingency`
    theta: in [0.5, 1); papers print 0.5 and 0.9. From 0.5 on nobody can match twice

    InputError: as `contingency`, and theta out of range.

    >>> fi([0, 0, 0, 1, 1], [0, 0, 1, 2, 2])
    Score(precision=0.667, recall=1.0, f=0.8)
    """
    return fi_of(
        contingency(truth, labels, noise=noise, weights=weights, ignore_unknown=ignore_unknown), theta=theta
    )


def fi_of(table: Contingency, *, theta: float = 0.5) -> Score:
    """FI of a table; see `fi`."""
    if not 0.5 <= theta < 1:
        raise InputError(f"theta={theta} is out of range; choose one in [0.5, 1), where matches are unique")
    # Division rounds correctly, so n / size and a theta that mean the same number are the same float: 1 of 2
    # faces is not more than 0.5, 9 of 10 not more than 0.9.
    of_cluster = table.count / table.cluster_sizes[table.cluster] > theta
    of_identity = table.count / table.identity_sizes[table.identity] > theta
    matches = int(np.count_nonzero(of_cluster & of_identity))
    a, b = table.identities, table.clusters
    return Score(precision=matches / b, recall=matches / a, f=2 * matches / (a + b))
