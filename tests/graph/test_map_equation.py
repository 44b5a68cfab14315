import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import block_diag, csr_array

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
from personae.graph.map_equation import _walk, _with_bars
from personae.graph.map_equation_search import ANYWHERE, CAREFUL, TIRED, _moved, _still
from personae.graph.walk import aggregated, laid_out
from tests.networks import communities, of_networkit, one_way

# seed, and the bits that infomap 2.16 reports for groups of ten in a row
DIRECTED_BITS = [(0, 9.04120644031012), (1, 9.134866358346438), (2, 9.10833070495749)]


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


@pytest.mark.parametrize("seed", range(3))
def test_the_description_is_as_short_as_networkits(seed):
    adjacency = communities(600, 12, seed)
    theirs = of_networkit(adjacency)
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


@pytest.mark.parametrize(("seed", "bits"), DIRECTED_BITS)
def test_the_directed_codelength_is_the_stored_one_of_infomap(seed, bits):
    adjacency = one_way(200, 10, seed)
    assert codelength(adjacency, np.arange(200) // 10, directed=True) == pytest.approx(bits, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_directed_codelength_and_description_are_those_of_infomap(seed):
    infomap = pytest.importorskip("infomap")
    adjacency = one_way(400, 10, seed)
    network = infomap.Network.from_scipy_sparse_matrix(adjacency, directed=True)
    result = network.run(options=infomap.Options(two_level=True, flow_model="directed", seed=1, silent=True))
    modules = result.modules()
    theirs = first_seen(np.array([modules.get(node, 1000 + node) for node in range(400)]))
    assert codelength(adjacency, theirs, directed=True) == pytest.approx(result.codelength, abs=1e-9)
    ours = codelength(adjacency, map_equation_labels(adjacency, directed=True), directed=True)
    assert ours <= 1.005 * result.codelength


def test_an_undirected_graph_has_one_answer_either_way():
    adjacency = communities(300, 12, 0)
    both = map_equation_labels(adjacency, directed=True), map_equation_labels(adjacency)
    assert (both[0] == both[1]).all()


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_every_move_gains_what_the_description_loses(seed, directed):
    adjacency = one_way(200, 10, seed) if directed else communities(200, 10, seed)
    network = _walk(adjacency, np.arange(200), directed)
    start = np.random.default_rng(seed).integers(0, 30, 200).astype(np.int32)
    moved = _moved(network, ANYWHERE, start, TIRED, CAREFUL)
    bits = [codelength(adjacency, labels, directed=directed) for labels in (start, moved.labels)]
    assert bits[0] - bits[1] == pytest.approx(moved.gain, abs=1e-5)
    halves = (np.arange(200) % 2).astype(np.int32)
    kept_apart = _moved(network, halves, halves, TIRED, CAREFUL).labels
    assert all(len(set(halves[kept_apart == module])) == 1 for module in set(kept_apart))


@given(seed=st.integers(0, 999), count=st.integers(1, 12))
@settings(max_examples=30)
def test_constraints_are_never_broken(seed, count):
    rng = np.random.default_rng(seed)
    adjacency = communities(120, 10, seed)
    found = map_equation_labels(adjacency)
    together = np.arange(120)
    for _ in range(count):
        a, b = rng.integers(0, 120, 2)
        together[together == together[b]] = together[a]
    apart = rng.integers(0, 120, (count, 2))
    apart = apart[together[apart[:, 0]] != together[apart[:, 1]]]
    held = map_equation_labels(adjacency, together=together, apart=apart, start=found)
    assert (held[apart[:, 0]] != held[apart[:, 1]]).all()
    for group in set(together):
        assert len(set(held[together == group])) == 1
    assert codelength(adjacency, held) >= codelength(adjacency, found) - 0.02


def test_constraints_that_hold_already_change_nothing():
    adjacency = communities(200, 10, 0)
    labels = map_equation_labels(adjacency)
    apart = np.array([[a, b] for a in range(0, 200, 9) for b in range(0, 200, 11) if labels[a] != labels[b]])
    assert (
        codelength(adjacency, map_equation_labels(adjacency, apart=apart))
        <= codelength(adjacency, labels) + 0.01
    )
    assert (map_equation_labels(adjacency, together=labels) == labels).all()


def test_a_warm_start_from_the_answer_gives_the_answer():
    size = 8
    adjacency = csr_array(communities(400, 10, 1) * 0.01 + np.kron(np.eye(50), np.ones((size, size))))
    adjacency.setdiag(0)
    labels = map_equation_labels(adjacency)
    assert (map_equation_labels(adjacency, start=labels) == labels).all()


@pytest.mark.parametrize("seed", range(4))
def test_a_warm_start_never_lengthens_the_description(seed):
    adjacency = communities(400, 10, seed)
    rng = np.random.default_rng(seed)
    for start in (map_equation_labels(adjacency), rng.integers(0, 40, 400), np.zeros(400, int)):
        bits = codelength(adjacency, map_equation_labels(adjacency, start=start))
        assert bits <= codelength(adjacency, first_seen(start)) + 1e-6


@pytest.mark.parametrize("directed", [False, True])
def test_the_scale_of_the_weights_does_not_matter(directed):
    adjacency = one_way(200, 10, 0) if directed else communities(200, 10, 0)
    labels = map_equation_labels(adjacency, directed=directed)
    for scale in (2.0**-600, 2.0**60, 2.0**900):
        scaled = adjacency * scale
        assert (map_equation_labels(scaled, directed=directed) == labels).all()
        bits = codelength(scaled, labels, directed=directed)
        assert bits == pytest.approx(codelength(adjacency, labels, directed=directed), abs=1e-12)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int64])
def test_weights_of_other_types_count_as_they_are(dtype):
    adjacency = csr_array(communities(200, 10, 0) * 100)
    other = csr_array((adjacency.data.astype(dtype), adjacency.indices, adjacency.indptr), shape=(200, 200))
    same = csr_array((other.data.astype(np.float64), other.indices, other.indptr), shape=(200, 200))
    labels = map_equation_labels(same)
    assert (map_equation_labels(other) == labels).all()
    assert codelength(other, labels) == pytest.approx(codelength(same, labels), abs=1e-12)


@pytest.mark.parametrize("directed", [False, True])
def test_a_link_of_weight_zero_is_no_link(directed):
    adjacency = one_way(100, 10, 0) if directed else communities(100, 10, 0)
    links = adjacency.tocoo()
    every = np.arange(99)
    rows, columns = np.r_[links.row, every, every + 1], np.r_[links.col, every + 1, every]
    padded = csr_array((np.r_[links.data, np.zeros(198)], (rows, columns)), shape=(100, 100))
    labels = map_equation_labels(adjacency, directed=directed)
    assert padded.nnz > adjacency.nnz
    assert (map_equation_labels(padded, directed=directed) == labels).all()
    nothing = csr_array((np.zeros(2), ([0, 1], [1, 0])), shape=(3, 3))
    assert map_equation_labels(nothing, directed=directed).tolist() == [0, 1, 2]
    assert codelength(nothing, np.zeros(3, int), directed=directed) == 0


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_links_to_itself_are_steps_within_a_module(seed, directed):
    adjacency = one_way(200, 10, seed) if directed else communities(200, 10, seed)
    own = csr_array(adjacency + csr_array(np.diag(np.random.default_rng(seed).uniform(0, 3, 200))))
    groups = np.arange(200) // 10
    if not directed:
        assert codelength(own, groups) == pytest.approx(slow_codelength(own, groups), abs=1e-12)
    network = _walk(own, np.arange(200), directed)
    moved = _moved(network, ANYWHERE, groups.astype(np.int32), TIRED, CAREFUL)
    bits = [codelength(own, labels, directed=directed) for labels in (groups, moved.labels)]
    assert moved.gain > 0
    assert bits[0] - bits[1] == pytest.approx(moved.gain, abs=1e-5)
    assert (network.indices != np.repeat(np.arange(200), np.diff(network.indptr))).all()


def test_faces_of_parts_without_a_link_between_them_share_no_module():
    adjacency = csr_array(block_diag([communities(60, 12, seed) for seed in range(4)]))
    labels = map_equation_labels(adjacency)
    part = np.arange(240) // 60
    assert all(len(set(part[labels == module])) == 1 for module in range(labels.max() + 1))


def test_one_face_is_one_module():
    for alone in (csr_array((1, 1)), csr_array([[2.0]])):
        for directed in (False, True):
            assert map_equation_labels(alone, directed=directed).tolist() == [0]
            assert codelength(alone, np.array([0]), directed=directed) == 0


@pytest.mark.parametrize(
    ("links", "message"),
    [
        ([[0, -1.0], [-1.0, 0]], "clip"),
        ([[0, np.nan], [np.nan, 0]], "clip"),
        ([[0, np.inf], [np.inf, 0]], "clip"),
        ([[0, 1e308], [1e308, 0]], "scale them"),
        ([[0, 1.0], [0, 0]], "not symmetric"),
        ([[0, 1.0, 1.0]], "square"),
    ],
)
def test_matrices_that_are_no_graph_are_refused(links, message):
    with pytest.raises(InputError, match=message):
        map_equation_labels(csr_array(links))


def test_nodes_laid_side_by_side_are_the_same_walk():
    adjacency = communities(80, 8, 0)
    apart = np.array([[0, 5], [7, 79], [5, 30]])
    network = _with_bars(_walk(adjacency, np.arange(80), False), apart, np.arange(80, dtype=np.int32), 80)
    order = np.random.default_rng(0).permutation(80).astype(np.int32)
    flow = csr_array((network.flow, network.indices, network.indptr), shape=(80, 80)).toarray()
    bars = csr_array((np.ones(6), network.barred, network.bar), shape=(80, 80)).toarray()
    laid = laid_out(network, order)
    assert (csr_array((laid.flow, laid.indices, laid.indptr)).toarray() == flow[order][:, order]).all()
    there = csr_array((np.ones(6), laid.barred, laid.bar), shape=(80, 80)).toarray()
    assert (there == bars[order][:, order]).all()
    assert (laid.visit == network.visit[order]).all()


def test_those_who_may_still_move_stay_alone():
    adjacency = communities(60, 6, 1)
    network = _walk(adjacency, np.arange(60), False)
    before, after = (np.arange(60, dtype=np.int32) // 6 for _ in range(2))
    after[[0, 7]] = 1, 0  # two modules swap a node: both are of the size that they were
    group = _still(network, before, after)
    linked = adjacency.toarray() > 0
    for a in range(60):
        moving = after[a] in (0, 1) or bool(linked[a][np.isin(after, (0, 1))].any())
        others = [b for b in range(60) if b != a and group[b] == group[a]]
        assert not (moving and others)
        assert all(after[b] == after[a] for b in others)
    still = [a for a in range(60) if after[a] > 1 and not linked[a][np.isin(after, (0, 1))].any()]
    assert len(np.unique(group[still])) == len(np.unique(after[still])) < len(still)


def test_constraints_that_contradict_are_refused():
    adjacency = communities(20, 5, 0)
    with pytest.raises(InputError, match="both together and apart"):
        map_equation_labels(adjacency, together=np.zeros(20, int), apart=np.array([[3, 7]]))
    with pytest.raises(InputError, match="20 faces"):
        map_equation_labels(adjacency, start=np.zeros(3, int))
    with pytest.raises(InputError, match="pairs, 2"):
        map_equation_labels(adjacency, apart=np.array([1, 2, 3]))
    with pytest.raises(InputError, match="there are 20"):
        map_equation_labels(adjacency, apart=np.array([[1, 20]]))


def test_parts_and_modules_carry_the_flows_of_their_nodes():
    adjacency = one_way(60, 6, 0)
    network = _walk(adjacency, np.arange(60), directed=True)
    labels = first_seen(np.arange(60) // 7)
    modules = aggregated(network, labels, int(labels.max()) + 1)
    member = np.eye(labels.max() + 1)[labels]
    flow = np.zeros((60, 60))
    np.add.at(flow, (np.repeat(np.arange(60), np.diff(network.indptr)), network.indices), network.flow)
    between = member.T @ flow @ member
    np.fill_diagonal(between, 0)
    dense = csr_array((modules.flow, modules.indices, modules.indptr), shape=between.shape).toarray()
    np.testing.assert_allclose(dense, between, atol=1e-7)
    np.testing.assert_allclose(modules.visit, member.T @ network.visit)


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


def test_faces_without_links_leave_the_people_they_began_with():
    none = csr_array((3, 3))
    assert map_equation_labels(none, start=np.array([0, 0, 1])).tolist() == [0, 1, 2]
    together = np.array([0, 0, 1])
    assert map_equation_labels(none, start=np.zeros(3, int), together=together).tolist() == [0, 0, 1]
    pair = csr_array(([1.0, 1.0], ([0, 3], [3, 0])), shape=(4, 4))
    assert map_equation_labels(pair, start=np.zeros(4, int)).tolist() == [0, 1, 2, 0]


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


@pytest.mark.parametrize("labels", [[0], [0, -1], [[0, 0]]])
def test_modules_of_other_faces_have_no_codelength(labels):
    pair = csr_array([[0.0, 1.0], [1.0, 0.0]])
    with pytest.raises(InputError, match="one module from 0 on for each of 2 faces"):
        codelength(pair, np.array(labels))
