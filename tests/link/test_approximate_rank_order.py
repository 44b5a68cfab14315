import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from personae import KnnGraph, knn_graph
from personae.link.approximate_rank_order import ApproximateRankOrder, rank_order_distances
from tests.planted import made_faces


def slow_distance(lists, a, b):
    """D(a, b) as it is written, with O_a(b) from 1; infinite unless each is in the other's list."""
    if b not in lists[a] or a not in lists[b]:
        return np.inf

    def missing(one, other):
        until = lists[one].index(other) + 1
        return sum(face not in (other, -1, *lists[other]) for face in lists[one][:until])

    nearer = min(lists[a].index(b), lists[b].index(a)) + 1
    return (missing(a, b) + missing(b, a)) / nearer


@settings(max_examples=25)
@given(seed=st.integers(0, 9999), n=st.integers(2, 60), k=st.integers(1, 30), gone=st.floats(0, 0.5))
def test_distances_are_those_of_the_definition(seed, n, k, gone):
    rng = np.random.default_rng(seed)
    graph = knn_graph(rng.normal(size=(n, 5)), k)
    graph = graph.where(rng.random(graph.neighbors.shape) >= gone)
    found = rank_order_distances(graph)
    lists = [row.tolist() for row in graph.neighbors]
    for a in range(n):
        for rank, b in enumerate(lists[a]):
            expected = slow_distance(lists, a, b) if b >= 0 else np.inf
            np.testing.assert_allclose(found[a, rank], expected, rtol=1e-6)


def test_links_are_the_pairs_up_to_t_in_both_lists():
    graph = knn_graph(made_faces([12, 8, 6, *[1] * 20], seed=2), 15)
    distance = rank_order_distances(graph)
    links = ApproximateRankOrder(t=0.7).link(graph)
    kept = links.neighbors >= 0
    assert 0 < kept.sum() < kept.size
    assert (kept == (distance <= 0.7)).all()
    pairs = {(i, j) for i, row in enumerate(links.neighbors.tolist()) for j in row if j >= 0}
    assert pairs == {(j, i) for i, j in pairs}
    np.testing.assert_allclose(links.similarities[kept], 1 / (1 + distance[kept]), rtol=1e-6)


def test_nearest_of_each_other_are_linked_at_t_0():
    graph = KnnGraph(np.array([[1], [0], [0]], np.int32), np.array([[0.1], [0.1], [0.05]], np.float32))
    assert ApproximateRankOrder(t=0).link(graph).neighbors.ravel().tolist() == [1, 0, -1]


def test_a_distance_of_just_t_is_linked_whatever_kind_of_number_t_is():
    graph = knn_graph(made_faces([12, 8, 6, *[1] * 20], seed=2), 15)
    distance = rank_order_distances(graph)
    for t in np.arange(1, 20) / 10:
        for told in (t, float(t)):
            kept = ApproximateRankOrder(told).link(graph).neighbors >= 0
            assert (kept == (distance < t + 1e-6)).all()
