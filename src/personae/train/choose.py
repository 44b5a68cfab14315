"""Thresholds chosen on validation identities, by the mean of both F."""

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personae.clustering.decision import Decision
from personae.evaluation.within import scores_within
from personae.graph.knn_graph import NOBODY
from personae.link.links import Links

COARSE, FINE = 24, 8  # thresholds tried, among all links and then around the best


def choose(
    links: Links,
    truth: NDArray[np.int32],
    chosen: NDArray[np.bool_],
    clusterer: str,
    options: Sequence[dict[str, Any]] = ({},),
) -> tuple[Decision, float]:
    """The decision with the best mean of pairwise and BCubed F on the chosen faces, and that mean.

    links:     of all faces, those that were learned from included, since false links grow with the crowd
    truth:     (N,) int32
    chosen:    (N,) bool, the faces of the validation identities
    clusterer: a name in `CLUSTERERS`
    options:   other parameters of the clusterer to try

    Thresholds are quantiles of the link weights, so that they suit cosines and probabilities alike.
    """

    def best(taus: Iterable[float], others: Iterable[dict[str, Any]]) -> tuple[float, Decision]:
        tried = (Decision(clusterer, float(tau), other) for other, tau in product(others, taus))
        return max(((worth(one), one) for one in tried), key=lambda pair: pair[0])

    def worth(decision: Decision) -> float:
        pairwise, bcubed = scores_within(truth, decision.people(links), chosen)
        return (pairwise.f + bcubed.f) / 2

    weights = links.graph.similarities[links.graph.neighbors != NOBODY].astype(np.float32)
    ends = np.linspace(0, 1, COARSE + 2)
    coarse = np.unique(np.quantile(weights, ends))
    _, found = best(coarse, options)
    place = int(np.searchsorted(coarse, found.tau))
    low, high = coarse[max(place - 1, 0)], coarse[min(place + 1, len(coarse) - 1)]
    score, decision = best({found.tau, *np.linspace(low, high, FINE).tolist()}, [dict(found.parameters)])
    return decision, score
