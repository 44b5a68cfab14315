"""Scores by identity size: are the people with few faces found as well as those with many?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from personae.errors import InputError
from personae.evaluation.contingency import Contingency, Noise, contingency
from personae.evaluation.score import Score
from personae.evaluation.shares import shares_of
from personae.evaluation.splits import splits_of


@dataclass(frozen=True)
class SizeBin:
    """The scores of the faces whose identity has from `smallest` to `largest` faces.

    pairwise: says nothing where `largest` is 1, as there is no pair to find
    splits:   mean number of clusters over which one of these identities is spread
    """

    smallest: int
    largest: int
    identities: int
    faces: int
    pairwise: Score
    bcubed: Score
    splits: float


def by_size(
    truth: ArrayLike,
    labels: ArrayLike,
    *,
    bins: int = 5,
    noise: Noise = "singletons",
    weights: ArrayLike | None = None,
    ignore_unknown: bool = False,
) -> tuple[SizeBin, ...]:
    """The scores in `bins` groups of about as many identities each, from the smallest to the largest.

    Identities of one size stay together, so there may be fewer groups than asked for. Faces outside the group
    still spoil the clusters they lie in: P is over pairs that begin in the group and end anywhere. (Cutting the
    clusters down to the group instead, as some published code does, makes P look better than it is.)

    truth, labels, noise, weights, ignore_unknown: see `contingency`
    bins: at least 1

    InputError: as `contingency`, and bins below 1.

    >>> for group in by_size([0, 1, 2, 2, 2, 2], [0, 1, 1, 2, 2, 3], bins=2):
    ...     print(group.smallest, group.largest, group.identities, group.bcubed)
    1 1 2 Score(precision=0.75, recall=1.0, f=0.857)
    4 4 1 Score(precision=0.875, recall=0.375, f=0.525)
    """
    return by_size_of(
        contingency(truth, labels, noise=noise, weights=weights, ignore_unknown=ignore_unknown), bins=bins
    )


def by_size_of(table: Contingency, *, bins: int = 5) -> tuple[SizeBin, ...]:
    """The scores of a table by identity size; see `by_size`."""
    if bins < 1:
        raise InputError(f"bins={bins} is not a number of groups; choose 1 or more")
    shares, spread = shares_of(table), splits_of(table)
    _, rank, identities = np.unique(table.identity_sizes, return_inverse=True, return_counts=True)
    middle = np.cumsum(identities) - identities / 2  # place of a size among all identities, in 0..A
    group = np.floor(bins * middle / table.identities).astype(np.int64)[rank]  # (A,) in 0..bins-1
    scored = []
    for number in np.unique(group):
        inside = (group == number).astype(np.int64)
        members = table.identity_sizes[group == number]
        scored.append(
            SizeBin(
                smallest=int(members.min()),
                largest=int(members.max()),
                identities=len(members),
                faces=int(members.sum()),
                pairwise=shares.pairwise(inside),
                bcubed=shares.bcubed(inside),
                splits=float(spread[group == number].mean()),
            )
        )
    return tuple(scored)
