"""How far the links of a face and the people found agree."""

import numpy as np
from numpy.typing import NDArray

from personae.graph.knn_graph import NOBODY, KnnGraph


def confidence(links: KnnGraph, labels: NDArray[np.int32]) -> NDArray[np.float32]:
    """(N,) float32 in [0, 1]: of the faces a face links to or shares a person with, the share that are both.

    links:  the kept links; both directions count as in the undirected graph
    labels: (N,) int32, 0..C-1

    Of a large person at most k others are counted, as no list is longer. A lone face without any link scores
    1, a lone face that was cut off scores 0. Low values mark what to look at: chains, faces torn from a person.
    """
    n, k = links.neighbors.shape
    rows, ranks = np.nonzero(links.neighbors != NOBODY)
    others = links.neighbors[rows, ranks].astype(np.int64)
    low, high = np.minimum(rows, others), np.maximum(rows, others)
    pairs = np.unique(low * n + high)
    a, b = pairs // n, pairs % n
    same = labels[a] == labels[b]
    inside = np.bincount(a[same], minlength=n) + np.bincount(b[same], minlength=n)
    across = np.bincount(a[~same], minlength=n) + np.bincount(b[~same], minlength=n)
    mates = np.minimum(np.bincount(labels)[labels] - 1, np.maximum(inside, k))
    union = mates + across
    share = np.divide(inside, union, out=np.ones(n), where=union > 0)
    return np.asarray(share, dtype=np.float32)
