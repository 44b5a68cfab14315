"""What two neighbors have to say for being one person, whichever way the features are turned.

Cosines and ranks only: a network of these cannot learn faces by heart. Lists are not compared, since how much
of them is common tells how many faces people have, which differs from collection to collection.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.data.faceset import beside, filled
from personae.data.pages import is_map, let_go, passing, read_at_once
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.graph.threads import Span, in_threads, read_rows, spans

PROFILE = (0, 1, 2, 4, 8, 16, 32, 64)  # ranks whose cosines describe a face
NEAR, FAR = 4, 16  # neighbors that a face is averaged with
OF_FACE = len(PROFILE) + 2
OF_PAIR = 6
ROWS = 1 << 10  # faces whose means are taken in one go

Means = tuple[NDArray[np.float32], ...]


@dataclass(frozen=True)
class Evidence:
    """Of N faces and their kNN graph; pairs are measured in blocks.

    features: (N, d) floating, unit rows
    near:     (N, d) float32, unit means of each face and its 4 nearest
    far:      (N, d) float32, of its 16 nearest
    graph:    N faces, k neighbors
    faces:    (N, 10) float32, cosines at the ranks of `PROFILE` and with both means
    """

    features: NDArray[np.floating[Any]]
    near: NDArray[np.float32]
    far: NDArray[np.float32]
    graph: KnnGraph
    faces: NDArray[np.float32]

    @classmethod
    def of(cls, features: NDArray[np.floating[Any]], graph: KnnGraph) -> "Evidence":
        """Of unit features. O(N (k + 16 d)) and 8 N d bytes: on disk, beside the features, where these are."""
        if not is_map(features):
            features = np.ascontiguousarray(features, dtype=np.float32)
        profile = np.zeros((len(graph), OF_FACE), dtype=np.float32)
        if graph.k:
            for here in passing(len(graph), ROWS, graph.similarities):
                profile[here, :-2] = graph.similarities[here][:, np.minimum(PROFILE, graph.k - 1)]
        near, far = (
            filled(
                features.shape,
                np.dtype(np.float32),
                _means(features, graph, count, profile[:, column]),
                beside(features),
                mapped=is_map(features),
            )
            for count, column in ((NEAR, -2), (FAR, -1))
        )
        return cls(features, near, far, graph, profile)

    def pairs(self, faces: NDArray[np.int64]) -> NDArray[np.float32]:
        """(B, k, 6) float32 of these B faces and their neighbors, 0 where there is none. O(B (k^2 + k d)).

        The cosine; the log of 1 + each one's rank in the other's list; the cosine of their near means; and of
        each with the far mean of the other.
        """
        found = np.zeros((len(faces), self.graph.k, OF_PAIR), np.float32)
        rows = self.features, self.near, self.far
        own = _wide(*(part[faces] for part in rows))
        neighbors, similarities = self.graph.neighbors[faces], self.graph.similarities[faces]
        let_go(*rows, self.graph.neighbors, self.graph.similarities)
        found[:, :, 0] = similarities
        found[neighbors < 0, 0] = 0
        asked = faces, neighbors
        for here in passing(len(self.features), read_at_once(self.features), *rows, self.graph.neighbors):
            held = _wide(*(part[here] for part in rows))
            lists = np.ascontiguousarray(self.graph.neighbors[here])
            in_threads(_compare, spans(len(faces)), own, held, (here.start, lists), asked, found)
        return found


def _means(
    features: NDArray[np.floating[Any]], graph: KnnGraph, count: int, cosines: NDArray[np.float32]
) -> Iterator[NDArray[np.float32]]:
    """Blocks of unit means of each face and its first `count` neighbors; fills `cosines`, (N,), of both."""
    size = max(ROWS, read_at_once(features) // count) if is_map(features) else ROWS
    for here in passing(len(features), size, features, graph.neighbors):
        others = graph.neighbors[here, :count]
        known, place = np.unique(others, return_inverse=True)
        place = np.where(others < 0, NOBODY, place.reshape(others.shape))
        own = features[here].astype(np.float32)
        means = own.copy()
        rows = np.empty((len(known), features.shape[1]), np.float32)
        read_rows(features, np.maximum(known, 0), rows)
        in_threads(_average, spans(len(own)), rows, place, means)
        cosines[here] = np.einsum("nd,nd->n", own, means)
        yield means


@njit(cache=True, nogil=True)
def _average(
    span: Span, rows: NDArray[np.float32], neighbors: NDArray[np.int64], means: NDArray[np.float32]
) -> None:
    """Adds its neighbors to each face, and scales it to length 1."""
    for face in range(*span):
        mean = means[face]
        for rank in range(neighbors.shape[1]):
            if neighbors[face, rank] >= 0:
                other = rows[neighbors[face, rank]]
                for at in range(len(mean)):
                    mean[at] += other[at]
        length = np.float32(0)
        for at in range(len(mean)):
            length += mean[at] ** 2
        if length > 0:
            root = np.sqrt(length)
            for at in range(len(mean)):
                mean[at] /= root


def _wide(*parts: NDArray[np.floating[Any]]) -> Means:
    return tuple(np.ascontiguousarray(part, dtype=np.float32) for part in parts)


@njit(cache=True, nogil=True)
def _compare(
    span: Span,
    own: Means,
    held: Means,
    lists: tuple[int, NDArray[np.int32]],
    asked: tuple[NDArray[np.int64], NDArray[np.int32]],
    found: NDArray[np.float32],
) -> None:
    """Of the faces asked, with those of their neighbors that are held: who follow from a first face on."""
    my_features, my_near, my_far = own
    features, near, far = held
    first, theirs = lists
    faces, neighbors = asked
    k = neighbors.shape[1]
    for i in range(*span):
        for rank in range(k):
            j = neighbors[i, rank] - first
            if neighbors[i, rank] < 0 or j < 0 or j >= len(theirs):
                continue
            back = 0
            while back < k and theirs[j, back] != faces[i]:
                back += 1
            pair = found[i, rank]
            pair[1] = np.log(np.float32(1 + rank))
            pair[2] = np.log(np.float32(1 + back))
            pair[3] = _product(my_near[i], near[j])
            pair[4] = _product(my_features[i], far[j])
            pair[5] = _product(features[j], my_far[i])


@njit(cache=True, fastmath={"reassoc", "contract"})
def _product(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    total = np.float32(0)
    for at in range(len(a)):
        total += a[at] * b[at]
    return float(total)
