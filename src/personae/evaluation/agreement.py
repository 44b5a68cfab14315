"""The adjusted Rand index: agreement on pairs beyond what chance gives.

Hubert and Arabie, "Comparing partitions", Journal of Classification 2, 1985.
"""

from numpy.typing import ArrayLike

from personae.evaluation.contingency import Contingency, Noise, contingency


def ari(
    truth: ArrayLike,
    labels: ArrayLike,
    *,
    noise: Noise = "singletons",
    weights: ArrayLike | None = None,
    ignore_unknown: bool = False,
) -> float:
    """The adjusted Rand index, at most 1; 0 is what clusters of the same sizes get by chance.

    (TP - E) / ((PP + PT) / 2 - E) with E = PP PT / (N (N - 1) / 2) and the pairs of `pairwise`; 1 where both
    sides are the same trivial partition and the fraction is 0 / 0.

    truth, labels, noise, weights, ignore_unknown: see `contingency`, InputError too

    >>> round(ari([0, 0, 1, 1], [0, 0, 1, 2]), 3)
    0.571
    """
    return ari_of(contingency(truth, labels, noise=noise, weights=weights, ignore_unknown=ignore_unknown))


def ari_of(table: Contingency) -> float:
    """The adjusted Rand index of a table; see `ari`."""
    n = table.faces
    together = int(table.count @ table.count) - n  # ordered pairs, twice TP, PP and PT
    found = int(table.cluster_sizes @ table.cluster_sizes) - n
    true = int(table.identity_sizes @ table.identity_sizes) - n
    pairs = n * (n - 1)
    # multiplied by `pairs` all is whole, and Python's integers neither overflow nor cancel
    above_chance = together * pairs - found * true
    room = (found + true) * pairs - 2 * found * true
    return 2 * above_chance / room if room else 1.0
