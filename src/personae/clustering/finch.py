"""FINCH: clusters of clusters, each joined with its first neighbor.

Sarfraz, Sharma and Stiefelhagen, "Efficient parameter-free clustering using first neighbor relations", CVPR
2019, equation 1 and algorithm 1.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from personae.graph.adjacency import canonical_order
from personae.graph.components import component_labels
from personae.graph.directions import mean_directions
from personae.graph.exact import nearest_faces
from personae.graph.knn_graph import NOBODY, KnnGraph


def first_neighbor_partitions(features: NDArray[np.floating[Any]], graph: KnnGraph) -> NDArray[np.int32]:
    """(L, N) int32, the partitions, finest first, each numbered in the order of the first faces.

    features: (N, d) unit rows
    graph:    their kNN graph, of which the first rank is looked at

    i and j are joined if j is the first neighbor of i, i that of j, or both have the same one; the clusters
    are then the points of the next round, each at the mean of its faces' features. A cluster whose faces
    cancel out is joined with none, nor is a pair less alike than the least alike pair of the first round. It
    ends when nothing is joined or one cluster is left. O(C^2 d) for the C clusters of each round.
    """
    order = canonical_order(graph)
    first = graph.nearest(1)
    floor = least_alike(first)
    partitions = [component_labels(first)]
    while (clusters := int(partitions[-1].max()) + 1) > 1:
        means = mean_directions(features, partitions[-1], order)
        joined = component_labels(_first_neighbors(means).at_least(floor))
        if joined.max() + 1 == clusters:
            break
        partitions.append(joined[partitions[-1]])
    return np.array(partitions)


def least_alike(first: KnnGraph) -> float:
    """The lowest similarity of a face with its first neighbor, of the faces that have one; 1 if none has."""
    return float(first.similarities[first.neighbors != NOBODY].min(initial=1.0))


def _first_neighbors(means: NDArray[np.float32]) -> KnnGraph:
    """The closest other mean of each; nobody for a mean of zero, which has no direction."""
    somewhere = np.flatnonzero(means.any(axis=1))
    graph = KnnGraph(np.full((len(means), 1), NOBODY, np.int32), np.zeros((len(means), 1), np.float32))
    if len(somewhere) > 1:
        neighbors, similarities = nearest_faces(means[somewhere], np.arange(len(somewhere)), 1)
        graph.neighbors[somewhere] = somewhere[neighbors]
        graph.similarities[somewhere] = similarities
    return graph
