import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personae import InputError, KnnGraph, knn_graph
from personae.clustering.propagation import Propagation
from personae.graph import first_seen
from tests.planted import made_faces


def slow_propagation(graph, max_size, step, passes=100):
    """Components of a networkx graph whose edges fall away as the threshold rises."""
    links = networkx.Graph()
    links.add_nodes_from(range(len(graph)))
    for i, row in enumerate(graph.neighbors.tolist()):
        for rank, j in enumerate(row):
            if j >= 0:
                weight = float(graph.similarities[i, rank])
                before = links.get_edge_data(i, j, {"weight": weight})["weight"]
                links.add_edge(i, j, weight=max(weight, before))
    tau = float(graph.similarities.min(where=graph.neighbors >= 0, initial=1))
    labels = np.full(len(graph), -1)
    for turn in range(passes + 1):
        links.remove_edges_from([(i, j) for i, j, weight in links.edges.data("weight") if weight < tau])
        for component in list(networkx.connected_components(links)):
            if len(component) <= max_size or turn == passes:
                labels[list(component)] = min(component)
                links.remove_nodes_from(component)
        tau += (1 - tau) * step
    return first_seen(labels)


@settings(max_examples=40)
@given(seed=st.integers(0, 9999), k=st.integers(0, 12), max_size=st.integers(1, 20), step=st.floats(0.02, 0.6))
def test_clusters_are_those_of_the_definition(seed, k, max_size, step):
    rng = np.random.default_rng(seed)
    graph = knn_graph(rng.normal(size=(60, 3)), max(k, 1)).nearest(k)
    weights = rng.random(graph.neighbors.shape).astype(np.float32)
    graph = graph.linked(weights).where(rng.random(weights.shape) < 0.7)
    assert (Propagation(max_size, step).cluster(graph) == slow_propagation(graph, max_size, step)).all()


def test_what_is_small_enough_keeps_its_weakest_links_and_what_is_not_loses_them():
    neighbors = np.array([[1, -1], [0, 2], [3, 1], [2, -1], [5, -1], [4, -1]], np.int32)
    weights = np.array([[0.9, 0], [0.9, 0.5], [0.9, 0.5], [0.9, 0], [0.1, 0], [0.1, 0]], np.float32)
    assert Propagation(max_size=3).cluster(KnnGraph(neighbors, weights)).tolist() == [0, 0, 1, 1, 2, 2]
    assert Propagation(max_size=4).cluster(KnnGraph(neighbors, weights)).tolist() == [0, 0, 0, 0, 1, 1]


def test_duplicates_that_no_threshold_parts_stay_together():
    two = np.array([[1, 2], [0, 2], [0, 1], [4, 5], [3, 5], [3, 4]], np.int32)
    assert Propagation(max_size=2).cluster(KnnGraph(two, np.ones((6, 2), np.float32))).tolist() == [
        0,
        0,
        0,
        1,
        1,
        1,
    ]


def test_half_precision_weights_and_a_permutation_give_the_same_clusters():
    faces = made_faces([40, 30, 10, 10, *[1] * 10], seed=2)
    graph = knn_graph(faces, 10)
    half = graph.linked(graph.similarities.astype(np.float16))
    labels = Propagation(20).cluster(half)
    order = np.random.default_rng(0).permutation(100)
    again = knn_graph(faces.take(order), 10)
    permuted = Propagation(20).cluster(again.linked(again.similarities.astype(np.float16)))
    assert np.bincount(labels).max() <= 20
    assert (permuted == first_seen(labels[order])).all()


@pytest.mark.parametrize("bad", [Propagation(max_size=0), Propagation(step=0), Propagation(step=1)])
def test_sizes_and_steps_that_cannot_be_are_refused(bad):
    with pytest.raises(InputError, match="max_size"):
        bad.cluster(knn_graph(np.eye(3), 2))
