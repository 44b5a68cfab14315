"""Faces left alone that are close to all of one person, though to none of its faces as close as links must be.

The mean over a person's faces says more than any one of them: a poor picture is farther from each than other
pictures are, but nearer to all than a stranger is.
"""

import numpy as np
from numpy.typing import NDArray

from personae.clustering.look_alikes import LOOSE, Means
from personae.data.constraints import Constraints
from personae.graph.components import first_seen
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.graph.threads import passed
from personae.link.strangers import Strangers, log_distance

ENOUGH = 3  # faces of a person that has a mean
BLOCK = 1 << 12  # lone faces in one go
PAIRS = 1 << 12  # of them with people
LEAD = 0.5  # widths that one person must be closer than the next


def lone_faces_joined(  # noqa: PLR0913  (the last two are seldom given)
    labels: NDArray[np.int32],
    features: NDArray[np.floating],
    graph: KnnGraph,
    strangers: Strangers,
    floor: float,
    *,
    constraints: Constraints | None = None,
    rows: NDArray[np.intp] | None = None,
) -> NDArray[np.int32]:
    """(N,) int32, the people after lone faces joined them, 0..C-1 in the order of the first faces.

    labels:   (N,) int32, 0..C-1
    features: (N, d) unit rows
    floor:    widths that links exceed
    rows:     the faces that may join, all by default

    A lone face joins the person it is closest to, of those with three faces or more that its neighbors belong
    to, if it is at most a width farther from it, in the mean, than links reach, half a width closer than to the
    next, and no pair that is apart would come together. O(N d) and O(k d) a lone face.
    """
    size = np.bincount(labels)
    rows = np.arange(len(labels)) if rows is None else rows
    lone = np.sort(rows[size[labels[rows]] == 1])
    wanted = np.zeros(len(size), np.bool_)

    def want(here: slice) -> None:
        wanted[_candidates(lone[here], labels, graph, size)[1]] = True

    passed(want, len(lone), BLOCK, graph.neighbors)
    place, members = np.cumsum(wanted) - 1, np.flatnonzero(wanted[labels])
    if not len(members):
        return labels
    means = Means.of(place[labels[members]], members, features, strangers)
    apart = np.empty(0, np.int64)
    if constraints is not None:
        a, b = constraints.apart.T
        apart = np.r_[a, b].astype(np.int64) * len(size) + labels[np.r_[b, a]]

    def joining(here: slice) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        face, person = _candidates(lone[here], labels, graph, size)
        kept = ~np.isin(face * len(size) + person, apart)
        face, person = face[kept], person[kept]
        near = _closeness(face, place[person], means, features, strangers)
        return _clearly_nearest(face, person, near, floor - LOOSE)

    found = labels.copy()
    for face, person in passed(joining, len(lone), BLOCK, graph.neighbors, features):
        found[face] = person
    if constraints is not None and len(constraints.apart):
        a, b = constraints.apart[found[constraints.apart[:, 0]] == found[constraints.apart[:, 1]]].T
        back = np.r_[a, b]
        found[back] = labels[back]
    return first_seen(found)


def _candidates(
    lone: NDArray[np.intp], labels: NDArray[np.int32], graph: KnnGraph, size: NDArray[np.intp]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(P,), (P,), lone faces, rising, each with each of the people that it may join, rising."""
    others = graph.neighbors[lone]
    person = labels[others].astype(np.int64)
    row, rank = np.nonzero((others != NOBODY) & (size[person] >= ENOUGH))
    pairs = np.sort(lone[row] * len(size) + person[row, rank])
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]
    return np.asarray(pairs // len(size)), np.asarray(pairs % len(size))


def _closeness(
    face: NDArray[np.int64],
    group: NDArray[np.int64],
    means: Means,
    features: NDArray[np.floating],
    strangers: Strangers,
) -> NDArray[np.float64]:
    """(P,) how many widths nearer than strangers each face and the mean of a group are."""
    near = np.empty(len(face))
    for start in range(0, len(face), PAIRS):
        some = slice(start, start + PAIRS)
        one, of = face[some], group[some]
        products = np.einsum("ij,ij->i", features[one], means.middle[of])
        depth, scale = log_distance(products.astype(np.float64)), 1 / strangers.spread[one]
        of_face = scale * (strangers.level[one] - depth)
        near[some] = (of_face + means.level[of] - means.slope[of] * depth) / 2
    return near


def _clearly_nearest(
    face: NDArray[np.int64], person: NDArray[np.int64], near: NDArray[np.float64], least: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The faces that are nearer to one person than `least`, and than to the next by `LEAD`, and who that is."""
    if not len(face):
        return face, person
    first = np.flatnonzero(np.diff(face, prepend=-1))
    best = np.maximum.reduceat(near, first)
    pairs = np.flatnonzero(near == np.repeat(best, np.diff(first, append=len(face))))
    pairs = pairs[np.diff(face[pairs], prepend=-1) > 0]
    others = near.copy()
    others[pairs] = -np.inf
    joins = pairs[(best > least) & (best - np.maximum.reduceat(others, first) > LEAD)]
    return face[joins], person[joins]
