import numpy as np
import pytest

from personae import KnnGraph, knn_graph
from personae.data import FaceSet
from personae.graph.nearby import nearby_graph
from tests.planted import made_faces


@pytest.mark.parametrize("through", [0, 1, 3, 20])
def test_neighbors_are_the_best_of_the_own_list_and_those_of_the_first_neighbors(through):
    rng = np.random.default_rng(through)
    old, new = (FaceSet.of(rng.normal(size=(60, 5))).features for _ in range(2))
    graph = knn_graph(old, 6)
    found = nearby_graph(new, graph, through)
    for face in range(60):
        near = set(graph.neighbors[face].tolist())
        for middle in graph.neighbors[face, :through]:
            near |= set(graph.neighbors[middle].tolist())
        near = np.array(sorted(near - {face}))
        cosines = new[near].astype(float) @ new[face].astype(float)
        best = np.argsort(-cosines, kind="stable")[:6]
        assert (found.neighbors[face] == near[best]).all()
        assert found.similarities[face] == pytest.approx(cosines[best], abs=1e-6)


def test_places_without_a_neighbor_are_passed_over():
    graph = KnnGraph(np.array([[1, -1], [-1, -1], [1, 0]], np.int32), np.zeros((3, 2), np.float32))
    found = nearby_graph(np.eye(3, dtype=np.float32), graph)
    assert found.neighbors.tolist() == [[1, -1], [-1, -1], [0, 1]]
    assert found.similarities.tolist() == [[0, 0]] * 3


def test_no_lists_give_no_lists():
    assert nearby_graph(np.ones((1, 1), np.float32), knn_graph([[1.0]], 3)).neighbors.shape == (1, 0)


def test_smoothed_features_have_nearly_all_their_neighbors_nearby():
    faces = made_faces([30] * 20)
    graph = knn_graph(faces, 20)
    smooth = FaceSet.of(faces.features + faces.features[graph.neighbors[:, :4]].mean(axis=1)).features
    exact, near = knn_graph(smooth, 20), nearby_graph(smooth, graph)
    held = (exact.neighbors[:, :, None] == near.neighbors[:, None, :]).any(axis=2)
    assert held.mean() > 0.97
