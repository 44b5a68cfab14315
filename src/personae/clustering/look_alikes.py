"""Groups of look-alikes, whom an embedder finds closer to one another than it finds strangers in general.

Each of them is linked with some others of the group, as the faces of a person are; but the faces of a person
are close to nearly all the others.
"""

from collections.abc import Iterator
from itertools import chain, count
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.clustering.map_equation import MapEquation
from personae.data.constraints import Constraints
from personae.data.pages import is_map, passing, read_at_once
from personae.graph.components import first_seen
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.graph.threads import Span, in_threads, read_rows
from personae.link.strangers import NEAREST, Strangers, log_distance

BLOCK = 1 << 12  # faces whose groups are looked at in one go
CROWD = 2  # times as many faces as a list holds are a crowd
STEP = 0.25  # widths from one floor to the next, for crowds that the given ones leave loose
LOOSE = 1.0  # widths that the faces of a person may be farther from one another, in the mean, than links reach
FAR = 2.0  # and that one of them may be from the others


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
    A crowd may be less loose the larger it is, since its lists hold only the nearest of it: poor pictures of
    thousands of people, near to one another, fill each other's lists as one person's do. It is asked until its
    parts are no crowds or not loose.
    Then faces that are far from the rest of their group leave it, together if there are links between them.
    O(N d) for all groups, and the map equation on the few faces that are in doubt.
    """
    labels = labels.copy()
    rows = np.arange(len(labels))
    for floor in chain(floors[1:], count(floors[-1] + STEP, STEP)):
        crowds = np.bincount(labels)[labels[rows]] / (CROWD * max(graph.k, 1))
        least = floors[0] - LOOSE / np.maximum(crowds, 1)
        asked = loose(first_seen(labels[rows]), features, strangers, least, rows)
        if floor > floors[-1]:
            asked &= crowds > 1
        if constraints is not None:
            asked &= _may_part(first_seen(labels[rows]), constraints.group[rows])
        rows = rows[asked]
        if not len(rows):
            break
        _ask_again(labels, rows, graph, strangers, floor, constraints)
    far = closeness(first_seen(labels), features, strangers) < floors[0] - FAR
    if constraints is not None:
        far = (np.bincount(constraints.group, ~far) == 0)[constraints.group]
    rows = np.flatnonzero(far)
    if len(rows):
        _ask_again(labels, rows, graph, strangers, floors[0], constraints)
    return first_seen(labels)


def _may_part(labels: NDArray[np.int32], group: NDArray[np.int32]) -> NDArray[np.bool_]:
    """(R,) whether the people of each face are of several of the groups that stay together; both (R,)."""
    one = np.empty(int(labels.max(initial=-1)) + 1, group.dtype)
    one[labels] = group
    return np.asarray(np.bincount(labels, group != one[labels])[labels] > 0)


def loose(
    labels: NDArray[np.int32],
    features: NDArray[np.floating],
    strangers: Strangers,
    least: NDArray[np.float64],
    rows: NDArray[np.intp],
) -> NDArray[np.bool_]:
    """(R,) whether the faces of each face's group are farther from one another, in the mean, than they may be.

    labels:   (R,) int32, 0..C-1
    features: (N, d) unit rows
    least:    (R,) widths that each face's group has to be nearer than strangers
    rows:     (R,) the faces that are looked at
    """
    near = np.bincount(labels, closeness(labels, features, strangers, rows=rows)) / np.bincount(labels)
    return np.asarray(near[labels] < least)


def closeness(
    labels: NDArray[np.int32],
    features: NDArray[np.floating],
    strangers: Strangers,
    parts: NDArray[np.int32] | None = None,
    rows: NDArray[np.intp] | None = None,
) -> NDArray[np.float64]:
    """(R,) how many widths nearer than strangers each face is to the others of its group.

    labels:   (R,) int32, 0..C-1
    features: (N, d) unit rows
    parts:    (R,) groups within the groups, if only those of other parts count as others
    rows:     (R,) the faces that are looked at, all by default

    As `Strangers.widths`, with the mean cosine, level and spread of the others for each of them; infinite where
    there are none.
    """
    near = np.empty(len(labels))
    order = np.argsort(labels, kind="stable") if parts is None else np.lexsort((parts, labels))
    inner = np.arange(len(labels), dtype=np.int32) if parts is None else parts
    faces = order if rows is None else rows[order]
    ends = np.cumsum(np.bincount(labels))

    def put(span: Span, first: int, values: NDArray[np.floating] | None) -> None:
        some, who = order[slice(*span)], faces[slice(*span)]
        seen = strangers.take(who)
        read = features[who] if values is None else values[span[0] - first : span[1] - first]
        wide = np.asarray(read, np.result_type(read.dtype, np.float32))
        near[some] = _closeness(labels[some], wide, (seen.level, seen.spread), inner[some])

    for low, high in _runs(ends, (0, len(labels)), read_at_once(features)):
        values = np.empty((high - low, features.shape[1]), features.dtype) if is_map(features) else None
        if values is not None:
            read_rows(features, faces[low:high], values)
        in_threads(put, _runs(ends, (low, high), BLOCK), low, values)
    return near


def _runs(ends: NDArray[np.intp], within: Span, size: int) -> Iterator[Span]:
    """Runs of `size` rows at most, of whole groups that end at `ends`; or of one that is larger."""
    low, last = within
    while low < last:
        most = int(ends[np.searchsorted(ends, min(low + size, last), "right") - 1])
        high = most if low < most <= low + size else int(ends[np.searchsorted(ends, low, "right")])
        yield low, high
        low = high


class Means(NamedTuple):
    """The mean faces of G groups, and what strangers look like to them.

    middle: (G, d) float32
    level:  (G,) float64, in widths
    slope:  (G,) float64, widths that the logarithm of a distance counts
    """

    middle: NDArray[np.float32]
    level: NDArray[np.float64]
    slope: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        group: NDArray[np.integer],
        rows: NDArray[np.intp],
        features: NDArray[np.floating],
        strangers: Strangers,
    ) -> "Means":
        """group: (R,) 0..G-1, of the faces `rows`; features: (N, d) unit rows."""
        count = np.bincount(group)
        middle = np.zeros((len(count), features.shape[1]), np.float32)
        for some in passing(len(rows), BLOCK, features):
            np.add.at(middle, group[some], features[rows[some]])
        middle /= count[:, None]
        scale = 1 / strangers.spread
        level = np.bincount(group, (strangers.level * scale)[rows]) / count
        return cls(middle, level, np.bincount(group, scale[rows]) / count)

    def widths(self, one: NDArray[np.integer], other: NDArray[np.integer]) -> NDArray[np.float64]:
        """(P,) how many widths nearer than strangers each pair of groups is; both (P,)."""
        near = np.empty(len(one))
        for some in passing(len(one), BLOCK):
            a, b = one[some], other[some]
            depth = log_distance(np.einsum("ij,ij->i", self.middle[a], self.middle[b]).astype(np.float64))
            near[some] = (self.level[a] + self.level[b] - (self.slope[a] + self.slope[b]) * depth) / 2
        return near


@njit(cache=True, nogil=True)
def _closeness(
    labels: NDArray[np.int32],
    features: NDArray[np.floating[Any]],
    seen: tuple[NDArray[np.float64], NDArray[np.float64]],
    parts: NDArray[np.int32],
) -> NDArray[np.float64]:
    """(R,) as `closeness`, of whole groups one after the other, and their parts.

    seen: (R,), (R,), level and spread of the strangers of each face
    """
    (n, d), (level, spread) = features.shape, seen
    near = np.full(n, np.inf)
    group, part = np.empty(d + 2), np.empty(d + 2)
    low = 0
    while low < n:
        high = low
        while high < n and labels[high] == labels[low]:
            high += 1
        _add_up(features[low:high], level[low:high], spread[low:high], group)
        start = low
        while start < high:
            end = start
            while end < high and parts[end] == parts[start]:
                end += 1
            if end - start == high - low:
                break
            _add_up(features[start:end], level[start:end], spread[start:end], part)
            others = high - low - (end - start)
            for at in range(d + 2):
                part[at] = (group[at] - part[at]) / others
            for face in range(start, end):
                product = 0.0
                for at in range(d):
                    product += features[face, at] * part[at]
                scale = 1 / spread[face]
                depth = np.log(max(1 - product, NEAREST))
                near[face] = (level[face] * scale + part[d] - (scale + part[d + 1]) * depth) / 2
            start = end
        low = high
    return near


@njit(cache=True, nogil=True)
def _add_up(
    features: NDArray[np.floating[Any]],
    level: NDArray[np.float64],
    spread: NDArray[np.float64],
    total: NDArray[np.float64],
) -> None:
    """The sums of some faces' features, and of their levels in widths and their slopes."""
    d = features.shape[1]
    total[:] = 0
    for face in range(len(features)):
        for at in range(d):
            total[at] += features[face, at]
        total[d] += level[face] / spread[face]
        total[d + 1] += 1 / spread[face]


def _ask_again(
    labels: NDArray[np.int32],
    rows: NDArray[np.intp],
    graph: KnnGraph,
    strangers: Strangers,
    floor: float,
    constraints: Constraints | None,
) -> None:
    """Gives some faces new groups, by the links above a floor that are within their old ones."""
    links = strangers.take(rows).link(within(graph, rows, labels), floor)
    held = None if constraints is None else constraints.take(rows)
    labels[rows] = labels.max() + 1 + MapEquation().cluster(links, held)


def within(graph: KnnGraph, rows: NDArray[np.intp], labels: NDArray[np.int32]) -> KnnGraph:
    """The graph of some faces, numbered in the order of `rows`, with the neighbors in a face's own group."""
    place = np.full(len(labels) + 1, NOBODY, np.int32)  # the last is that of nobody
    place[rows] = np.arange(len(rows))
    neighbors = np.empty((len(rows), graph.k), np.int32)
    similarities = np.empty(neighbors.shape, graph.similarities.dtype)
    for here in passing(len(rows), BLOCK, graph.neighbors, graph.similarities):
        others = graph.neighbors[rows[here]]
        own = (labels[others] == labels[rows[here]][:, None]) & (others != NOBODY)
        neighbors[here] = np.where(own, place[others], NOBODY)
        similarities[here] = np.where(own, graph.similarities[rows[here]], 0)
    return KnnGraph(neighbors, similarities)
