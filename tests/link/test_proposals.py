import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personae import FaceSet, InputError, knn_graph
from personae.graph.affinity import affinity
from personae.link.proposal_graphs import ProposalGraphs, symmetric
from personae.link.proposal_search import WHOLE, Search, modules, search_of
from personae.link.proposals import Proposals, centre_graph, centres, groups, super_vertices
from personae.link.rated import Rated
from tests.planted import made_faces


def sets_of(proposals):
    return [frozenset(proposals.members(number).tolist()) for number in range(len(proposals))]


def packed(sets):
    return Proposals.joined(
        [Proposals(np.array(sorted(one), np.int32), np.array([0, len(one)])) for one in sets]
    )


def drawn(seed, n=30, count=12):
    """Some sets of n faces, equal ones among them."""
    rng = np.random.default_rng(seed)
    sets = [set(rng.choice(n, rng.integers(1, 9), replace=False).tolist()) for _ in range(count)]
    return [*sets, *sets[:3]]


def slow_super_vertices(graph, tau, max_size, step=0.05):
    """Algorithm 1 on a networkx graph: what is small enough leaves, the threshold rises for the rest."""
    left = networkx.Graph()
    left.add_nodes_from(range(len(graph)))
    for i, row in enumerate(graph.neighbors.tolist()):
        for rank, j in enumerate(row):
            weight = float(graph.similarities[i, rank])
            if j >= 0 and weight >= tau:
                left.add_edge(i, j, weight=weight)
    found = []
    tau = min((weight for _, _, weight in left.edges.data("weight")), default=1)
    for turn in range(101):
        for component in list(networkx.connected_components(left)):
            if len(component) <= max_size or turn == 100:
                found.append(frozenset(component))
                left.remove_nodes_from(component)
        tau += (1 - tau) * step
        left.remove_edges_from([(i, j) for i, j, weight in left.edges.data("weight") if weight < tau])
    return found


@settings(max_examples=20)
@given(seed=st.integers(0, 999), tau=st.floats(0, 0.9), max_size=st.integers(1, 12))
def test_super_vertices_are_those_of_algorithm_1(seed, tau, max_size):
    graph = knn_graph(np.random.default_rng(seed).normal(size=(50, 4)), 5)
    found = sets_of(super_vertices(graph, tau, max_size))
    assert sorted(map(sorted, found)) == sorted(map(sorted, slow_super_vertices(graph, tau, max_size)))


@settings(max_examples=20)
@given(seed=st.integers(0, 999), k=st.integers(1, 3), tau=st.floats(0.2, 0.9), most=st.integers(1, 5))
def test_groups_are_super_vertices_of_the_centres(seed, k, tau, most):
    rng = np.random.default_rng(seed)
    faces = FaceSet.of(rng.normal(size=(60, 6)))
    parts = Proposals.of_labels(rng.integers(-1, 20, 60).astype(np.int32))
    parts = parts.take(parts.sizes > 0)
    means = np.stack([faces.features[list(one)].mean(axis=0) for one in sets_of(parts)])
    graph = knn_graph(FaceSet.of(means), k)
    expected = [
        frozenset().union(*(sets_of(parts)[part] for part in one))
        for one in slow_super_vertices(graph, tau, most)
    ]
    assert sorted(map(sorted, sets_of(groups(parts, centre_graph(faces, parts, k), tau, most)))) == sorted(
        map(sorted, expected)
    )


def test_the_centre_of_faces_that_cancel_out_is_one_of_them():
    faces = FaceSet.of([[1, 0], [-1, 0], [0, 1]])
    assert np.allclose(centres(faces, packed([{0, 1}, {1, 2}])), [[0.5, 0], [-0.5, 0.5]])


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_search_is_the_union_of_its_turns(turns):
    faces = made_faces([9, 7, 5, 4, 3, 2, *[1] * 6], spread=0.7, seed=turns)
    graph = knn_graph(faces, 8)
    search = Search((4, 8), (0.4, 0.6), (), 6, turns, ((1, 3), (2, 4)), (0.5,), 2, 3, 12)
    levels = [[super_vertices(graph.nearest(k), tau, 6) for k in (4, 8) for tau in (0.4, 0.6)]]
    for _ in range(1, turns):
        kept = [parts.take(parts.sizes >= 2) for parts in levels[-1]]
        levels.append(
            [
                groups(parts, centre_graph(faces, parts, k), 0.5, most)
                for parts in kept
                for k, most in ((1, 3), (2, 4))
            ]
        )
    expected = {one for level in levels for parts in level for one in sets_of(parts) if 3 <= len(one) <= 12}
    found = sets_of(search.proposals(faces, graph))
    assert len(found) == len(set(found))
    assert set(found) == expected


def test_modules_are_people_where_people_are_plain():
    faces = made_faces([8, 6, 5], spread=0.3)
    found = sets_of(modules(knn_graph(faces, 10), 0.4))
    assert set(found) == {frozenset(np.flatnonzero(faces.truth == person).tolist()) for person in range(3)}


def test_one_huge_component_tiny_k_and_no_links_at_all():
    faces = FaceSet.of(np.ones((40, 3)))
    graph = knn_graph(faces, 20).linked(np.ones((40, 20), np.float32))
    assert sets_of(super_vertices(graph, 0.5, 10)) == [frozenset(range(40))]  # equal faces are never cut
    whole = Search((20,), (0.5,), turns=1, largest=WHOLE)
    assert sets_of(whole.proposals(faces, graph)) == [frozenset(range(40))]
    apart = FaceSet.of(np.eye(5))
    assert len(whole.proposals(apart, knn_graph(apart, 1))) == 0
    one = FaceSet.of(np.ones((1, 3)))
    assert len(Search(modules=(0.5,), turns=3).proposals(one, knn_graph(one, 1))) == 0


def test_a_search_survives_json():
    search = Search(rules=((1, 2), (3, 4)))
    assert search_of({**vars(search), "rules": [[1, 2], [3, 4]], "taus": list(search.taus)}) == search


@pytest.mark.parametrize("wrong", [{"turns": 0}, {"smallest": 0}, {"smallest": 5, "largest": 4}])
def test_a_search_that_cannot_be_is_refused(wrong):
    with pytest.raises(InputError, match="give at least one turn"):
        Search(**wrong)


@pytest.mark.parametrize("seed", range(5))
def test_packed_sets_are_taken_joined_and_told_apart(seed):
    sets = drawn(seed)
    proposals = packed(sets)
    assert sets_of(proposals) == [frozenset(one) for one in sets]
    assert sets_of(proposals.distinct()) == list(dict.fromkeys(map(frozenset, sets)))
    assert sets_of(proposals.take(np.array([3, 0, 3]))) == [sets[3], sets[0], sets[3]]
    assert sets_of(proposals.take(proposals.sizes > 3)) == [one for one in sets if len(one) > 3]
    assert (proposals.proposal_of == np.repeat(np.arange(len(sets)), [len(one) for one in sets])).all()
    assert len(Proposals.joined([])) == len(Proposals.joined([]).distinct()) == 0


@pytest.mark.parametrize("seed", range(5))
def test_the_graphs_among_members_are_blocks_of_the_whole(seed):
    graph = knn_graph(np.random.default_rng(seed).normal(size=(30, 4)), 6)
    matrix = symmetric(graph)
    dense = matrix.toarray()
    assert np.allclose(dense, (affinity(graph).toarray() > 0) * dense)
    assert (dense == dense.T).all()
    sets = drawn(seed)
    among = ProposalGraphs.of(matrix, packed(sets))
    inside, average = among.inside.toarray(), among.averaging().toarray()
    start = 0
    for number, one in enumerate(map(sorted, sets)):
        rows = slice(start, start + len(one))
        start += len(one)
        block = dense[np.ix_(one, one)]
        assert (inside[rows, rows] == block).all()
        assert np.allclose(average[rows, rows], (block + np.eye(len(one))) / (1 + block.sum(1, keepdims=True)))
        out = np.delete(dense[one], one, axis=1)
        assert np.allclose(among.outside[rows], np.stack([out.sum(1), out.max(1)], axis=1))
        assert np.isclose(among.pull[number], out.sum(0).max())
    assert np.isclose(inside.sum(), sum(dense[np.ix_(sorted(one), sorted(one))].sum() for one in sets))


@pytest.mark.parametrize("seed", range(5))
def test_a_link_has_the_best_score_of_a_proposal_around_both_faces(seed):
    graph = knn_graph(np.random.default_rng(seed).normal(size=(30, 4)), 6)
    sets = drawn(seed)
    scores = np.random.default_rng(seed).random(len(sets)).astype(np.float32)
    links = Rated(packed(sets), scores).links(graph)
    for i in range(30):
        for rank in range(6):
            j = int(graph.neighbors[i, rank])
            around = [score for one, score in zip(sets, scores, strict=True) if {i, j} <= one]
            assert links.neighbors[i, rank] == (j if around else -1)
            assert links.similarities[i, rank] == max(around, default=0)


def test_a_score_is_at_tau_or_not_whatever_kind_of_number_tau_is():
    rated = Rated(packed([{0, 1}, {2, 3}]), np.float32([0.6, 0.7]))  # the one rounded up, the other down
    for tau, kept in ((0.6, 2), (np.float64(0.6), 2), (0.7, 0), (np.float64(0.7), 0)):
        assert len(rated.at_least(tau).scores) == kept
