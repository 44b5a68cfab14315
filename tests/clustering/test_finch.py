from itertools import pairwise

import networkx
import numpy as np
import pytest

from personae import knn_graph
from personae.clustering.finch import first_neighbor_partitions
from personae.graph import first_seen
from personae.graph.knn_graph import NOBODY
from tests.planted import made_faces


def slow_partitions(features):
    """Equation 1 written as a matrix, its components, and the same on the means."""
    labels, points, floor, partitions = np.arange(len(features)), features.astype(np.float64), None, []
    while len(points) > 1:
        unit = points / np.linalg.norm(points, axis=1, keepdims=True)
        cosine = unit @ unit.T
        np.fill_diagonal(cosine, -np.inf)
        first = cosine.argmax(axis=1)
        floor = cosine.max(axis=1).min() if floor is None else floor
        joined = networkx.empty_graph(len(points))
        for i in range(len(points)):
            for j in range(len(points)):
                shared = first[i] == j or first[j] == i or first[i] == first[j]
                alike = cosine[i, first[i]] >= floor and cosine[j, first[j]] >= floor
                if i != j and shared and alike:
                    joined.add_edge(i, j)
        parts = list(networkx.connected_components(joined))
        if len(parts) == len(points):
            break
        part_of = {point: number for number, part in enumerate(parts) for point in part}
        labels = np.array([part_of[label] for label in labels])
        partitions.append(first_seen(labels))
        points = np.array([features[labels == c].astype(np.float64).mean(axis=0) for c in range(len(parts))])
    return partitions


@pytest.mark.parametrize("seed", range(8))
def test_partitions_are_those_of_the_equation(seed):
    faces = made_faces([20, *[6] * 12, *[1] * 20], d=10, spread=[0.4, 1.0][seed % 2], seed=seed)
    found = first_neighbor_partitions(faces.features, knn_graph(faces, 1))
    assert found.tolist() == [labels.tolist() for labels in slow_partitions(faces.features)]
    assert len(found) > 1


def test_each_partition_joins_clusters_of_the_one_before(planted):
    found = first_neighbor_partitions(planted.features, knn_graph(planted, 1))
    for fine, coarse in pairwise(found):
        assert len(set(zip(fine.tolist(), coarse.tolist(), strict=True))) == fine.max() + 1
        assert coarse.max() < fine.max()


def test_nobody_is_alone_in_the_finest_partition(planted):
    assert np.bincount(first_neighbor_partitions(planted.features, knn_graph(planted, 1))[0]).min() >= 2


def test_faces_that_cancel_out_are_joined_no_further():
    rows = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, 1, 0.1], [0, 0.1, 1], [0, 0, 1]], np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    graph = knn_graph(rows, 1)
    graph.neighbors[:2] = [[1], [0]]  # each other's first, however unlike
    graph.similarities[:2] = -1
    found = first_neighbor_partitions(rows, graph)
    assert found.tolist() == [[0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 1, 1]]


def test_one_face_is_one_partition():
    assert first_neighbor_partitions(np.ones((1, 1), np.float32), knn_graph([[1.0]])).tolist() == [[0]]


def test_an_empty_list_says_nothing_about_how_alike_the_least_alike_are():
    rows = np.array([[1, 0, 0], [1, 0.1, 0], [0.3, 1, 0], [0.3, 1, 0.1], [0, 0, 1]], np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    graph = knn_graph(rows, 1)
    graph.neighbors[4], graph.similarities[4] = NOBODY, 0
    assert first_neighbor_partitions(rows, graph).tolist() == [[0, 0, 1, 1, 2]]
