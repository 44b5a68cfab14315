"""People with more faces than a list of neighbors holds, whom the map equation tears into many.

Where all k neighbors of most faces of a group are of the group itself, the lists don't say who comes next. Of
some of its faces they do: among a few faces of every such group, the k nearest reach into the groups beside it.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from personae.clustering.look_alikes import CROWD, closeness
from personae.clustering.map_equation import MapEquation
from personae.data.constraints import Constraints
from personae.data.faceset import FaceSet
from personae.data.pages import let_go
from personae.graph.adjacency import canonical_order
from personae.graph.components import first_seen
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.graph.search import knn_graph
from personae.link.strangers import Strangers

SEEN = 5  # groups that a list of neighbors can reach
ALONE = -1


def joined_again(
    labels: NDArray[np.int32],
    features: NDArray[np.floating],
    graph: KnnGraph,
    strangers: Strangers,
    floor: float,
    constraints: Constraints | None = None,
) -> NDArray[np.int32]:
    """(N,) int32, the people after those with full lists were joined, 0..C-1 in the order of the first faces.

    labels:   (N,) the people found on the links above `floor`
    features: (N, d) unit rows

    From each group whose lists are mostly full of links k / 5 faces are taken, evenly along `canonical_order`,
    and the map equation is asked again, on the kNN graph of these alone. Groups most of whose faces it puts
    together are one person, if they are as close to each other in the mean as links reach and no hard pair is
    between them; until nobody joins.
    """

    def person_of(rows: NDArray[np.intp], labels: NDArray[np.int32]) -> NDArray[np.int64]:
        some, near = FaceSet(features[rows]), strangers.take(rows)
        let_go(features)
        links = near.link(knn_graph(some, min(graph.k, len(rows) - 1)), floor)
        person = _most_of(labels[rows], MapEquation().cluster(links), int(labels.max()) + 1)
        if constraints is not None:
            ends = labels[constraints.hard]
            person[ends[person[ends[:, 0]] == person[ends[:, 1]]]] = ALONE
        person = _numbered(person, len(rows))
        parts, group = first_seen(labels[rows]), first_seen(person[labels[rows]])
        between = np.bincount(group, closeness(group, some.features, near, parts)) / np.bincount(group)
        person[labels[rows[(between < floor)[group]]]] = ALONE
        return _numbered(person, len(rows))

    last = KnnGraph(graph.neighbors[:, -1:], graph.similarities[:, -1:])
    return _joined(labels, _linked(strangers.link(last, floor)), graph, person_of)


def crowds_joined(
    labels: NDArray[np.int32],
    features: NDArray[np.floating],
    graph: KnnGraph,
    strangers: Strangers,
    floor: float,
    constraints: Constraints | None = None,
) -> NDArray[np.int32]:
    """(N,) int32, as `joined_again`, but only people of more than twice as many faces as a list holds join."""
    joined = joined_again(labels, features, graph, strangers, floor, constraints)
    large = np.bincount(joined)[joined] > CROWD * graph.k
    return first_seen(np.where(large, len(labels) + joined, labels).astype(np.int32))


def joined_by_links(
    labels: NDArray[np.int32], links: KnnGraph, asked: Callable[[NDArray[np.intp]], KnnGraph]
) -> NDArray[np.int32]:
    """(N,) int32, the same by a link model, whose links say how close groups are.

    labels: (N,) the people found on `links`
    links:  of weight above 0
    asked:  the links among some of the faces alone, on their own kNN graph
    """

    def person_of(rows: NDArray[np.intp], labels: NDArray[np.int32]) -> NDArray[np.int64]:
        person = _most_of(labels[rows], MapEquation().cluster(asked(rows)), int(labels.max()) + 1)
        return _numbered(person, len(rows))

    last = KnnGraph(links.neighbors[:, -1:], links.similarities[:, -1:])
    return _joined(labels, _linked(last), links, person_of)


def _joined(
    labels: NDArray[np.int32],
    full: NDArray[np.bool_],
    graph: KnnGraph,
    person_of: Callable[[NDArray[np.intp], NDArray[np.int32]], NDArray[np.int64]],
) -> NDArray[np.int32]:
    """The people after groups of one person, as `person_of` says of a few faces of each, were joined.

    full: (N,) whether all neighbors of a face are links
    """
    order = canonical_order(graph)
    while True:
        size = np.bincount(labels)
        crowded = np.bincount(labels, full) > size / 2
        if crowded.sum() < 2:
            return labels
        rows = _some(labels, size, crowded, order, max(1, graph.k // SEEN))
        joined = first_seen(person_of(rows, labels)[labels])
        if joined.max() == labels.max():
            return labels
        labels = joined


def _linked(last: KnnGraph) -> NDArray[np.bool_]:
    """(N,) whether there is a link at the last rank."""
    return np.asarray((last.neighbors != NOBODY).any(axis=1))


def _numbered(person: NDArray[np.int64], taken: int) -> NDArray[np.int64]:
    """A person of its own for each group that is alone, above the `taken` numbers of the others."""
    return np.where(person == ALONE, taken + np.arange(len(person)), person)


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
