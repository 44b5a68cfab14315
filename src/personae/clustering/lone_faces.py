"""Faces left alone that are close to all of one person, though to none of its faces as close as links must be.

The mean over a person's faces says more than any one of them: a poor picture is farther from each than other
pictures are, but nearer to all than a stranger is.
"""

import numpy as np
from numpy.typing import NDArray

from personae.clustering.look_alikes import LOOSE, Means
from personae.data.constraints import Constraints
from personae.data.pages import passing
from personae.graph.components import first_seen
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.link.strangers import Strangers, log_distance

ENOUGH = 3  # faces of a person that has a mean
BLOCK = 1 << 14  # pairs in one go
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
    face, person = _candidates(labels, graph, size, rows)
    if constraints is not None and len(constraints.apart):
        a, b = constraints.apart.T
        apart = np.r_[a, b].astype(np.int64) * len(size) + labels[np.r_[b, a]]
        kept = ~np.isin(face * len(size) + person, apart)
        face, person = face[kept], person[kept]
    if not len(face):
        return labels
    near = _closeness(face, person, labels, features, strangers)
    order = np.lexsort((person, -near, face))
    face, person, near = face[order], person[order], near[order]
    first = np.r_[True, face[1:] != face[:-1]]
    ahead = np.where(np.r_[first[1:], True], np.inf, near - np.r_[near[1:], 0])
    joins = first & (near > floor - LOOSE) & (ahead > LEAD)
    found = labels.copy()
    found[face[joins]] = person[joins]
    if constraints is not None and len(constraints.apart):
        a, b = constraints.apart[found[constraints.apart[:, 0]] == found[constraints.apart[:, 1]]].T
        back = np.r_[a, b]
        found[back] = labels[back]
    return first_seen(found)


def _candidates(
    labels: NDArray[np.int32], graph: KnnGraph, size: NDArray[np.intp], rows: NDArray[np.intp]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The lone faces among `rows`, each with each of the people that it may join."""
    lone = rows[size[labels[rows]] == 1]
    found = [np.empty(0, np.int64)]
    for here in passing(len(lone), BLOCK, graph.neighbors):
        others = graph.neighbors[lone[here]]
        person = labels[others].astype(np.int64)
        row, rank = np.nonzero((others != NOBODY) & (size[person] >= ENOUGH))
        found.append(np.unique(lone[here][row] * len(size) + person[row, rank]))
    pairs = np.unique(np.concatenate(found))
    return np.asarray(pairs // len(size)), np.asarray(pairs % len(size))


def _closeness(
    face: NDArray[np.int64],
    person: NDArray[np.int64],
    labels: NDArray[np.int32],
    features: NDArray[np.floating],
    strangers: Strangers,
) -> NDArray[np.float64]:
    """(P,) how many widths nearer than strangers a face and a person are, by the mean of the person's faces."""
    people, of = np.unique(person, return_inverse=True)
    rows = np.flatnonzero(np.isin(labels, people))
    means = Means.of(np.searchsorted(people, labels[rows]), rows, features, strangers)
    depth = np.empty(len(face))
    for some in passing(len(face), BLOCK, features):
        depth[some] = log_distance(
            np.einsum("ij,ij->i", features[face[some]], means.middle[of[some]]).astype(np.float64)
        )
    scale = 1 / strangers.spread
    of_face = (strangers.level * scale)[face] - scale[face] * depth
    return np.asarray((of_face + means.level[of] - means.slope[of] * depth) / 2)
