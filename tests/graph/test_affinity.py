import numpy as np
import pytest

from personae import KnnGraph, knn_graph
from personae.graph import affinity as of_graph
from personae.graph.affinity import affinity, averaged, averages
from tests.planted import made_faces


def slow(graph):
    n = len(graph)
    s = np.zeros((n, n))
    for face in range(n):
        for other, similarity in zip(graph.neighbors[face], graph.similarities[face], strict=True):
            if other >= 0 and similarity > 0:
                s[face, other] = similarity
    a = np.maximum(s, s.T) + np.eye(n)
    return a / a.sum(axis=1, keepdims=True)


def test_it_is_the_larger_of_both_directions_plus_the_face_itself_each_row_of_sum_1():
    graph = knn_graph(np.random.default_rng(0).normal(size=(40, 4)), 6)
    found = affinity(graph)
    assert np.allclose(found.toarray(), slow(graph), atol=1e-6)
    assert np.allclose(found.sum(axis=1), 1)


def test_a_face_without_neighbors_has_itself_alone():
    graph = KnnGraph(np.array([[1], [0], [-1]], np.int32), np.array([[0.5], [0.4], [0]], np.float32))
    assert affinity(graph).toarray()[2].tolist() == [0, 0, 1]


def test_averages_are_the_product_of_the_matrix_and_the_features():
    faces = made_faces([10, 5, 1], d=8)
    matrix = affinity(knn_graph(faces, 6))
    assert averages(matrix, faces.features) == pytest.approx(matrix.toarray() @ faces.features, abs=1e-6)


def test_some_rows_are_those_of_the_whole(monkeypatch):
    graph = knn_graph(made_faces([9, 5, 5, 1, 1], d=8), 4)
    whole = affinity(graph)
    for low, high in ((0, 7), (5, 20), (20, 21)):
        some = affinity(graph, rows=(low, high))
        assert (some.toarray() == whole[low:high].toarray()).all()
    monkeypatch.setattr(of_graph, "ROWS", 8)
    monkeypatch.setattr(of_graph, "AT_ONCE", 4)
    values = np.random.default_rng(0).normal(size=(21, 3)).astype(np.float32)
    assert (np.concatenate(list(averaged(graph, values))) == averages(whole, values)).all()
