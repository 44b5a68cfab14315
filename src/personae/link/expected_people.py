"""How many people are there? The sum over all faces of 1 / (faces of the same person).

A person with n faces adds n times 1/n. How many faces are of the same person is read off the strangers: those
that lie nearer than strangers do.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from personae.errors import refuse_other_clusters
from personae.graph.exact import nearest_faces
from personae.graph.farthest_first import canonical_rows
from personae.link.strangers import NEAREST, Sample, log_distance, strangers_of

ASKED = 4096  # faces that stand for all
COMPARED = 1024  # faces that each of them is compared with
MOST = 256  # mates that are counted
ONE_WIDTH = float(norm.cdf(-1))  # share of a bell curve beyond one width


def wanted_clusters(clusters: int | None, features: NDArray[np.floating[Any]]) -> int:
    """K as given, or as counted. InputError: not one of 1 to N."""
    refuse_other_clusters(clusters, len(features))
    return expected_people(features) if clusters is None else int(clusters)


def expected_people(features: NDArray[np.floating[Any]], alpha: float = 1e-3) -> int:
    """The number of people among N faces, from 1 to N, by what the features alone say.

    alpha: strangers that are expected nearer to a face than the nearest stranger that counts

    Each face asked has a level and a spread of log(1 - cosine) to strangers; its mates are the faces nearer
    than the bell curve's quantile at alpha / N. A first look as in `strangers_of`, from the far side, tells who
    may be a mate and is left out; of the others the median and one width away from the face are taken. The
    near side would be exact were there no look-alikes, of which an embedder like dlib has so many that it
    counts more than twice the people. A person with more than 256 faces counts as several.

    All faces are asked up to 4,096, that many spread evenly over `canonical_rows` beyond. O(4096 N d).
    """
    n = len(features)
    order = canonical_rows(features)
    asked, compared = _spread(order, ASKED), _spread(order, COMPARED)
    row_of = np.full(n, -1)
    row_of[asked] = np.arange(len(asked))
    sample = Sample(features[compared].astype(np.float64), row_of[compared])
    far = strangers_of(features[asked], sample, side="far")
    enough = norm.isf(alpha / n)
    depth = log_distance(features[asked].astype(np.float64) @ sample.features.T)
    mates = (far.level[:, None] - depth) / far.spread[:, None] > enough
    mates |= sample.face[None, :] == np.arange(len(asked))[:, None]
    level, spread = _level_and_spread(depth, mates)
    _, similarities = nearest_faces(features, asked, MOST)
    nearer = (level[:, None] - log_distance(similarities.astype(np.float64))) / spread[:, None] > enough
    share = 1 / (1 + nearer.sum(axis=1))
    return max(1, round(float(share.mean() * n)))


def _level_and_spread(
    depth: NDArray[np.float64], left_out: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The median of each row and one width above it, without those left out; of the median row if all are."""
    rising = np.sort(np.where(left_out, np.nan, depth), axis=1)  # NaN last
    last = (rising.shape[1] - left_out.sum(axis=1) - 1).clip(min=0)
    level, far = (
        np.take_along_axis(rising, np.rint(share * last).astype(np.intp)[:, None], axis=1)[:, 0]
        for share in (0.5, 1 - ONE_WIDTH)
    )
    spread = far - level
    known = np.isfinite(level) & (spread > NEAREST)
    if not known.any():
        return np.zeros(len(level)), np.ones(len(level))
    return np.where(known, level, np.median(level[known])), np.where(known, spread, np.median(spread[known]))


def _spread(order: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    return order[np.linspace(0, len(order) - 1, min(len(order), size)).astype(np.intp)]
