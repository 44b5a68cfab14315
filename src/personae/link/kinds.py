"""Faces of kinds that lie far apart, as of two cameras, or of photographs and drawings.

From a face of one kind all faces of its own kind look close beside those of the others, and strangers are taken
for one person. So strangers are looked at within each kind. A person is no kind: seen from inside, a kind is a
collection, where many a face has one that is far closer than the rest.
"""

from dataclasses import replace
from itertools import permutations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from personae.graph.knn_graph import KnnGraph
from personae.link.strangers import Sample, bell_floor, log_distance, seen_from, settled

APART = 7.0  # standard deviations between two kinds, along the line through their middles
LEAST = 0.05  # of the faces that are a kind
FEWEST = 50  # faces of a kind in the sample
STEPS = 10  # by which two means are found
PAIRED = 0.4  # share of the faces of a kind whose nearest face no stranger would reach
COPIES = 0.15  # of the distance to strangers: faces as near as that are pictures of one moment


def kinds_among(sample: Sample, graph: KnnGraph, alpha: float) -> Sample:
    """The sample with the middles of the kinds of its faces, without any where there are no two.

    graph: of the N faces that the sample is from
    alpha: strangers a face that are nearer than what counts as near

    Kinds are found by halving: two means, if they are far apart and both are kinds or fall into such. Of a kind
    two in five faces or more have a nearest face that is nearer than the bell curve allows strangers of their
    kind to be, and in the median farther than copies are. And from each kind all others are farther than most
    of its own faces. O(M^2 d).
    """
    rows, least = sample.features, max(FEWEST, int(LEAST * len(sample.face)))
    if len(rows) < 2 * least:
        return sample
    distance = log_distance(graph.similarities[sample.face, 0].astype(np.float64))

    def is_kind(some: NDArray[np.intp]) -> bool:
        seen = seen_from(rows[some], some, Sample(rows[some], some), "near")
        level, spread = settled(seen).middle
        size = round(len(graph) * len(some) / len(rows))
        paired = distance[some] < level - spread * bell_floor(alpha, size)
        near = np.exp(distance[some] - level)[paired]
        return len(near) >= PAIRED * len(some) and bool(np.median(near) > COPIES)

    def kinds(some: NDArray[np.intp]) -> list[NDArray[np.intp]]:
        """The kinds that some faces fall into, one if they are of one, none if they are of none."""
        if len(some) >= 2 * least:
            high, gap = halved(rows[some], least)
            halves = [kinds(half) for half in (some[~high], some[high])] if gap > APART else [[]]
            if all(halves):
                return [kind for half in halves for kind in half]
        return [some] if is_kind(some) else []

    found = kinds(np.arange(len(rows)))
    if len(found) < 2 or not all(_beyond(rows[one], rows[two]) for one, two in permutations(found, 2)):
        return sample
    return replace(sample, kinds=np.array([rows[kind].mean(axis=0) for kind in found]))


def _beyond(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether faces of another kind are mostly farther from those of one than these are from each other.

    From where all are strangers, a person with many bursts of pictures is no farther than anybody else.
    """
    within = log_distance(one @ one.T)[np.triu_indices(len(one), 1)]
    return bool(np.quantile(within, norm.cdf(1)) < np.median(log_distance(one @ other.T)))


def halved(rows: NDArray[np.float64], least: int) -> tuple[NDArray[np.bool_], float]:
    """(M,) which of two means each row is nearer to, and how far these are apart, in standard deviations.

    rows:  (M, d)
    least: rows of each half

    Begun with the best cut along the direction in which the rows differ most.
    """
    away = rows - rows.mean(axis=0)
    direction = np.linalg.eigh(away.T @ away)[1][:, -1]
    for _ in range(STEPS):
        along = away @ direction
        cut, gap = widest_gap(along, least)
        high = along > cut
        if high.all() or not high.any():
            break
        direction = away[high].mean(axis=0) - away[~high].mean(axis=0)
    return high, gap


def widest_gap(values: NDArray[np.float64], least: int) -> tuple[float, float]:
    """Where values fall into two parts of at least so many, and how many standard deviations these are apart.

    The cut with the least squares (Otsu, "A threshold selection method from gray-level histograms", IEEE
    Transactions on Systems, Man and Cybernetics 1979).
    """
    rising = np.sort(values)
    n, count = len(rising), np.arange(1, len(rising))
    total, squares = np.cumsum(rising), float(np.sum(rising**2))
    low, high = total[:-1] / count, (total[-1] - total[:-1]) / (n - count)
    within = squares - count * low**2 - (n - count) * high**2
    at = least - 1 + int(np.argmin(within[least - 1 : n - least]))
    spread = np.sqrt(max(within[at], 0) / n)
    return float(rising[at]), float((high[at] - low[at]) / spread) if spread > 0 else 0.0
