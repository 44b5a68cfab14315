import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personae import Auto, FaceSet, InputError, SyntheticIdentities, knn_graph, synthetic_faces
from personae.evaluation import bcubed
from personae.graph import KnnGraph, near_recall, neighbor_recall, search, tables
from personae.graph import join as join_module
from personae.graph.cells import LOOKED_INTO, Cells
from personae.graph.exact import nearest_faces
from personae.graph.join import Asked, joined
from personae.graph.knn_graph import NOBODY
from personae.graph.merged_lists import merge
from personae.graph.reach import nearest_way
from personae.graph.search import complete
from personae.graph.shortlists import Known, Room


@pytest.fixture
def large(monkeypatch):
    """Sets of any size count as large, and another table as cheap."""
    monkeypatch.setattr(search, "SMALL", 0)
    monkeypatch.setattr(tables, "KEEPING", 0)


@pytest.fixture(scope="module")
def made():
    return synthetic_faces(SyntheticIdentities(faces=4000))


def join(features, cells, probes, k, found=None, wanted=-1):
    """The join of a set with itself, and which pairs of faces it looks at; `found` are lists of one before."""
    probe = cells.nearest(features, np.arange(len(features)), probes)
    order = np.argsort(probe[:, 0], kind="stable").astype(np.int32)
    asked = Asked.of(probe[order, 0], probe[order], len(cells))
    looks = np.zeros((len(features), len(cells) + 1), dtype=bool)
    looks[np.arange(len(features))[:, None], probe] = True
    met = looks[:, probe[:, 0]]
    room = Room.of(len(features), k)
    known = Known.nothing(len(features))
    if found is not None:
        known = Known.of(*found, np.full(len(features), wanted, np.float32))
    return joined(features[order], asked, order, known, room).tables(), met | met.T


def random_faces(n, d, copies, seed):
    rng = np.random.default_rng(seed)
    rows = np.repeat(rng.normal(size=(-(-n // copies), d)), copies, axis=0)[:n]
    return FaceSet.of(rows[rng.permutation(n)]).features


@settings(max_examples=30)
@given(
    n=st.integers(2, 300),
    d=st.integers(2, 20),
    copies=st.sampled_from([1, 3, 150]),
    cells=st.integers(1, 40),
    seed=st.integers(0, 99),
)
def test_a_join_of_all_cells_is_the_exact_graph(n, d, copies, cells, seed):
    features = random_faces(n, d, copies, seed)
    found = Cells.among(features, min(cells, n))
    k = min(12, n - 1)
    (neighbors, similarities), met = join(features, found, len(found), k)
    if met.all():
        exact, cosines = nearest_faces(features, np.arange(n), k)
        assert (neighbors == exact).all()
        assert (similarities == cosines).all()
    assert met.all() or len(found.groups) > LOOKED_INTO


@settings(max_examples=15)
@given(probes=st.integers(1, 6), k=st.integers(1, 40), seed=st.integers(0, 9))
def test_a_join_of_some_cells_is_the_best_of_the_pairs_that_meet(probes, k, seed):
    features = random_faces(400, 8, 1, seed)
    (neighbors, similarities), met = join(features, Cells.among(features, 20), probes, k)
    cosines = (features.astype(np.float64) @ features.T.astype(np.float64)).astype(np.float32)
    cosines[~met] = -np.inf
    np.fill_diagonal(cosines, -np.inf)
    best = -np.sort(-cosines, axis=1)[:, :k]
    found = np.isfinite(best)
    assert ((neighbors >= 0) == found).all()
    np.testing.assert_allclose(similarities[found], best[found], atol=2e-7)
    rows = [set(row) - {-1} for row in neighbors]
    assert [len(row) for row in rows] == found.sum(axis=1).tolist()


@settings(max_examples=15)
@given(probes=st.integers(1, 6), k=st.integers(1, 40), copies=st.sampled_from([1, 3]), seed=st.integers(0, 9))
def test_a_join_leaves_out_who_is_known_and_finds_who_belongs_beside_them(probes, k, copies, seed):
    features = random_faces(400, 8, copies, seed)
    lists, met = join(features, Cells.among(features, 20), probes, k)
    more, also = join(features, Cells.among(features[::-1], 30), probes, k, lists)
    assert not [row for row, others in enumerate(more[0]) if {*others} & {*lists[0][row]} - {-1}]
    merge(lists, more)
    neighbors, _ = nearest_faces(features, np.arange(len(features)), len(features) - 1)
    for row in range(0, len(features), 7):
        best = [other for other in neighbors[row] if met[row, other] or also[row, other]][:k]
        assert [other for other in lists[0][row] if other >= 0] == best


def test_threads_that_tell_each_other_little_at_a_time_find_the_same(monkeypatch):
    features = random_faces(3000, 8, 1, 0)
    cells = Cells.among(features, 40)
    (neighbors, cosines), _ = join(features, cells, 5, 12)
    monkeypatch.setattr(join_module, "TILE", 1 << 12)
    monkeypatch.setattr(join_module, "TOLD", 1 << 12)
    monkeypatch.setattr(join_module, "ROWS", 100)
    little = join(features, cells, 5, 12)[0]
    assert (neighbors == little[0]).all()
    assert (cosines == little[1]).all()


def test_who_has_a_full_list_looks_for_those_who_are_near_enough():
    features = random_faces(400, 8, 1, 0)
    one, other = Cells.among(features, 60), Cells.among(features[::-1], 30)
    lists, _ = join(features, one, 1, 6)
    every, near = (join(features, other, 3, 6, lists, wanted)[0] for wanted in (-1, 0.9))
    full = lists[0][:, -1] >= 0
    assert 0 < full.sum() < len(full)
    assert (near[0][~full] == every[0][~full]).all()
    wanted = np.where(every[1] >= 0.9, every[0], -1)
    assert (near[0][full] == wanted[full]).all()
    assert (near[0][full] != every[0][full]).any()


def test_more_equal_faces_than_a_shortlist_holds_stand_in_their_order():
    features = FaceSet.of(np.ones((900, 4))).features
    cells = Cells.among(features, 3)
    (neighbors, _), _ = join(features, cells, len(cells), 5)
    assert neighbors[[0, 3, 899]].tolist() == [[1, 2, 3, 4, 5], [0, 1, 2, 4, 5], [0, 1, 2, 3, 4]]


def test_cells_of_the_groups_looked_into_are_given_best_first_and_then_none(made):
    cells = Cells.among(made.features, 36)
    assert len(cells.groups) > LOOKED_INTO
    products = made.features[:50] @ cells.directions.T
    groups = np.argsort(-made.features[:50] @ cells.groups.T, axis=1)[:, :LOOKED_INTO]
    nearest = cells.nearest(made.features, np.arange(50), len(cells))
    for row in range(50):
        there = np.concatenate([np.arange(*cells.first[group : group + 2]) for group in groups[row]])
        best = there[np.argsort(-products[row, there])]
        assert nearest[row].tolist() == [*best, *[len(cells)] * (len(cells) - len(best))]


@pytest.mark.parametrize("looked_into", [3, 6])
def test_cells_are_counted_up_to_that_of_another_face(made, monkeypatch, looked_into):
    monkeypatch.setattr(Cells, "looked_into", looked_into)
    cells, some = Cells.among(made.features, 36), np.arange(40)
    order = cells.nearest(made.features, some, len(cells))
    behind = cells.behind(made.features[some])
    for one in some:
        for other in some:
            places = np.flatnonzero(order[one] == order[other, 0])
            assert behind[one, other] == (places[0] if len(places) else len(cells))


def test_a_face_is_met_or_known_to_one_who_is():
    apart = np.array([[0, 1, 5, 9], [1, 0, 2, 3], [5, 2, 0, 0], [9, 3, 0, 0]])
    known = np.array([[False, True, False], [False, False, True], [False, False, False]])
    assert nearest_way(apart, known).tolist() == [1, 2, 5]  # itself, by way of the first, of the second
    assert nearest_way(apart, np.zeros((3, 3), bool)).tolist() == [1, 5, 9]


def test_the_recall_asked_for_is_reached_at_less_than_all_pairs(large, made, monkeypatch):
    looked = []
    enough = search.enough_tables
    monkeypatch.setattr(search, "enough_tables", lambda *given: looked.append(enough(*given)) or looked[-1])
    exact = knn_graph(made, 5, recall=1)
    loose, close = (knn_graph(made, 5, recall=recall) for recall in (0.8, 0.99))
    cost = [found.cost(len(made)) for found in looked]
    assert cost[0] < cost[1] < len(made)
    assert near_recall(loose, made) > 0.78
    assert near_recall(close, made) > 0.98
    assert neighbor_recall(loose, made) < 0.9
    same = made.truth[exact.neighbors] == made.truth[:, None]
    held = (close.neighbors[:, None, :] == exact.neighbors[:, :, None]).any(axis=2)
    assert held[same].mean() > 0.98
    assert (close.neighbors >= 0).all()
    assert (close.neighbors != np.arange(len(made))[:, None]).all()


def test_another_table_finds_those_who_met_in_none_of_the_first(large, made, monkeypatch):
    found = []
    for most in (1, 4):
        monkeypatch.setattr(tables, "TABLES", most)
        monkeypatch.setattr(tables.Reach, "probes", lambda *_: 3)
        monkeypatch.setattr(tables.Tables, "cost", lambda of, _: -len(of.cells))
        found.append(knn_graph(made, 5))
    one, four = (near_recall(graph, made) for graph in found)
    assert one < 0.96 < 0.98 < four
    assert all(len(set(row)) == 5 for row in found[1].neighbors.tolist())


def test_a_permutation_of_the_faces_permutes_the_graph_of_cells(large, made):
    order = np.random.default_rng(1).permutation(len(made))
    graph, shuffled = knn_graph(made, 20, recall=0.9), knn_graph(made.take(order), 20, recall=0.9)
    assert (shuffled.similarities == graph.similarities[order]).all()
    assert (order[shuffled.neighbors] == graph.neighbors[order]).mean() > 0.9999  # all but two equal cosines


def test_the_number_of_threads_changes_no_bit_of_the_graph_of_cells(large, made):
    many = knn_graph(made, 20, recall=0.9)
    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        one = knn_graph(made, 20, recall=0.9)
    finally:
        numba.set_num_threads(threads)
    assert (many.neighbors == one.neighbors).all()
    assert (many.similarities == one.similarities).all()


def test_all_pairs_are_looked_at_where_too_many_cells_are_needed(large, monkeypatch):
    monkeypatch.setattr(tables, "MOST", 0.01)
    faces = FaceSet.of(np.random.default_rng(0).normal(size=(500, 60)))
    graph = knn_graph(faces, 10)
    assert neighbor_recall(graph, faces, sample=500) == 1.0


@pytest.mark.parametrize("n", [2, 3, 30])
def test_tiny_sets_and_equal_faces_have_full_lists(large, n):
    for features in (np.ones((n, 3)), np.eye(max(n, 2))[:n]):
        graph = knn_graph(features, 80, recall=0.9)
        exact = knn_graph(features, 80, recall=1)
        assert (graph.neighbors == exact.neighbors).all()


def test_half_precision_features_are_searched_by_cells(large, made):
    half = FaceSet.of(made.features.astype(np.float16))
    graph = knn_graph(half, 20, recall=0.9)
    assert near_recall(graph, half) > 0.88


def test_a_recall_that_is_no_share_is_refused():
    for wrong in (0, -1, 1.5, float("nan")):
        with pytest.raises(InputError, match="recall"):
            knn_graph(np.eye(4), 2, recall=wrong)


def test_nobody_is_found_on_empty_lists_however_far_the_others_are():
    apart = FaceSet.of(np.eye(5) - 0.2)  # cosines of -0.25
    nobody = KnnGraph(np.full((5, 1), NOBODY, np.int32), np.zeros((5, 1), np.float32))
    assert near_recall(nobody, apart) == neighbor_recall(nobody, apart) == 0
    assert near_recall(knn_graph(apart, 1), apart) == 1


def test_near_recall_is_of_the_same_faces(made):
    with pytest.raises(InputError, match="4,000"):
        near_recall(KnnGraph(np.zeros((3, 1), np.int32), np.zeros((3, 1), np.float32)), made)


@pytest.mark.data
def test_people_found_on_a_graph_of_cells_are_as_good_as_on_the_exact_one(large, shared):
    held = np.load(shared / "data" / "lfw.sface.npz")
    faces = FaceSet.of(held["X"], held["y"])
    exact, by_cells = knn_graph(faces, recall=1), knn_graph(faces)
    assert near_recall(by_cells, faces) > 0.98
    scores = [bcubed(faces.truth, Auto().fit(faces, graph=graph).labels_).f for graph in (exact, by_cells)]
    assert abs(scores[0] - scores[1]) < 0.005


class Killed(np.ndarray):
    """An array of a program that dies when it writes there."""

    def __setitem__(self, key, value):
        raise KeyboardInterrupt


def test_a_list_is_full_only_once_its_similarities_are_there():
    faces = FaceSet.of(np.random.default_rng(0).normal(size=(20, 4)))
    neighbors, similarities = np.full((20, 3), NOBODY, np.int32), np.zeros((20, 3), np.float32)
    for killed in ((neighbors, similarities.view(Killed)), (neighbors.view(Killed), similarities)):
        with pytest.raises(KeyboardInterrupt):
            complete(faces.features, *killed)
        assert (neighbors == NOBODY).all()
    complete(faces.features, neighbors, similarities)
    exact = knn_graph(faces, 3)
    assert (neighbors == exact.neighbors).all()
    assert (similarities == exact.similarities).all()
