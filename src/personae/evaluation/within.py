"""Scores of some of the faces among all of them, as validation identities in a larger crowd need."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from personae.evaluation.score import Score


def scores_within(
    truth: NDArray[np.int32], labels: NDArray[np.int32], chosen: NDArray[Any]
) -> tuple[Score, Score]:
    """Pairwise and BCubed score over the pairs that have a chosen face as their first, and over those faces.

    truth, labels: (N,) int32 from 0
    chosen:        rows or a mask; with all of them both are the usual scores

    A chosen face that shares its cluster with one that is not chosen pays for it, so the crowd counts.

    >>> scores_within(np.array([0, 0, 1]), np.array([0, 0, 0]), np.array([0, 1]))
    (Score(precision=0.5, recall=1.0, f=0.667), Score(precision=0.667, recall=1.0, f=0.8))
    """
    width = int(labels.max()) + 1
    _, cell, count = np.unique(truth.astype(np.int64) * width + labels, return_inverse=True, return_counts=True)
    both = count[cell][chosen].astype(np.float64)
    found = np.bincount(labels)[labels[chosen]].astype(np.float64)
    true = np.bincount(truth)[truth[chosen]].astype(np.float64)
    pairs_found, pairs_true = (found - 1).sum(), (true - 1).sum()
    together = (both - 1).sum()
    pairwise = Score.of(
        float(together / pairs_found) if pairs_found else 1.0,
        float(together / pairs_true) if pairs_true else 1.0,
    )
    return pairwise, Score.of(float((both / found).mean()), float((both / true).mean()))
