"""Connected components: faces that a chain of links joins."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.graph.knn_graph import KnnGraph

SPREAD = 4  # times as many numbers as faces are still looked up in a table


def component_labels(graph: KnnGraph) -> NDArray[np.int32]:
    """(N,) int32, one number a component of the undirected graph, in the order of their first faces.

    Union-find over the links as they lie, O(N k), 4 N bytes beyond input and output.
    """
    return _components(graph.neighbors)


def joining_links(neighbors: NDArray[np.int32], first: int, faces: int) -> NDArray[np.int32]:
    """(E, 2) int32, a spanning forest of the links of some faces: what components need to know of them.

    neighbors: (R, k) of the faces from `first` on, of N `faces`

    4 N bytes.
    """
    return _joining(neighbors, first, faces)


def components_of(links: NDArray[np.int32], faces: int) -> NDArray[np.int32]:
    """(N,) int32, `component_labels` of N `faces` from the spanning forests of all their links, (E, 2).

    >>> components_of(np.array([[0, 2], [3, 2]], np.int32), 5)
    array([0, 1, 0, 0, 2], dtype=int32)
    """
    return _united(links, faces)


def first_seen(labels: NDArray[np.integer[Any]]) -> NDArray[np.int32]:
    """The same partition, (N,) int32 in 0..C-1, numbered in the order of the first faces.

    >>> first_seen(np.array([7, 7, 3, 7, 5]))
    array([0, 0, 1, 0, 2], dtype=int32)
    """
    labels = np.asarray(labels).reshape(-1)
    if len(labels) == 0 or int(labels.max()) - int(labels.min()) > SPREAD * len(labels):
        labels = np.unique(labels, return_inverse=True)[1]
    return _numbered(
        labels.astype(np.int64, copy=False), int(labels.min(initial=0)), int(labels.max(initial=0))
    )


@njit(cache=True)
def _numbered(labels: NDArray[np.int64], least: int, most: int) -> NDArray[np.int32]:
    number, numbered = np.full(most - least + 1, -1, np.int32), np.empty(len(labels), np.int32)
    count = 0
    for face in range(len(labels)):
        if number[labels[face] - least] < 0:
            number[labels[face] - least] = count
            count += 1
        numbered[face] = number[labels[face] - least]
    return numbered


@njit(cache=True)
def root_of(parent: NDArray[np.int32], face: Any) -> Any:
    """The face that stands for the part `face` is in; the way there gets shorter."""
    while parent[face] != face:
        parent[face] = parent[parent[face]]
        face = parent[face]
    return face


@njit(cache=True)
def numbered_parts(parent: NDArray[np.int32]) -> NDArray[np.int32]:
    """(N,) int32, 0..C-1 in the order of the first faces, where each root is the first face of its part."""
    labels = np.empty(len(parent), dtype=np.int32)
    count = 0
    for face in range(len(parent)):
        root = root_of(parent, face)
        if root == face:
            labels[face] = count
            count += 1
        else:
            labels[face] = labels[root]
    return labels


@njit(cache=True)
def _joining(neighbors: NDArray[np.int32], first: int, faces: int) -> NDArray[np.int32]:
    parent = np.arange(faces).astype(np.int32)
    links = np.empty((min(neighbors.size, max(faces - 1, 0)), 2), np.int32)
    count = 0
    for row in range(len(neighbors)):
        for other in neighbors[row]:
            if other >= 0:
                a, b = root_of(parent, first + row), root_of(parent, other)
                if a != b:
                    parent[max(a, b)] = min(a, b)
                    links[count, 0], links[count, 1] = first + row, other
                    count += 1
    return links[:count].copy()


@njit(cache=True)
def _united(links: NDArray[np.int32], faces: int) -> NDArray[np.int32]:
    parent = np.arange(faces).astype(np.int32)
    for at in range(len(links)):
        a, b = root_of(parent, links[at, 0]), root_of(parent, links[at, 1])
        parent[max(a, b)] = min(a, b)
    return numbered_parts(parent)


@njit(cache=True)
def _components(neighbors: NDArray[np.int32]) -> NDArray[np.int32]:
    n, k = neighbors.shape
    parent = np.arange(n, dtype=np.int32)
    for face in range(n):
        for rank in range(k):
            other = neighbors[face, rank]
            if other >= 0:
                a, b = root_of(parent, face), root_of(parent, other)
                parent[max(a, b)] = min(a, b)  # the root is the first face
    return numbered_parts(parent)
