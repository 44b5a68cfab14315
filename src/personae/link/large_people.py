"""People with so many of the faces that a face sees more of its own person than of strangers.

From the middle of such a person its own faces are near and all others far, with hardly any in between.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

from personae.data.pages import passing
from personae.graph.knn_graph import NOBODY
from personae.link.strangers import BLOCK, Sample, log_distance

PARTS = (2, 4)  # a person with one in so many of the faces that are left is large
FEWEST = 6  # faces that tell near from far
WIDTHS = 1.5  # from the valley to where the pairs of a person are, and to where those with others are
ONE = float(norm.cdf(1))  # share of a normal curve on one side of a width
LEAST = 1e-3  # of the variance of all values is that of either part


def large_people(features: NDArray[np.floating], sample: Sample) -> NDArray[np.int32]:
    """(N,) int32, 0..P-1 for the faces of large people, in the order they are found, NOBODY for all others.

    features: (N, d) unit rows
    sample:   of these faces

    One person after the other: of the faces of the sample that are left, those on the near side of the valley
    around the middle of half of them, or of a quarter, or else all; if they are so many and apart from others.
    O(M^2 d), and O(N d) a person.
    """
    person = np.full(len(features), NOBODY, np.int32)
    left = np.ones(len(sample.features), np.bool_)
    for found in range(len(left)):
        middle, cut, near = largest(sample.features, left)
        if not near.any():
            break
        for here in passing(len(features), BLOCK, features):
            own = log_distance(features[here].astype(np.float64) @ middle) < cut
            person[here][own & (person[here] == NOBODY)] = found
        left &= ~near
    return person


def largest(
    rows: NDArray[np.float64], left: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], float, NDArray[np.bool_]]:
    """The middle of a large person, how near to it its faces are, and which of the rows (M, d) they are.

    left: (M,) the rows that may be its
    """
    some = rows[left]
    for count in (-(-len(some) // part) for part in PARTS if len(rows) >= FEWEST and len(some) > 1):
        middle = densest(some, count)
        away = np.where(left, log_distance(rows @ middle), np.inf)
        for cut in valley(away[left]), np.inf:
            near = away < cut
            if near.sum() >= count and apart(rows, near):
                return middle, cut, near
    return np.zeros(rows.shape[1]), -np.inf, np.zeros(len(rows), np.bool_)


def densest(rows: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """(d,) unit, the mean of so many rows, those around the one to whom so many are nearest."""
    cosines = rows @ rows.T
    around = np.argpartition(cosines, -count, axis=1)[:, -count:]
    best = int(np.take_along_axis(cosines, around, axis=1).min(axis=1).argmax())
    mean = rows[around[best]].mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean))


def apart(rows: NDArray[np.float64], near: NDArray[np.bool_]) -> bool:
    """Whether pairs of near rows are `WIDTHS` on one side of a valley, and pairs with others on the other.

    A width is that of the side towards the valley. As sure as many rows would make it: of few, Student's curve
    asks for more widths.
    """
    if near.all() or near.sum() < 2:
        return False
    own = log_distance(rows[near] @ rows[near].T)[np.triu_indices(int(near.sum()), 1)]
    others = log_distance(rows[near] @ rows[~near].T)
    (at, end), (start, beyond) = np.quantile(own, (0.5, ONE)), np.quantile(others, (1 - ONE, 0.5))
    return bool(beyond - at > t.isf(norm.sf(WIDTHS), near.sum() - 1) * (end - at + beyond - start))


def valley(values: NDArray[np.float64]) -> float:
    """Between the two parts that two normal curves, one for each, fit better than one fits all; inf if none do.

    Kittler and Illingworth, "Minimum error thresholding", Pattern Recognition 1986.
    """
    rising = np.sort(values - values.mean())
    n, whole = len(rising), float(rising.var())
    low = np.arange(2, n - 1)
    if not len(low) or rising[0] == rising[-1]:
        return np.inf
    sums, squares = np.cumsum(rising)[low - 1], np.cumsum(rising**2)[low - 1]
    fit = np.zeros(len(low))
    for count, total, of_squares in ((low, sums, squares), (n - low, -sums, n * whole - squares)):
        spread = np.maximum(of_squares / count - (total / count) ** 2, LEAST * whole)
        fit += count / n * (np.log(spread / whole) - 2 * np.log(count / n))
    best = int(fit.argmin())
    if fit[best] >= 0:
        return np.inf
    return float((rising[low[best] - 1] + rising[low[best]]) / 2 + values.mean())
