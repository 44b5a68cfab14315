"""How good a partition is likely to be, without labels: by how little it changes when judged otherwise.

The partition M stands between a stricter one S and a looser one L of the same faces. Where S tears apart much
of what M holds together, M may hold too much; where L joins much that it keeps apart, it may hold too little.
How that goes with the true scores was learned from collections with known people (`benchmarks.expected`), with
a and b at least 0:

    logit(precision) = a logit(P(S, M)) + b logit(R(L, M)) + c
    logit(F)         = a logit(F(S, M)) + b logit(F(L, M)) + c + d log(faces a person) + e (share of lone faces)

P(S, M) is the precision of M as if S were the truth. The recall is what goes with the two. Where people have
more faces than in any collection learned from, they count as many as there.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from personae.evaluation.bcubed import bcubed
from personae.evaluation.bootstrap import Interval
from personae.evaluation.contingency import contingency
from personae.evaluation.pairwise import pairwise

LEARNED = Path(__file__).with_name("expected.json")
LEAST = 0.002  # shares are kept this far from 0 and 1
SIZE = 3  # where log(faces a person) stands
METRICS = {"pairwise": pairwise, "bcubed": bcubed}


@dataclass(frozen=True)
class ExpectedScore:
    """Precision, recall and F as they are expected; nine of ten F learned from lay in the interval."""

    precision: float
    recall: float
    f: float
    interval: Interval


@dataclass(frozen=True)
class Expected:
    """What `expected` returns.

    people: (C,) float32, BCubed precision of each person: of the faces that a face of it is put with, itself
            included, the share that are the same person
    """

    pairwise: ExpectedScore
    bcubed: ExpectedScore
    people: NDArray[np.float32]

    def __str__(self) -> str:
        f, interval = self.bcubed.f, self.bcubed.interval
        return f"BCubed F {f:.2f} ({interval.low:.2f} to {interval.high:.2f})"


def expected(labels: ArrayLike, strict: ArrayLike, loose: ArrayLike) -> Expected:
    """The scores of a partition as far as its neighbors tell.

    labels, strict, loose: (N,) int, the partition and those of a stricter and a looser look at the same faces

    The interval holds for collections like those that it was learned from. InputError: as `contingency`.
    O(N log N).
    """
    learned = _learned()
    scores = {name: _score(signs(name, labels, strict, loose), learned[name]) for name in METRICS}
    a, b = learned["people"]
    people = expit(a + b * _logit(kept_together(labels, strict)))
    return Expected(**scores, people=people.astype(np.float32))


def torn_from(first: Expected, before: ArrayLike, told: Expected, labels: ArrayLike) -> Expected:
    """The scores of a partition that was torn from another one, for which `first` is expected.

    before, labels: (N,) int, the other partition and this one
    told:           what `expected` says of this one

    F was learned at one strictness. A stricter partition agrees with its neighbors and yet misses what the
    first one had, so its recall is that of the first, less what was torn; the precision is as told.
    """
    scores = {
        name: _torn(getattr(first, name), getattr(told, name).precision, measure(before, labels).recall)
        for name, measure in METRICS.items()
    }
    return Expected(**scores, people=told.people)


def _torn(first: ExpectedScore, precision: float, kept: float) -> ExpectedScore:
    recall = max(first.recall * kept, LEAST)
    f = 2 * precision * recall / (precision + recall)
    ends = (expit(logit(f) + logit(end) - logit(first.f)) for end in (first.interval.low, first.interval.high))
    return ExpectedScore(precision, recall, f, Interval(*map(float, ends)))


def signs(
    metric: str, labels: ArrayLike, strict: ArrayLike, loose: ArrayLike
) -> dict[str, NDArray[np.float64]]:
    """What precision and F are told by: the agreements, 1, and for F what the partition is like."""
    measure = METRICS[metric]
    with_strict, with_loose = measure(strict, labels), measure(loose, labels)
    sizes = contingency(labels, labels).cluster_sizes
    like = (np.log(sizes.mean()), (sizes == 1).sum() / sizes.sum())
    return {
        "precision": np.array([_logit(with_strict.precision), _logit(with_loose.recall), 1]),
        "f": np.array([_logit(with_strict.f), _logit(with_loose.f), 1, *like]),
    }


def kept_together(labels: ArrayLike, strict: ArrayLike) -> NDArray[np.float64]:
    """(C,) of two faces drawn from a cluster of `labels`, how often `strict` has them together."""
    table = contingency(strict, labels)
    shares = (table.count / table.cluster_sizes[table.cluster]) ** 2
    return np.bincount(table.cluster, weights=shares).astype(np.float64)


def _score(told: dict[str, NDArray[np.float64]], learned: dict[str, Any]) -> ExpectedScore:
    like = told["f"].copy()
    like[SIZE] = min(like[SIZE], learned["largest"])
    at = float(like @ learned["f"])
    f = float(expit(at))
    precision = max(float(expit(told["precision"] @ learned["precision"])), f / (2 - f))
    low, high = (float(expit(at + away)) for away in learned["interval"])
    return ExpectedScore(precision, f * precision / (2 * precision - f), f, Interval(low, high))


def _logit(share: Any) -> Any:
    return logit(np.clip(share, LEAST, 1 - LEAST))


@cache
def _learned() -> dict[str, Any]:
    learned: dict[str, Any] = json.loads(LEARNED.read_text())
    return learned
