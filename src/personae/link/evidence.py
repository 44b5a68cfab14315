"""What two neighbors have to say for being one person, whichever way the features are turned.

Cosines and ranks only: a network of these cannot learn faces by heart. Lists are not compared, since how much
of them is common tells how many faces people have, which differs from collection to collection.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.graph.knn_graph import KnnGraph
from personae.graph.threads import Span, in_threads, spans

PROFILE = (0, 1, 2, 4, 8, 16, 32, 64)  # ranks whose cosines describe a face
NEAR, FAR = 4, 16  # neighbors that a face is averaged with
OF_FACE = len(PROFILE) + 2
OF_PAIR = 6


@dataclass(frozen=True)
class Evidence:
    """Of N faces and their kNN graph; pairs are measured in blocks.

    features: (N, d) float32, unit rows
    near:     (N, d) float32, unit means of each face and its 4 nearest
    far:      (N, d) float32, of its 16 nearest
    graph:    N faces, k neighbors
    faces:    (N, 10) float32, cosines at the ranks of `PROFILE` and with both means
    """

    features: NDArray[np.float32]
    near: NDArray[np.float32]
    far: NDArray[np.float32]
    graph: KnnGraph
    faces: NDArray[np.float32]

    @classmethod
    def of(cls, features: NDArray[np.floating[Any]], graph: KnnGraph) -> "Evidence":
        """Of unit features. O(N (k + 16 d)) and 8 N d bytes."""
        wide = np.ascontiguousarray(features, dtype=np.float32)
        near, far = wide.copy(), wide.copy()
        for means, count in ((near, NEAR), (far, FAR)):
            in_threads(_average, spans(len(wide)), wide, graph.neighbors, count, means)
        profile = np.zeros((len(graph), OF_FACE), dtype=np.float32)
        for place, rank in enumerate(PROFILE):
            if graph.k:
                profile[:, place] = graph.similarities[:, min(rank, graph.k - 1)]
        profile[:, -2] = np.einsum("nd,nd->n", wide, near)
        profile[:, -1] = np.einsum("nd,nd->n", wide, far)
        return cls(wide, near, far, graph, profile)

    def pairs(self, faces: NDArray[np.int64]) -> NDArray[np.float32]:
        """(B, k, 6) float32 of these B faces and their neighbors, 0 where there is none. O(B (k^2 + k d)).

        The cosine; the log of 1 + each one's rank in the other's list; the cosine of their near means; and of
        each with the far mean of the other.
        """
        similarities = np.ascontiguousarray(self.graph.similarities, dtype=np.float32)
        neighbors = np.ascontiguousarray(self.graph.neighbors)
        found = np.zeros((len(faces), self.graph.k, OF_PAIR), np.float32)
        means = self.features, self.near, self.far
        in_threads(_compare, spans(len(faces)), means, neighbors, similarities, faces, found)
        return found


@njit(cache=True, nogil=True)
def _average(
    span: Span,
    features: NDArray[np.float32],
    neighbors: NDArray[np.int32],
    count: int,
    means: NDArray[np.float32],
) -> None:
    """Adds the first `count` neighbors to each face, and scales it to length 1."""
    for face in range(*span):
        mean = means[face]
        for rank in range(min(count, neighbors.shape[1])):
            if neighbors[face, rank] >= 0:
                other = features[neighbors[face, rank]]
                for at in range(len(mean)):
                    mean[at] += other[at]
        length = np.float32(0)
        for at in range(len(mean)):
            length += mean[at] ** 2
        if length > 0:
            root = np.sqrt(length)
            for at in range(len(mean)):
                mean[at] /= root


@njit(cache=True, nogil=True)
def _compare(
    span: Span,
    means: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]],
    neighbors: NDArray[np.int32],
    similarities: NDArray[np.float32],
    faces: NDArray[np.int64],
    found: NDArray[np.float32],
) -> None:
    features, near, far = means
    k = neighbors.shape[1]
    for block in range(*span):
        i = faces[block]
        for rank in range(k):
            j = neighbors[i, rank]
            if j < 0:
                continue
            back = 0
            while back < k and neighbors[j, back] != i:
                back += 1
            pair = found[block, rank]
            pair[0] = similarities[i, rank]
            pair[1] = np.log(np.float32(1 + rank))
            pair[2] = np.log(np.float32(1 + back))
            pair[3] = _product(near[i], near[j])
            pair[4] = _product(features[i], far[j])
            pair[5] = _product(features[j], far[i])


@njit(cache=True, fastmath={"reassoc", "contract"})
def _product(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    total = np.float32(0)
    for at in range(len(a)):
        total += a[at] * b[at]
    return float(total)
