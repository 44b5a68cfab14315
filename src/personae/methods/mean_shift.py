"""Mean shift: every face climbs to where faces lie densest; those that meet at the top are one person.

Comaniciu and Meer, "Mean shift: a robust approach toward feature space analysis", IEEE TPAMI 24, 2002.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.data.faceset import FaceSet
from personae.errors import InputError
from personae.graph.components import first_seen
from personae.graph.farthest_first import canonical_rows
from personae.methods.estimator import FeatureClusterer, refuse_crowds

MOST_FACES = 15_000
ROWS = 1 << 10  # faces that climb in one go
STILL = 1e-3  # of the bandwidth: a step this short ends the climb
MOST_STEPS = 300


class MeanShift(FeatureClusterer):
    """The tops of the density that faces within cosine `tau` make; each face belongs to the nearest top.

    It believes that every person is one bump of about the same width. It is weak where `tau` is: too low, and
    strangers share a bump, too high, and every face is its own. `tau` belongs to the embedder (0.65 suits
    SFace, 0.96 dlib). No number of people is needed. O(N^2 d) a step, some dozens of steps, so at most 15,000
    faces. The kernel is flat with bandwidth sqrt(2 - 2 tau), as in scikit-learn, which agrees and takes longer.

    tau: cosine from which two faces are near each other
    """

    def __init__(self, tau: float = 0.65) -> None:
        self.tau = tau

    def _labels(self, faces: FaceSet) -> NDArray[np.int32]:
        refuse_crowds(faces, MOST_FACES, "mean shift", "Auto or DBSCAN")
        if not -1 < self.tau < 1:
            raise InputError(f"tau is {self.tau}; it needs to lie between -1 and 1")
        order = canonical_rows(faces.features)
        features = np.ascontiguousarray(faces.features[order], dtype=np.float64)
        reach = 2 - 2 * self.tau
        tops, near = climbed(features, reach)
        tops = tops[np.lexsort((*tops.T[::-1], near))[::-1]]
        tops = tops[_apart(tops, reach)]
        labels = np.empty(len(faces), dtype=np.intp)
        labels[order] = np.concatenate(
            [_squared(features[at : at + ROWS], tops).argmin(axis=1) for at in range(0, len(features), ROWS)]
        )
        return first_seen(labels)


def climbed(features: NDArray[np.float64], reach: float) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Where each face ends that goes to the mean of the faces within `reach` until it stands still.

    reach: squared distance, 2 - 2 cosine between unit rows
    Returns the ends, (N, d), and how many faces are within reach there, (N,).
    """
    ends, near = features.copy(), np.zeros(len(features), dtype=np.intp)
    climbing = np.arange(len(features))
    for _ in range(MOST_STEPS):
        going = []
        for start in range(0, len(climbing), ROWS):
            rows = climbing[start : start + ROWS]
            within = _squared(ends[rows], features) <= reach
            near[rows] = within.sum(axis=1)
            mean = (within @ features) / np.maximum(near[rows], 1)[:, None]
            mean[near[rows] == 0] = ends[rows][near[rows] == 0]
            moved = ((mean - ends[rows]) ** 2).sum(axis=1) > STILL**2 * reach
            ends[rows] = mean
            going.append(rows[moved])
        climbing = np.concatenate(going)
        if not len(climbing):
            break
    return ends, near


def _squared(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared distances, (A, B)."""
    lengths = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)
    return np.asarray(lengths - 2 * (a @ b.T))


@njit(cache=True, fastmath={"reassoc", "contract"})
def _apart(tops: NDArray[np.float64], reach: float) -> NDArray[np.int64]:
    """The tops that no earlier one kept is within reach of."""
    kept = np.empty(len(tops), dtype=np.int64)
    count = 0
    for top in range(len(tops)):
        free = True
        for at in range(count):
            squared = 0.0
            for axis in range(tops.shape[1]):
                squared += (tops[top, axis] - tops[kept[at], axis]) ** 2
            if squared <= reach:
                free = False
                break
        if free:
            kept[count] = top
            count += 1
    return kept[:count]
