"""What is most likely wrong with the people found: groups that are one person, and faces that are strays.

The links between faces decided who is joined. How near groups are in the mean says how sure that was: the gap
between two groups is how many widths they are nearer than links ask for, below zero if they are farther; and so
for a face and the rest of its group. How often groups so near were one person was learned once, from
collections with known people (`benchmarks.suggestions`):

    logit P(two groups are one person)  = a gap + b
    logit P(a face belongs elsewhere)   = a min(gap, 2) + b, with a b of its own for groups of two
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from personae.clustering.look_alikes import Means, closeness
from personae.data.constraints import Constraints
from personae.data.faceset import FaceSet
from personae.graph.knn_graph import NOBODY
from personae.graph.search import knn_graph
from personae.link.strangers import Strangers

LEARNED = Path(__file__).with_name("suggestions.json")
LIKELY = 0.25  # what is less likely is not worth asking
NEAR = 10  # groups that each group is compared with
FARTHEST = 2.0  # widths beyond which a face belongs no more surely


@dataclass(frozen=True)
class Suggestions:
    """What to ask somebody who knows the people, likeliest first, down to `LIKELY`.

    pairs:     (P, 2) int32, labels of groups that may be one person, not both of one face, the smaller first
    one:       (P,) float64, how likely they are one
    strays:    (S,) int64, faces that may belong elsewhere; of a group of two the second one
    elsewhere: (S,) float64, how likely they do
    """

    pairs: NDArray[np.int32]
    one: NDArray[np.float64]
    strays: NDArray[np.int64]
    elsewhere: NDArray[np.float64]


def suggestions(
    labels: NDArray[np.int32],
    features: NDArray[np.floating],
    strangers: Strangers,
    floor: float,
    constraints: Constraints | None = None,
) -> Suggestions:
    """What is most likely wrong with the people found. O(N d), and the kNN graph of the groups.

    labels:   (N,) int32, 0..C-1
    features: (N, d) unit rows
    floor:    widths that links exceed of which few are false

    What is known is not asked again: groups that are surely two, faces that are surely one with others. Where
    faces are likely two people, as in one photo, the odds that they are one are smaller by that weight.
    """
    pairs, gap = near_groups(labels, features, strangers)
    one = chance("one", gap - floor)
    size = np.bincount(labels)
    rows = np.flatnonzero(size[labels] > 1)
    away = np.zeros(len(labels))
    away[rows] = chance("elsewhere", *signs(labels, rows, features, strangers, floor))
    if constraints is not None:
        one = _less(one, _weight_between(labels, pairs, constraints))
        away = 1 - _less(1 - away, _weight_within(labels, away, constraints))
        away[np.bincount(constraints.group)[constraints.group] > 1] = 0
    _, first = np.unique(labels, return_index=True)
    away[first[size == 2]] = 0
    best = np.lexsort((pairs[:, 1], pairs[:, 0], -one))
    best = best[one[best] >= LIKELY]
    strays = np.argsort(-away, kind="stable")
    strays = strays[away[strays] >= LIKELY]
    return Suggestions(pairs[best], one[best], strays, away[strays])


def near_groups(
    labels: NDArray[np.int32], features: NDArray[np.floating], strangers: Strangers
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """(P, 2) int32, near groups that are not both of one face, and (P,) widths nearer than strangers."""
    means = Means.of(labels, np.arange(len(labels)), features, strangers)
    nowhere = (means.middle == 0).all(axis=1)  # opposite faces
    graph = knn_graph(FaceSet.of(np.where(nowhere[:, None], 1, means.middle)), NEAR)
    row, rank = np.nonzero(graph.neighbors != NOBODY)
    pairs = np.sort(np.stack([row, graph.neighbors[row, rank]], axis=1), axis=1)
    pairs = np.unique(pairs[(np.bincount(labels) > 1)[pairs].any(axis=1)], axis=0)
    return pairs.astype(np.int32), means.widths(*pairs.T)


def signs(
    labels: NDArray[np.int32],
    rows: NDArray[np.intp],
    features: NDArray[np.floating],
    strangers: Strangers,
    floor: float,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(R,) the gap between each face and the rest of its group, and (R,) whether that is one face.

    rows: (R,) all faces of some groups of two or more
    """
    group = np.unique(labels[rows], return_inverse=True)[1].astype(np.int32)
    gap = closeness(group, features, strangers, rows=rows) - floor
    return np.minimum(gap, FARTHEST), np.bincount(group)[group] == 2


def chance(name: str, *values: NDArray[np.floating] | NDArray[np.bool_]) -> NDArray[np.float64]:
    """(P,) by what was learned of (P,) values."""
    *slopes, intercept = _learned()[name]
    at = sum(slope * value for slope, value in zip(slopes, values, strict=True))
    return np.asarray(expit(intercept + at))


def _less(share: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Odds that are smaller by weights: 0 leaves them, 1 leaves nothing."""
    with np.errstate(divide="ignore", invalid="ignore"):  # what is sure to be wrong is not where it is known
        return np.asarray(np.where(weight < 1, expit(logit(share) + np.log1p(-weight)), 0))


def _weight_between(
    labels: NDArray[np.int32], pairs: NDArray[np.int32], constraints: Constraints
) -> NDArray[np.float64]:
    """(P,) the largest weight of a cannot-link between two groups, 0 if there is none."""
    size = int(labels.max()) + 1
    ends = np.sort(labels[constraints.apart], axis=1).astype(np.int64)
    keys, at = np.unique(ends[:, 0] * size + ends[:, 1], return_inverse=True)
    most = np.zeros(len(keys) + 1)
    np.maximum.at(most, at, constraints.weight)
    asked = pairs[:, 0].astype(np.int64) * size + pairs[:, 1]
    place = np.searchsorted(keys, asked)
    there = np.append(keys, -1)[place] == asked
    return np.where(there, most[place], 0)


def _weight_within(
    labels: NDArray[np.int32], away: NDArray[np.float64], constraints: Constraints
) -> NDArray[np.float64]:
    """(N,) the largest weight of a cannot-link to a face of the same group that is less likely a stray."""
    a, b = constraints.apart.T
    within = labels[a] == labels[b]
    weight = np.zeros(len(labels))
    np.maximum.at(weight, np.where(away[a] > away[b], a, b)[within], constraints.weight[within])
    return weight


@cache
def _learned() -> dict[str, list[float]]:
    learned: dict[str, list[float]] = json.loads(LEARNED.read_text())
    return learned
