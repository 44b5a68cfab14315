"""BCubed precision, recall and F: how pure and how complete a cluster looks to the average face in it."""

from numpy.typing import ArrayLike

from personae.evaluation.contingency import Contingency, Noise, contingency
from personae.evaluation.score import Score


def bcubed(
    truth: ArrayLike,
    labels: ArrayLike,
    *,
    noise: Noise = "singletons",
    weights: ArrayLike | None = None,
    ignore_unknown: bool = False,
) -> Score:
    """The BCubed score, F_B in the papers.

    A face of identity a in cluster b has precision n_ab / b_b, the share of its cluster that is its own
    identity, and recall n_ab / a_a, the share of its identity that is in its cluster; the face itself counts,
    so a lone face has precision 1. P and R are averages over faces, F is the harmonic mean of the two averages.

    truth, labels, noise, weights, ignore_unknown: see `contingency`, InputError too

    >>> bcubed([0, 0, 1, 1], [0, 0, 0, 1])
    Score(precision=0.667, recall=0.75, f=0.706)
    """
    return bcubed_of(contingency(truth, labels, noise=noise, weights=weights, ignore_unknown=ignore_unknown))


def bcubed_of(table: Contingency) -> Score:
    """The BCubed score of a table; see `bcubed`."""
    purity = table.count / table.cluster_sizes[table.cluster]  # (E,) n_ab / b_b
    completeness = table.count / table.identity_sizes[table.identity]  # (E,) n_ab / a_a
    return Score.of(
        float((table.count * purity).sum()) / table.faces,
        float((table.count * completeness).sum()) / table.faces,
    )
