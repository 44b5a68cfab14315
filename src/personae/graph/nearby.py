"""The nearest faces in new features, looked for among those that were near in the old ones."""

from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from personae.graph.exact import cosine_of
from personae.graph.knn_graph import NOBODY, KnnGraph

SHARES = 64  # the faces are dealt out in so many runs, each with N marks of its own


def nearby_graph(features: NDArray[np.floating[Any]], graph: KnnGraph, through: int = 8) -> KnnGraph:
    """The k faces of highest cosine to each, of those on its own list and on the lists of its first neighbors.

    Where the new features are made of the old ones few are missed that a search through all faces finds.

    features: (N, d) unit rows
    graph:    of other features of the same faces
    through:  neighbors whose lists are looked through

    Equal cosines stand in the order of the faces. O(N k through d) at most, 256 N bytes beside the result.
    """
    wide = np.ascontiguousarray(features, dtype=np.float32)
    return KnnGraph(*_nearby(wide, np.ascontiguousarray(graph.neighbors), through))


@njit(parallel=True, cache=True)
def _nearby(features: NDArray[np.float32], neighbors: NDArray[np.int32], through: int) -> Any:
    n, k = neighbors.shape
    found = np.full((n, k), NOBODY, np.int32)
    cosines = np.zeros((n, k), np.float32)
    for share in prange(SHARES):
        seen = np.full(n, -1, np.int32)
        near = np.empty(k * (through + 1), np.int32)
        for face in range(share * n // SHARES, (share + 1) * n // SHARES):
            seen[face] = face
            count = 0
            for step in range(-1, min(through, k)):
                middle = face if step < 0 else neighbors[face, step]
                if middle < 0:
                    continue
                for rank in range(k):
                    other = neighbors[middle, rank]
                    if other >= 0 and seen[other] != face:
                        seen[other] = face
                        near[count] = other
                        count += 1
            candidates = np.sort(near[:count])
            exact = np.empty(count, np.float32)
            for at in range(count):
                exact[at] = cosine_of(features[face], features[candidates[at]])
            order = np.argsort(-exact, kind="mergesort")
            for rank in range(min(k, count)):
                found[face, rank] = candidates[order[rank]]
                cosines[face, rank] = exact[order[rank]]
    return found, cosines
