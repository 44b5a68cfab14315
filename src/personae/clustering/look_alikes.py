"""Groups of look-alikes, whom an embedder finds closer to one another than it finds strangers in general.

Each of them is linked with some others of the group, as the faces of a person are; but the faces of a person
are close to nearly all the others.
"""

import numpy as np
from numpy.typing import NDArray

from personae.clustering.map_equation import MapEquation
from personae.data.constraints import Constraints
from personae.graph.components import first_seen
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.link.strangers import Strangers

LOOSE = 1.0  # widths that a face may lie farther from its person's others, in the mean, than a link reaches


def look_alikes_apart(
    labels: NDArray[np.int32],
    features: NDArray[np.floating],
    graph: KnnGraph,
    strangers: Strangers,
    floors: list[float],
    constraints: Constraints | None = None,
) -> NDArray[np.int32]:
    """(N,) int32, the people after loose groups were taken apart, 0..C-1 in the order of the first faces.

    labels:   (N,) the people found on the links above the first of `floors`
    features: (N, d) unit rows
    floors:   widths that links must exceed, rising

    In a loose group the map equation is asked again, on the links above the next floor; and so on in its parts.
    O(N d) for all groups, and the map equation on the few that are loose.
    """
    labels = labels.copy()
    rows = np.arange(len(labels))
    for floor in floors[1:]:
        near = closeness(features[rows], strangers.of(rows), first_seen(labels[rows]))
        rows = rows[near < floors[0] - LOOSE]
        if not len(rows):
            break
        links = strangers.of(rows).link(_inside(graph, rows, labels), floor)
        held = None if constraints is None else constraints.among(rows)
        labels[rows] = labels.max() + 1 + MapEquation().cluster(links, held)
    return first_seen(labels)


def closeness(
    features: NDArray[np.floating], strangers: Strangers, labels: NDArray[np.int32]
) -> NDArray[np.float64]:
    """(N,) how many widths nearer than strangers the rest of its group is, in the mean over a group's faces.

    The cosine of a face with the rest is the mean one. Infinite for the faces of groups of one or two.
    """
    order = np.argsort(labels, kind="stable")
    size = np.bincount(labels)
    start = np.cumsum(size) - size
    wide = features[order].astype(np.float64)
    others = np.repeat(np.add.reduceat(wide, start), size, axis=0) - wide
    cosines = np.einsum("ij,ij->i", wide, others) / np.maximum(np.repeat(size, size) - 1, 1)
    z = strangers.of(order).nearer(cosines)
    mean = np.add.reduceat(z, start) / size
    return np.where(size > 2, mean, np.inf)[labels]


def _inside(graph: KnnGraph, rows: NDArray[np.intp], labels: NDArray[np.int32]) -> KnnGraph:
    """The graph of some faces, with the neighbors that are in a face's own group."""
    place = np.full(len(labels) + 1, NOBODY, np.int32)  # the last is that of nobody
    place[rows] = np.arange(len(rows))
    others = graph.neighbors[rows]
    own = (labels[others] == labels[rows][:, None]) & (others != NOBODY)
    return KnnGraph(place[others], graph.similarities[rows]).where(own)
