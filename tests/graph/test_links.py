import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from personae.graph import KnnGraph, first_seen, knn_graph
from personae.graph.links import symmetric_links


def random_lists(n, k, kept, seed, dtype=np.float32):
    """Lists with holes, faces listed twice, faces that list themselves, and two similarities for one pair."""
    rng = np.random.default_rng(seed)
    neighbors = np.where(rng.random((n, k)) < kept, rng.integers(0, n, (n, k)), -1).astype(np.int32)
    return KnnGraph(neighbors, np.where(neighbors < 0, 0, rng.uniform(-1, 1, (n, k))).astype(dtype))


def slow_links(graph, tau):
    """{(a, b): the larger similarity} for a < b."""
    found = {}
    for a in range(len(graph)):
        for b, s in zip(graph.neighbors[a].tolist(), graph.similarities[a].tolist(), strict=True):
            if b >= 0 and b != a and s >= tau:
                pair = min(a, b), max(a, b)
                found[pair] = max(found.get(pair, -np.inf), s)
    return found


@given(
    n=st.integers(1, 30),
    k=st.integers(0, 6),
    kept=st.floats(0, 1),
    tau=st.sampled_from([-np.inf, -0.2, 0.5]),
    dtype=st.sampled_from([np.float32, np.float16]),
    seed=st.integers(0, 999),
)
def test_links_are_those_of_either_list_with_the_larger_similarity(n, k, kept, tau, dtype, seed):
    graph = random_lists(n, k, kept, seed, dtype)
    links = symmetric_links(graph, tau)
    found = {}
    for a in range(n):
        row = links.others[links.indptr[a] : links.indptr[a + 1]]
        assert (np.diff(row) > 0).all()
        for b, weight in zip(row, links.weights[links.indptr[a] : links.indptr[a + 1]], strict=True):
            found[int(links.order[a]), int(links.order[b])] = float(weight)
    expected = slow_links(graph, tau)
    assert found == expected | {(b, a): s for (a, b), s in expected.items()}
    a, b, weights = links.pairs()
    assert (a < b).all()
    assert len(a) == len(b) == len(weights) == len(expected)


def test_places_are_the_same_whatever_the_order_of_the_faces(planted):
    shuffle = np.random.default_rng(1).permutation(len(planted))
    links = symmetric_links(knn_graph(planted, 10))
    other = symmetric_links(knn_graph(planted.take(shuffle), 10))
    assert (links.others == other.others).all()
    assert (links.weights == other.weights).all()
    assert (shuffle[other.order] == links.order).all()


def test_labels_of_places_come_back_as_labels_of_faces(planted):
    links = symmetric_links(knn_graph(planted, 10))
    assert (links.of_faces(planted.truth[links.order]) == first_seen(planted.truth)).all()
