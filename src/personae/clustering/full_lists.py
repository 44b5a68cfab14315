"""People with more faces than a list of neighbors holds, whom the map equation tears into many.

Where all k neighbors of most faces of a group are of the group itself, the lists don't say who comes next. Of
some of its faces they do: among a few faces of every such group, the k nearest reach into the groups beside it.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from personae.clustering.map_equation import MapEquation
from personae.data.constraints import Constraints
from personae.graph.components import first_seen
from personae.graph.knn_graph import NOBODY, KnnGraph

SEEN = 5  # groups that a list of neighbors can reach
ALONE = -1


def joined_again(
    labels: NDArray[np.int32],
    links: KnnGraph,
    order: NDArray[np.intp],
    among: Callable[[NDArray[np.intp]], KnnGraph],
    constraints: Constraints | None = None,
) -> NDArray[np.int32]:
    """(N,) int32, the people after those with full lists were joined, 0..C-1 in the order of the first faces.

    labels: (N,) the people found on `links`, where -1 in the last place of a list says that it is not full
    order:  (N,) an order of the faces that does not depend on where they stand
    among:  the links, of the same strength, in the kNN graph of some faces alone

    From each group whose lists are mostly full k / 5 faces are taken, evenly along `order`, and the map
    equation is asked again. Groups most of whose faces it puts together are one person, unless two of their
    faces are a hard pair; until nobody joins.
    """
    full = links.neighbors[:, -1] != NOBODY if links.k else np.zeros(len(labels), np.bool_)
    while True:
        size = np.bincount(labels)
        crowded = np.bincount(labels, full) > size / 2
        if crowded.sum() < 2:
            return labels
        rows = _some(labels, size, crowded, order, max(1, links.k // SEEN))
        person = _most_of(labels[rows], MapEquation().cluster(among(rows)), len(size))
        if constraints is not None:
            ends = labels[constraints.hard]
            person[ends[person[ends[:, 0]] == person[ends[:, 1]]]] = ALONE
        person = np.where(person == ALONE, len(rows) + np.arange(len(size)), person)
        joined = first_seen(person[labels])
        if joined.max() == labels.max():
            return labels
        labels = joined


def _most_of(group: NDArray[np.int32], person: NDArray[np.int32], groups: int) -> NDArray[np.int64]:
    """(groups,) the person that more than half of each group's faces are, or ALONE."""
    people = np.int64(person.max()) + 1
    pairs, count = np.unique(group * people + person, return_counts=True)
    most = count > np.bincount(group, minlength=groups)[pairs // people] / 2
    found = np.full(groups, ALONE, np.int64)
    found[pairs[most] // people] = pairs[most] % people
    return found


def _some(
    labels: NDArray[np.int32],
    size: NDArray[np.intp],
    crowded: NDArray[np.bool_],
    order: NDArray[np.intp],
    most: int,
) -> NDArray[np.intp]:
    """At most `most` faces of each crowded group, evenly along the order."""
    by_group = order[np.argsort(labels[order], kind="stable")]
    group = labels[by_group]
    place = np.arange(len(labels)) - (np.cumsum(size) - size)[group]
    taken = (place + 1) * most // size[group] > place * most // size[group]
    return np.asarray(np.sort(by_group[taken & crowded[group]]))
