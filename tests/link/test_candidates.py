import numpy as np
import pytest

from personae import KnnGraph, knn_graph
from personae.graph.affinity import affinity
from personae.link.candidates import Candidates, candidate_graphs


@pytest.fixture(scope="module")
def crowd():
    rng = np.random.default_rng(0)
    graph = knn_graph(rng.normal(size=(50, 4)), 8)
    return graph, rng.normal(size=50).astype(np.float32)


def test_candidates_are_the_denser_neighbors_in_the_order_of_the_list(crowd):
    graph, density = crowd
    found = Candidates.of(graph, density)
    for face in range(50):
        denser = [rank for rank in range(8) if density[graph.neighbors[face, rank]] > density[face]]
        assert found.ranks[face].tolist() == denser + [-1] * (8 - len(denser))
        assert found.count[face] == len(denser)


def test_equal_faces_are_candidates_one_way_only():
    graph = knn_graph(np.ones((6, 3)), 5)
    found = Candidates.of(graph, np.zeros(6, np.float32))
    assert sorted(found.count.tolist()) == [0, 1, 2, 3, 4, 5]


def test_nobody_is_no_candidate():
    graph = KnnGraph(np.array([[-1, 1], [-1, 0]], np.int32), np.zeros((2, 2), np.float32))
    assert Candidates.of(graph, np.array([0, 1], np.float32)).ranks.tolist() == [[1, -1], [-1, -1]]


def test_the_most_confident_are_so_many_of_highest_density(crowd):
    graph, density = crowd
    assert set(Candidates.of(graph, density).most_confident(0.2)) == set(np.argsort(-density)[:10])


def test_rows_among_the_candidates_are_those_of_the_whole_graph_made_1_again(crowd):
    graph, density = crowd
    found, matrix = Candidates.of(graph, density), affinity(graph)
    faces = np.array([3, 10, 31, 7])
    ranks, inside = candidate_graphs(graph, found, faces, matrix)
    dense = matrix.toarray()
    for at, face in enumerate(faces):
        count = found.count[face]
        nodes = graph.neighbors[face, ranks[at, :count]]
        part = dense[np.ix_(nodes, nodes)]
        assert inside[at, :count, :count] == pytest.approx(part / part.sum(axis=1, keepdims=True), abs=1e-6)
        assert not inside[at, count:].any()
        assert not inside[at, :, count:].any()
        assert (ranks[at, count:] == -1).all()


def test_buckets_hold_each_face_with_candidates_once_and_keep_to_their_size(crowd):
    graph, density = crowd
    found = Candidates.of(graph, density)
    buckets = list(found.buckets(np.arange(50), 20))
    assert sorted(np.concatenate(buckets)) == np.flatnonzero(found.count).tolist()
    assert all(len(faces) * found.count[faces].max() <= 20 for faces in buckets)
    assert list(found.buckets(np.flatnonzero(found.count == 0), 20)) == []
