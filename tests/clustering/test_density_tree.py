import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personae import InputError, KnnGraph, knn_graph
from personae.clustering.density_tree import DensityTree
from personae.graph import first_seen


@settings(max_examples=40)
@given(seed=st.integers(0, 9999), k=st.integers(0, 12), tau=st.floats(0, 1))
def test_clusters_are_those_of_the_definition(seed, k, tau):
    rng = np.random.default_rng(seed)
    graph = knn_graph(rng.normal(size=(40, 3)), max(k, 1)).nearest(k)
    graph = graph.linked(rng.random(graph.neighbors.shape).astype(np.float32))
    density = rng.integers(0, 6, 40).astype(np.float32)  # with equals
    tree = networkx.Graph()
    tree.add_nodes_from(range(40))
    for i in range(40):
        dense = [r for r in range(k) if density[graph.neighbors[i, r]] >= density[i]]
        if dense:
            best = max(dense, key=lambda r: graph.similarities[i, r])
            if graph.similarities[i, best] > tau:
                tree.add_edge(i, int(graph.neighbors[i, best]))
    expected = np.empty(40, int)
    for component in networkx.connected_components(tree):
        expected[list(component)] = min(component)
    assert (DensityTree(tau).cluster(graph, density) == first_seen(expected)).all()


def test_a_face_follows_the_best_neighbor_that_is_not_less_dense():
    graph = KnnGraph(np.array([[1, 2], [0, 2], [0, 1]], np.int32), np.array([[0.9, 0.5]] * 3, np.float32))
    assert DensityTree(0.3).cluster(graph, np.array([3.0, 1.0, 2.0])).tolist() == [0, 0, 0]
    assert DensityTree(0.6).cluster(graph, np.array([3.0, 2.0, 4.0])).tolist() == [0, 0, 1]


def test_densities_of_other_faces_are_refused():
    with pytest.raises(InputError, match="density"):
        DensityTree().cluster(knn_graph(np.eye(3), 2), np.ones(4))


def test_equals_that_are_ordered_follow_someone_denser_through_the_first_of_them():
    graph = KnnGraph(
        np.array([[1, 2], [0, 2], [0, 1]], np.int32), np.array([[1, 0.9], [1, 0.9], [0.9, 0.9]], np.float32)
    )
    density = np.array([1.0, 1.0, 2.0])
    assert DensityTree(0.3).cluster(graph, density).tolist() == [0, 0, 1]
    assert DensityTree(0.3, ordered=True).cluster(graph, density).tolist() == [0, 0, 0]


@settings(max_examples=20)
@given(seed=st.integers(0, 9999))
def test_the_preferred_neighbor_is_followed_if_the_weight_allows(seed):
    rng = np.random.default_rng(seed)
    graph = knn_graph(rng.normal(size=(30, 3)), 6)
    density, preference = rng.random(30), rng.random((30, 6)).astype(np.float32)
    expected = list(range(30))
    tree = networkx.Graph([(face, face) for face in range(30)])
    for i in range(30):
        dense = [r for r in range(6) if density[graph.neighbors[i, r]] > density[i]]
        if dense:
            best = max(dense, key=lambda r: preference[i, r])
            if graph.similarities[i, best] > 0.5:
                tree.add_edge(i, int(graph.neighbors[i, best]))
    for component in networkx.connected_components(tree):
        for face in component:
            expected[face] = min(component)
    found = DensityTree(0.5, ordered=True).cluster(graph, density, preference)
    assert (found == first_seen(np.array(expected))).all()


def test_preferences_of_other_links_are_refused():
    with pytest.raises(InputError, match="preference"):
        DensityTree().cluster(knn_graph(np.eye(3), 2), np.ones(3), np.ones((3, 1), np.float32))
