"""Confidence intervals of the pairwise and BCubed scores, by resampling identities."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personae.errors import InputError
from personae.evaluation.contingency import Contingency, Noise, contingency
from personae.evaluation.score import Score
from personae.evaluation.shares import shares_of


@dataclass(frozen=True, repr=False)
class Interval:
    """From `low` to `high`.

    >>> Interval(0.8765, 0.9)
    Interval(low=0.876, high=0.9)
    """

    low: float
    high: float

    def __repr__(self) -> str:
        return f"Interval(low={round(self.low, 3)}, high={round(self.high, 3)})"


@dataclass(frozen=True)
class ScoreInterval:
    """The intervals of a score, each number on its own."""

    precision: Interval
    recall: Interval
    f: Interval


@dataclass(frozen=True)
class Intervals:
    """What `bootstrap` returns: the intervals at `level`, from `replicates` samples of the identities."""

    pairwise: ScoreInterval
    bcubed: ScoreInterval
    level: float
    replicates: int


def bootstrap(
    truth: ArrayLike,
    labels: ArrayLike,
    *,
    replicates: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    noise: Noise = "singletons",
) -> Intervals:
    """How far the scores would move if other people of the same kind had been in the test.

    Each replicate draws A identities with replacement from the A identities and scores their faces in the
    clusters as they are: TP, PP, PT and the BCubed sums are added up over the identities drawn, each as often
    as it was drawn (`Shares`). The interval runs from the (1 - level) / 2 to the (1 + level) / 2 quantile of
    the replicates (percentile bootstrap).

    It holds the chance in *who* was scored. Faces are never drawn alone, since those of one person succeed and
    fail together. It does not hold the chance in the method (seeds, training), and nothing is clustered again:
    an identity that is not drawn stays where it was and still counts against precision there. Two identities
    in one cluster are drawn as if independent, so with heavy mixing the interval of P tends to be too narrow;
    below some thirty identities, or where a few hold most pairs, all of them tend to be. Overlap of the
    intervals of two methods is no test of which is better: they were scored on the same identities. A sample
    without any pair to judge says nothing of a pairwise score and is left out; NaN where there is no other.

    truth, labels, noise: see `contingency`
    replicates: at least 1; the ends of the interval settle at about 1,000
    level:      in (0, 1)
    seed:       same seed, same interval

    InputError: as `contingency`, fewer than two identities, replicates or level out of range. O(A) a replicate.

    >>> truth, labels = [0, 0, 1, 1, 2, 2, 3, 3], [0, 0, 1, 1, 2, 2, 3, 4]
    >>> bootstrap(truth, labels).bcubed.recall
    Interval(low=0.625, high=1.0)
    """
    return bootstrap_of(contingency(truth, labels, noise=noise), replicates=replicates, level=level, seed=seed)


def bootstrap_of(
    table: Contingency, *, replicates: int = 1000, level: float = 0.95, seed: int = 0
) -> Intervals:
    """The intervals of a table; see `bootstrap`."""
    if table.identities < 2:
        raise InputError("one identity cannot be resampled; an interval needs at least two")
    if replicates < 1:
        raise InputError(f"replicates={replicates} is too few; choose 1 or more, 1,000 at best")
    if not 0 < level < 1:
        raise InputError(f"level={level} is out of range; choose one between 0 and 1, such as 0.95")
    generator = np.random.default_rng(seed)
    shares, a = shares_of(table), table.identities
    pairwise, bcubed = [], []
    for _ in range(replicates):
        times = np.bincount(generator.integers(a, size=a), minlength=a)
        pairwise.append(_row(shares.pairwise(times, zero_division=np.nan)))
        bcubed.append(_row(shares.bcubed(times)))
    return Intervals(
        pairwise=_between(np.array(pairwise), level),
        bcubed=_between(np.array(bcubed), level),
        level=level,
        replicates=replicates,
    )


def _row(score: Score) -> tuple[float, float, float]:
    return score.precision, score.recall, score.f


def _between(samples: NDArray[np.float64], level: float) -> ScoreInterval:
    """The quantiles of (replicates, 3) precision, recall and F, each of the samples that are not NaN."""
    precision, recall, f = (_middle(column[~np.isnan(column)], level) for column in samples.T)
    return ScoreInterval(precision, recall, f)


def _middle(samples: NDArray[np.float64], level: float) -> Interval:
    if len(samples) == 0:
        return Interval(np.nan, np.nan)
    low, high = np.quantile(samples, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))
