"""What the kNN graph allows: precision and recall of its links, and the best clusters links can give."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personae.data.faceset import as_identities, as_truth
from personae.errors import InputError
from personae.evaluation.score import Score
from personae.graph.components import component_labels
from personae.graph.knn_graph import NOBODY, KnnGraph

BLOCK = 1 << 16  # rows compared in one go, 8 k bytes each


def upper_bound_labels(graph: KnnGraph, truth: ArrayLike) -> NDArray[np.int32]:
    """(N,) int32, the clusters when every link between two identities is cut and no other.

    No cluster is mixed, so all that is missing from a score of 1 are identities that the graph itself does not
    hold together: the kNN upper bound of Wang et al., "Linkage Based Face Clustering via Graph Convolution
    Network", CVPR 2019, table 1. A method that only picks among the links cannot do better.

    truth: (N,) identities, integers or names

    InputError: not one identity a face.

    >>> graph = KnnGraph(np.array([[1], [0], [1], [2]], np.int32), np.ones((4, 1), np.float32))
    >>> upper_bound_labels(graph, ["Ada", "Ada", "Bo", "Bo"])
    array([0, 0, 1, 1], dtype=int32)
    """
    return component_labels(graph.where(same_identity(graph, truth)))


def neighbor_score(graph: KnnGraph, truth: ArrayLike) -> Score:
    """How many of the k neighbors are the same person, and how many of the person's other faces are among them.

    precision: mean over faces of hits / k; a place without a neighbor is a miss; 1 if there are no places
    recall:    mean of hits / (a - 1) with a the faces of the identity, the face itself counted on neither side,
               over faces that have a second one; 1 if none has. Up to k of a - 1 can be reached
    f:         harmonic mean of the two

    truth: (N,) identities, integers or names; `graph.nearest(k)` gives the score at a smaller k

    InputError: not one identity a face.

    >>> graph = KnnGraph(np.array([[1, 2], [0, 2], [1, 0]], np.int32), np.ones((3, 2), np.float32))
    >>> neighbor_score(graph, ["Ada", "Ada", "Bo"])
    Score(precision=0.333, recall=1.0, f=0.5)
    """
    hits = same_identity(graph, truth).sum(axis=1)
    identity = as_identities(truth)
    others = np.bincount(identity)[identity] - 1
    findable = others > 0
    return Score.of(
        precision=float(np.mean(hits / graph.k)) if graph.k else 1.0,
        recall=float(np.mean(hits[findable] / others[findable])) if findable.any() else 1.0,
    )


def same_identity(graph: KnnGraph, truth: ArrayLike) -> NDArray[np.bool_]:
    """(N, k) bool, True where a face and its neighbor are two faces of one identity.

    InputError: not one identity a face, or faces that nobody knows.
    """
    identity = as_truth(truth)
    if len(identity) != len(graph):
        raise InputError(
            f"{len(graph):,} faces in the graph but {len(identity):,} identities; "
            f"give one a face, in the same order"
        )
    same = np.empty(graph.neighbors.shape, dtype=np.bool_)
    for start in range(0, len(graph), BLOCK):
        rows = slice(start, start + BLOCK)
        same[rows] = identity[graph.neighbors[rows]] == identity[rows, None]
    same &= is_link(graph)
    return same


def is_link(graph: KnnGraph) -> NDArray[np.bool_]:
    """(N, k) bool, True where there is a neighbor and it is another face."""
    kept: NDArray[np.bool_] = graph.neighbors != NOBODY
    kept &= graph.neighbors != np.arange(len(graph), dtype=np.int32)[:, None]
    return kept
