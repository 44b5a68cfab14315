import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array, triu

from personae.errors import InputError
from personae.graph import (
    KnnGraph,
    canonical_order,
    codelength,
    first_seen,
    knn_graph,
    map_equation_labels,
    undirected,
)
from personae.graph.map_equation_search import Network, _moved


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


def partitions_of(n):
    """Every partition of n nodes as labels."""
    if n == 0:
        yield []
        return
    for rest in partitions_of(n - 1):
        for label in range(max(rest, default=-1) + 2):
            yield [*rest, label]


@pytest.mark.parametrize("seed", range(12))
def test_no_partition_of_a_small_graph_is_shorter_by_more_than_a_percent(seed):
    adjacency = random_graph(8, seed, density=0.4)
    shortest = min(codelength(adjacency, np.array(labels)) for labels in partitions_of(8))
    assert codelength(adjacency, map_equation_labels(adjacency)) <= 1.01 * shortest + 1e-9


def communities(n, size, seed):
    """Groups of about `size` with links to strangers."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, n // size, n)
    same = group[:, None] == group[None, :]
    linked = rng.random((n, n)) < np.where(same, 0.5, 0.01)
    upper = np.triu(linked * rng.uniform(0.2, 1, (n, n)), 1)
    return csr_array(upper + upper.T)


@pytest.mark.parametrize("seed", range(3))
def test_the_description_is_as_short_as_networkits(seed):
    networkit = pytest.importorskip("networkit")
    adjacency = communities(600, 12, seed)
    edges = triu(adjacency, k=1).tocoo()
    triplets = (edges.data, (edges.row.astype(np.uint64), edges.col.astype(np.uint64)))
    network = networkit.GraphFromCoo(triplets, n=600, weighted=True)
    networkit.setSeed(1, False)
    search = networkit.community.LouvainMapEquation(network, True, parallelizationStrategy="none")
    theirs = first_seen(np.array(search.run().getPartition().getVector()))
    assert codelength(adjacency, map_equation_labels(adjacency)) <= 1.005 * codelength(adjacency, theirs)


@pytest.mark.parametrize("seed", range(3))
def test_codelength_and_description_are_those_of_infomap(seed):
    infomap = pytest.importorskip("infomap")
    adjacency = communities(400, 10, seed)
    network = infomap.Network.from_scipy_sparse_matrix(adjacency, directed=False)
    result = network.run(options=infomap.Options(two_level=True, flow_model="undirected", seed=1, silent=True))
    modules = result.modules()
    theirs = np.array([modules[node] for node in range(400)]) - 1
    assert codelength(adjacency, theirs) == pytest.approx(result.codelength, abs=1e-9)
    assert codelength(adjacency, map_equation_labels(adjacency)) <= 1.005 * result.codelength


@pytest.mark.parametrize("seed", range(5))
def test_every_move_gains_what_the_description_loses(seed):
    adjacency = communities(200, 10, seed)
    strength = np.asarray(adjacency.sum(axis=1)).reshape(-1)
    network = Network(
        adjacency.indptr.astype(np.int64),
        adjacency.indices.astype(np.int32),
        (adjacency.data / strength.sum()).astype(np.float32),
        strength / strength.sum(),
    )
    start = np.random.default_rng(seed).integers(0, 30, 200).astype(np.int32)
    moved = _moved(network, np.zeros(200, np.int32), start)
    assert codelength(adjacency, start) - codelength(adjacency, moved.labels) == pytest.approx(
        moved.gain, abs=1e-5
    )
    halves = (np.arange(200) % 2).astype(np.int32)
    kept_apart = _moved(network, halves, halves).labels
    assert all(len(set(halves[kept_apart == module])) == 1 for module in set(kept_apart))


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
