"""Pairwise precision, recall and F: of the pairs put together, how many belong together, and the reverse."""

from numpy.typing import ArrayLike

from personae.evaluation.contingency import Contingency, Noise, contingency
from personae.evaluation.score import Score


def pairwise(
    truth: ArrayLike,
    labels: ArrayLike,
    *,
    zero_division: float = 1.0,
    noise: Noise = "singletons",
    weights: ArrayLike | None = None,
    ignore_unknown: bool = False,
) -> Score:
    """The pairwise score, F_P in the papers. A pair is two different faces; order does not matter.

    P = TP / PP, R = TP / PT, F = 2 TP / (PP + PT), with TP the pairs of one identity in one cluster, PP the
    pairs in one cluster and PT the pairs of one identity. Large identities and large clusters rule it: both
    count with the square of their size, and a lone face counts for nothing.

    truth, labels, noise, weights, ignore_unknown: see `contingency`, InputError too
    zero_division: P where no cluster has two faces and R where no identity has two; F where both hold.
                   1 says that nothing said is nothing wrong, nan is what the research code gives

    Not the Fowlkes-Mallows index, which is sqrt(P R), though published code has it under that name.

    >>> pairwise([0, 0, 0, 1, 1], [0, 0, 1, 1, 1])
    Score(precision=0.5, recall=0.5, f=0.5)
    >>> pairwise([0, 0, 1, 1], [0, 1, 2, 3])
    Score(precision=1.0, recall=0.0, f=0.0)
    """
    return pairwise_of(
        contingency(truth, labels, noise=noise, weights=weights, ignore_unknown=ignore_unknown),
        zero_division=zero_division,
    )


def pairwise_of(table: Contingency, *, zero_division: float = 1.0) -> Score:
    """The pairwise score of a table; see `pairwise`."""
    n = table.faces
    together = int(table.count @ table.count) - n
    found = int(table.cluster_sizes @ table.cluster_sizes) - n
    true = int(table.identity_sizes @ table.identity_sizes) - n
    return score_of_pairs(together, found, true, zero_division)


def score_of_pairs(together: float, found: float, true: float, zero_division: float = 1.0) -> Score:
    """The score of 2 TP, 2 PP and 2 PT ordered pairs, or of any other multiple of the three."""
    return Score(
        precision=together / found if found else zero_division,
        recall=together / true if true else zero_division,
        f=2 * together / (found + true) if found + true else zero_division,
    )
