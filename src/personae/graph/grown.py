"""A kNN graph to which faces are added: only pairs with a new face are looked at."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.graph.exact import cosine_of, nearest_faces
from personae.graph.knn_graph import NOBODY, KnnGraph

ROWS = 4096  # old faces multiplied at a time
COLUMNS = 1024  # new ones
SLACK = 4 * float(np.finfo(np.float32).eps)  # times d, what a product may be off


def grown(graph: KnnGraph, features: NDArray[np.floating[Any]], k: int) -> KnnGraph:
    """The graph of all N faces, from that of the first n: new rows are searched, old rows take new faces in.

    features: (N, d) unit rows, the n of the graph first
    k:        neighbors a face; N - 1 where k >= N

    If the graph is exact, and held k or n - 1 neighbors, so is the result, to the bit.
    O((N - n) N d + N k) time; 16 MB beside the result.
    """
    n, all_faces = len(graph), len(features)
    k = min(k, all_faces - 1)
    neighbors = np.full((all_faces, k), NOBODY, np.int32)
    similarities = np.zeros((all_faces, k), np.float32)
    held = min(k, graph.k)
    neighbors[:n, :held] = graph.neighbors[:, :held]
    similarities[:n, :held] = graph.similarities[:, :held]
    for first in range(n, all_faces, COLUMNS):
        new = features[first : first + COLUMNS].astype(np.float32)
        for start in range(0, n, ROWS):
            old = features[start : min(start + ROWS, n)].astype(np.float32)
            span = slice(start, start + len(old))
            _take_in(old @ new.T, old, new, first, neighbors[span], similarities[span])
    found = nearest_faces(features, np.arange(n, all_faces), k)
    neighbors[n:], similarities[n:] = found
    return KnnGraph(neighbors, similarities)


@njit(cache=True)
def _take_in(
    products: NDArray[np.float32],
    old: NDArray[np.float32],
    new: NDArray[np.float32],
    first: int,
    neighbors: NDArray[np.int32],
    similarities: NDArray[np.float32],
) -> None:
    """Puts the new faces that are near enough in their places, behind those of equal cosine."""
    k = neighbors.shape[1]
    slack = SLACK * old.shape[1]
    for row in range(len(products)):
        for column in range(products.shape[1]):
            full = neighbors[row, k - 1] != NOBODY
            if full and products[row, column] <= similarities[row, k - 1] - slack:
                continue
            cosine = np.float32(cosine_of(old[row], new[column]))
            if full and cosine <= similarities[row, k - 1]:
                continue
            place = k - 1
            while place > 0 and (neighbors[row, place - 1] == NOBODY or similarities[row, place - 1] < cosine):
                neighbors[row, place] = neighbors[row, place - 1]
                similarities[row, place] = similarities[row, place - 1]
                place -= 1
            neighbors[row, place] = first + column
            similarities[row, place] = cosine
