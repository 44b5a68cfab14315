"""The smallest sphere around each face's neighborhood, with slack for outliers, and how two of them agree.

After Lin et al., "Deep Density Clustering of Unconstrained Faces", CVPR 2018, whose minimal covering spheres
are those of Tax and Duin, "Support Vector Data Description", Machine Learning 54, 2004.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.errors import InputError
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.graph.threads import Span, in_threads, spans

BLOCK = 1 << 12  # faces whose links are weighed in one go
GAP = 1e-6  # how far from optimal the weights may be, in squared similarity
STEPS = 100  # pairs of weights moved at most, a face of the neighborhood


@dataclass(frozen=True)
class CoveringSpheres:
    """A link weighs the cosine of the centers of the two faces' spheres, 0 where that is negative.

    The center of a sphere lies where the neighborhood is dense, whatever its outliers, so two faces of one
    person agree even where one of them is a bad picture. A lone face has nobody but strangers around it, and
    its sphere is theirs.

    slack: the share of a neighborhood that may lie outside its sphere, in (0, 1]; at 1 the center is the mean
    O(N k^2 d) for the Gram matrices, about as much for the spheres.
    """

    slack: float = 0.8

    def link(self, features: NDArray[np.floating[Any]], graph: KnnGraph) -> KnnGraph:
        """The same neighbors, the weights in [0, 1]. InputError: slack outside (0, 1]."""
        centers = self.centers(features, graph)
        length = np.linalg.norm(centers, axis=1, keepdims=True)
        centers = np.divide(centers, length, out=np.zeros_like(centers), where=length > 0)
        weights = np.zeros(graph.neighbors.shape, dtype=np.float32)
        for start in range(0, len(graph), BLOCK):
            here = slice(start, start + BLOCK)
            weights[here] = np.einsum("id,ikd->ik", centers[here], centers[graph.neighbors[here]])
        return graph.linked(np.where(graph.neighbors == NOBODY, 0, weights.clip(0, 1)))

    def centers(self, features: NDArray[np.floating[Any]], graph: KnnGraph) -> NDArray[np.float32]:
        """(N, d) the centers c of the spheres around each face and its neighbors.

        c = sum_x a_x x, where a minimises |c|^2 - sum_x a_x |x|^2 with sum_x a_x = 1 and 0 <= a_x <= C: the
        dual of min R^2 + C sum xi with |x - c|^2 <= R^2 + xi, for C = 1 / (slack (k + 1)).
        """
        if not 0 < self.slack <= 1:
            raise InputError(f"slack is {self.slack}; it needs to be above 0 and at most 1")
        wide = np.ascontiguousarray(features, dtype=np.float32)
        centers = np.zeros(wide.shape, np.float32)
        in_threads(_fill, spans(len(wide)), wide, graph.neighbors, self.slack, centers)
        return centers


@njit(cache=True, nogil=True)
def _fill(
    span: Span,
    features: NDArray[np.float32],
    neighbors: NDArray[np.int32],
    slack: float,
    centers: NDArray[np.float32],
) -> None:
    for face in range(*span):
        near = neighbors[face]
        inside = np.empty((len(near) + 1, features.shape[1]), dtype=np.float32)
        count = 0
        for rank in range(-1, len(near)):
            row = face if rank < 0 else near[rank]
            if row >= 0:
                for axis in range(features.shape[1]):
                    inside[count, axis] = features[row, axis]
                count += 1
        gram = _gram(inside[:count])
        share = _sphere(gram, max(1 / (slack * count), 1 / count))
        for axis in range(features.shape[1]):
            total = 0.0
            for row in range(count):
                total += share[row] * inside[row, axis]
            centers[face, axis] = total


@njit(cache=True, fastmath={"reassoc", "contract"})
def _gram(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    gram = np.empty((len(rows), len(rows)))
    for a in range(len(rows)):
        for b in range(a + 1):
            total = np.float32(0)
            for axis in range(rows.shape[1]):
                total += rows[a, axis] * rows[b, axis]
            gram[a, b] = gram[b, a] = total
    return gram


@njit(cache=True)
def _sphere(gram: NDArray[np.float64], most: float) -> NDArray[np.float64]:
    """(m,) the weights a of the faces in the center of their sphere, each in [0, `most`], summing to 1.

    Starts at the mean and moves weight from the face that the center leans on most needlessly to the one it
    lacks most, as far as pays, until no pair is left that gains: the most violating pair of Keerthi et al.,
    Neural Computation 13, 2001.
    """
    m = len(gram)
    share = np.full(m, 1 / m)
    pull = np.zeros(m)  # half the slope of the objective
    for a in range(m):
        for b in range(m):
            pull[a] += gram[a, b] / m
        pull[a] -= gram[a, a] / 2
    for _ in range(STEPS * m):
        to, of = -1, -1
        for a in range(m):
            if share[a] < most and (to < 0 or pull[a] < pull[to]):
                to = a
            if share[a] > 0 and (of < 0 or pull[a] > pull[of]):
                of = a
        if to < 0 or of < 0 or pull[of] - pull[to] < GAP:
            break
        bend = max(gram[to, to] + gram[of, of] - 2 * gram[to, of], 1e-12)
        step = (pull[of] - pull[to]) / bend
        room, there = most - share[to], share[of]
        moved = min(step, room, there)
        share[to] = most if moved == room else share[to] + moved
        share[of] = 0.0 if moved == there else share[of] - moved
        for a in range(m):
            pull[a] += moved * (gram[a, to] - gram[a, of])
    return share
