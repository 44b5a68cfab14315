"""How many people are there? The sum over all faces of 1 / (faces of the same person).

A person with n faces adds n times 1/n. How many faces are of the same person is read off the strangers: those
that lie nearer than strangers do.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from personae.graph.exact import nearest_faces
from personae.graph.farthest_first import canonical_rows
from personae.link.strangers import NEAREST, Sample, strangers_of

ASKED = 4096  # faces that stand for all
COMPARED = 1024  # faces that each of them is compared with
MOST = 256  # mates that are counted


def expected_people(features: NDArray[np.floating[Any]], alpha: float = 1e-3) -> int:
    """The number of people among N faces, from 1 to N, by what the features alone say.

    alpha: strangers that are expected nearer to a face than the nearest stranger that counts

    Each face asked has its level and spread of log(1 - cosine) to strangers, as in `strangers_of`; its mates
    are the faces nearer than the bell curve's quantile at alpha / N. A person with more than 256 faces counts
    as several. All faces are asked up to 4,096, that many spread evenly over `canonical_rows` beyond.
    O(4096 N d).
    """
    n = len(features)
    order = canonical_rows(features)
    asked, compared = _spread(order, ASKED), _spread(order, COMPARED)
    row_of = np.full(n, -1)
    row_of[asked] = np.arange(len(asked))
    sample = Sample(features[compared].astype(np.float64), row_of[compared])
    strangers = strangers_of(features[asked], sample, side="far")
    _, similarities = nearest_faces(features, asked, MOST)
    depth = np.log(np.maximum(1 - similarities.astype(np.float64), NEAREST))
    nearer = (strangers.level[:, None] - depth) / strangers.spread[:, None] > norm.isf(alpha / n)
    share = 1 / (1 + nearer.sum(axis=1))
    return max(1, round(float(share.mean() * n)))


def _spread(order: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    return order[np.linspace(0, len(order) - 1, min(len(order), size)).astype(np.intp)]
