"""Mutual information of identities and clusters: NMI in both normalisations, homogeneity, completeness, V."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personae.errors import InputError
from personae.evaluation.contingency import Contingency, Noise, contingency

Average = Literal["arithmetic", "geometric"]


@dataclass(frozen=True)
class Information:
    """What the clusters tell about the identities; entropies in nats, the rest in [0, 1].

    identity_entropy: H(Y)
    cluster_entropy:  H(C)
    mutual:           I(Y; C)
    nmi_arithmetic:   2 I / (H(Y) + H(C)), which is also the V-measure
    nmi_geometric:    I / sqrt(H(Y) H(C)), never below the arithmetic one
    homogeneity:      I / H(Y), 1 if each cluster holds one identity
    completeness:     I / H(C), 1 if each identity lies in one cluster
    """

    identity_entropy: float
    cluster_entropy: float
    mutual: float
    nmi_arithmetic: float
    nmi_geometric: float
    homogeneity: float
    completeness: float


def information(
    truth: ArrayLike,
    labels: ArrayLike,
    *,
    noise: Noise = "singletons",
    weights: ArrayLike | None = None,
    ignore_unknown: bool = False,
) -> Information:
    """All measures of mutual information at once.

    One identity in all and one cluster in all agree fully (1). If only one of the two is undivided, I is 0 and
    so are both NMI, while homogeneity (one identity) or completeness (one cluster) is 1 as nothing could be
    mixed or split.

    truth, labels, noise, weights, ignore_unknown: see `contingency`, InputError too

    >>> told = information([0, 0, 1, 1], [0, 0, 1, 2])
    >>> round(told.homogeneity, 3), round(told.completeness, 3)
    (1.0, 0.667)
    """
    return information_of(
        contingency(truth, labels, noise=noise, weights=weights, ignore_unknown=ignore_unknown)
    )


def nmi(
    truth: ArrayLike,
    labels: ArrayLike,
    *,
    average: Average = "arithmetic",
    noise: Noise = "singletons",
    weights: ArrayLike | None = None,
    ignore_unknown: bool = False,
) -> float:
    """Normalised mutual information in [0, 1]; say which average beside the number, tables use both.

    "arithmetic" is scikit-learn's default since 0.22 and the V-measure. "geometric" was its default before, and
    is the formula of the papers on graph networks. Neither punishes many small clusters much.

    truth, labels, noise, weights, ignore_unknown: see `contingency`, InputError too

    >>> truth, labels = [0, 0, 1, 1], [0, 0, 1, 2]
    >>> round(nmi(truth, labels), 3), round(nmi(truth, labels, average="geometric"), 3)
    (0.8, 0.816)
    """
    if average not in get_args(Average):
        raise InputError(f"average={average!r} is not known; choose one of {', '.join(get_args(Average))}")
    told = information(truth, labels, noise=noise, weights=weights, ignore_unknown=ignore_unknown)
    return told.nmi_arithmetic if average == "arithmetic" else told.nmi_geometric


def information_of(table: Contingency) -> Information:
    """The mutual information of a table; see `information`."""
    n = table.faces
    log_a, log_b = np.log(table.identity_sizes), np.log(table.cluster_sizes)
    h_identity, h_cluster = _entropy(table.identity_sizes, n), _entropy(table.cluster_sizes, n)
    # log(N n_ab / (a_a b_b)) in two parts, so that a perfect clustering gives I = H to the last bit
    gain = (np.log(table.count) - log_a[table.identity]) + (np.log(n) - log_b[table.cluster])
    mutual = float((table.count / n * gain).sum())
    mutual = min(max(mutual, 0.0), h_identity, h_cluster)  # rounding must not leave the bounds
    return Information(
        identity_entropy=h_identity,
        cluster_entropy=h_cluster,
        mutual=mutual,
        nmi_arithmetic=2 * mutual / (h_identity + h_cluster) if h_identity + h_cluster else 1.0,
        nmi_geometric=_geometric(mutual, h_identity, h_cluster),
        homogeneity=mutual / h_identity if h_identity else 1.0,
        completeness=mutual / h_cluster if h_cluster else 1.0,
    )


def _geometric(mutual: float, h_identity: float, h_cluster: float) -> float:
    if h_identity == 0 or h_cluster == 0:
        return 1.0 if h_identity == h_cluster else 0.0
    return mutual / float(np.sqrt(h_identity * h_cluster))


def _entropy(sizes: NDArray[np.int64], n: int) -> float:
    """H in nats of parts of these sizes."""
    return float((sizes / n * (np.log(n) - np.log(sizes))).sum())
