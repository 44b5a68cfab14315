"""Faces that lie far apart: each the one least like all before it.

Gonzalez, "Clustering to minimize the maximum intercluster distance", Theoretical Computer Science 38, 1985.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.graph.nearest_point import SAME, NearestPoint

KEYS = 8  # columns that tell most faces apart
CANDIDATES = 2048  # faces looked at one by one between two looks at all


def canonical_rows(features: NDArray[np.floating[Any]]) -> NDArray[np.intp]:
    """(N,) an order of the faces by their values, column after column; only equal rows tie.

    What visits or draws faces in this order gives the same people whatever the order of the input.
    """
    first = np.ascontiguousarray(features[:, :KEYS].T)
    order = np.lexsort(first[::-1])
    tied = np.zeros(len(order) + 1, dtype=bool)  # with the row before
    tied[1:-1] = (first[:, order[1:]] == first[:, order[:-1]]).all(axis=0)
    places = np.flatnonzero(tied[:-1] | tied[1:])  # with any row: these need all columns
    rows = order[places]
    order[places] = rows[np.lexsort(features[rows].T[::-1])]
    return order


def farthest_first(features: NDArray[np.float32], count: int) -> tuple[NDArray[np.intp], NearestPoint]:
    """Faces: the one most like the mean, then again and again the one least like all that were taken.

    features: (N, d), unit rows
    count:    C, how many; fewer come back where fewer faces differ

    Returns (C,) the faces in the order in which they were taken, and which of these, 0..C-1, is nearest to
    each face.

    The candidates of one look are taken one by one as long as no other face can be farther out, so this is
    the plain rule at the price of dense products. 2 N C d floating-point operations.
    """
    first = int(np.argmax(features @ features.mean(axis=0)))
    taken = [np.array([first], dtype=np.intp)]
    nearest = NearestPoint(features)
    nearest.take(features[taken[0]], np.zeros(1, dtype=np.int32))
    known = 1
    while known < count and nearest.similarity.min() < SAME:
        near = nearest.similarity
        some = np.arange(len(near))
        beyond = np.float32(np.inf)
        if len(near) > CANDIDATES:
            parted = np.argpartition(near, CANDIDATES)
            some, beyond = np.sort(parted[:CANDIDATES]), near[parted[CANDIDATES]]
        chosen = some[_taken(features[some], near[some], beyond, count - known)]
        numbers = np.arange(known, known + len(chosen), dtype=np.int32)
        nearest.take(features[chosen], numbers)
        nearest.point[chosen], nearest.similarity[chosen] = numbers, 1
        taken.append(chosen)
        known += len(chosen)
    return np.concatenate(taken), nearest


@njit(cache=True, fastmath={"reassoc", "contract"})
def _taken(
    features: NDArray[np.float32], near: NDArray[np.float32], beyond: np.float32, most: int
) -> NDArray[np.int64]:
    """The candidates that come next, in turn; `near` is theirs, `beyond` the least of all other faces."""
    taken = np.empty(min(most, len(near)), dtype=np.int64)
    for at in range(len(taken)):
        farthest = int(np.argmin(near))
        if near[farthest] >= SAME or (at > 0 and near[farthest] > beyond):
            return taken[:at]
        taken[at] = farthest
        for row in range(len(near)):
            cosine = np.float32(0)
            for axis in range(features.shape[1]):
                cosine += features[row, axis] * features[farthest, axis]
            near[row] = max(near[row], cosine)
        near[farthest] = 1
    return taken
