"""The nearest faces in new features, looked for among those that were near in the old ones."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.graph.exact import fill_best
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.graph.threads import Span, in_threads, spans


def nearby_graph(features: NDArray[np.floating[Any]], graph: KnnGraph, through: int = 8) -> KnnGraph:
    """The k faces of highest cosine to each, of those on its own list and on the lists of its first neighbors.

    Where the new features are made of the old ones few are missed that a search through all faces finds.

    features: (N, d) unit rows
    graph:    of other features of the same faces
    through:  neighbors whose lists are looked through

    Equal cosines stand in the order of the faces. O(N k through d) at most, 4 N bytes a thread beside it all.
    """
    wide = np.ascontiguousarray(features, dtype=np.float32)
    neighbors = np.full(graph.neighbors.shape, NOBODY, np.int32)
    similarities = np.zeros(graph.neighbors.shape, np.float32)
    listed = np.ascontiguousarray(graph.neighbors)
    in_threads(_look, spans(len(graph)), wide, listed, through, neighbors, similarities)
    return KnnGraph(neighbors, similarities)


@njit(cache=True, nogil=True)
def _look(
    span: Span,
    features: NDArray[np.float32],
    listed: NDArray[np.int32],
    through: int,
    neighbors: NDArray[np.int32],
    similarities: NDArray[np.float32],
) -> None:
    n, k = listed.shape
    seen = np.full(n, -1, np.int32)
    near = np.empty(k * (through + 1), np.int32)
    for face in range(*span):
        seen[face] = face
        count = 0
        for step in range(-1, min(through, k)):
            middle = face if step < 0 else listed[face, step]
            if middle < 0:
                continue
            for rank in range(k):
                other = listed[middle, rank]
                if other >= 0 and seen[other] != face:
                    seen[other] = face
                    near[count] = other
                    count += 1
        fill_best(near[:count], face, features, neighbors[face], similarities[face])
