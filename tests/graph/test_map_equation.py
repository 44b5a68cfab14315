import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from personae.errors import InputError
from personae.graph import KnnGraph, canonical_order, codelength, knn_graph, map_equation_labels, undirected


def random_graph(n, seed, density=0.3):
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.random((n, n)) * (rng.random((n, n)) < density), 1)
    return csr_array(upper + upper.T)


def entropy(rates):
    share = rates[rates > 0] / rates.sum()
    return -(share * np.log2(share)).sum()


def slow_codelength(adjacency, labels):
    """One codebook between modules and one in each, written as Rosvall and Bergstrom do."""
    w = adjacency.toarray() / adjacency.sum()
    visit = w.sum(axis=1)
    leave = np.array([w[labels == m][:, labels != m].sum() for m in range(labels.max() + 1)])
    bits = leave.sum() * entropy(leave) if leave.sum() > 0 else 0.0
    for m in range(labels.max() + 1):
        book = np.append(visit[labels == m], leave[m])
        if book.sum() > 0:
            bits += book.sum() * entropy(book)
    return bits


@settings(max_examples=60)
@given(n=st.integers(2, 25), modules=st.integers(1, 6), seed=st.integers(0, 9999))
def test_the_codelength_is_that_of_the_codebooks(n, modules, seed):
    adjacency = random_graph(n, seed)
    labels = np.random.default_rng(seed).integers(0, modules, n)
    if adjacency.nnz:
        assert codelength(adjacency, labels) == pytest.approx(slow_codelength(adjacency, labels), abs=1e-12)


def test_the_codelength_is_that_of_infomap():
    infomap = pytest.importorskip("infomap")
    adjacency = random_graph(40, seed=3)
    network = infomap.Network.from_scipy_sparse_matrix(adjacency, directed=False)
    options = infomap.Options(two_level=True, flow_model="undirected", seed=1, silent=True)
    result = network.run(options=options)
    modules = result.modules()
    labels = np.array([modules[node] for node in range(40)]) - 1
    assert codelength(adjacency, labels) == pytest.approx(result.codelength, abs=1e-9)


def test_a_ring_of_cliques_falls_into_its_cliques():
    cliques, size = 12, 6
    adjacency = np.kron(np.eye(cliques), np.ones((size, size)) - np.eye(size))
    for c in range(cliques):
        a, b = c * size, ((c + 1) % cliques) * size + 1
        adjacency[a, b] = adjacency[b, a] = 1
    labels = map_equation_labels(csr_array(adjacency))
    assert (labels == np.repeat(np.arange(cliques), size)).all()


def test_faces_without_links_stay_alone():
    assert map_equation_labels(csr_array((4, 4))).tolist() == [0, 1, 2, 3]
    pair = csr_array(([1.0, 1.0], ([0, 3], [3, 0])), shape=(4, 4))
    assert map_equation_labels(pair).tolist() == [0, 1, 2, 0]


def test_an_edge_weighs_the_sum_of_both_directions():
    graph = KnnGraph(
        np.array([[1, 2], [0, -1], [-1, -1]], np.int32), np.array([[3, 1], [2, 0], [0, 0]], np.float32)
    )
    assert undirected(graph).toarray().tolist() == [[0, 5, 1], [5, 0, 0], [1, 0, 0]]


@pytest.mark.parametrize("weight", [-1.0, np.nan, np.inf])
def test_weights_that_are_no_weights_are_refused(weight):
    graph = KnnGraph(np.array([[1], [0]], np.int32), np.array([[weight], [1]], np.float32))
    with pytest.raises(InputError, match="clip"):
        undirected(graph)


def test_the_canonical_order_follows_the_faces(planted):
    shuffle = np.random.default_rng(0).permutation(len(planted))
    order = canonical_order(knn_graph(planted, 10))
    assert (shuffle[canonical_order(knn_graph(planted.take(shuffle), 10))] == order).all()
