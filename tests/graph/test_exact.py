import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personae import FaceSet, InputError, knn_graph
from personae.graph import KnnGraph, neighbor_recall
from personae.graph.exact import nearest_faces
from tests.threads import threads


def slow_neighbors(features, k):
    """All cosines in float64 and a full sort, ties by the face's number."""
    wide = features.astype(np.float64)
    cosines = (wide @ wide.T).astype(np.float32)
    np.fill_diagonal(cosines, -np.inf)
    order = np.argsort(-cosines, axis=1, kind="stable")[:, : min(k, len(wide) - 1)]
    return order, np.take_along_axis(cosines, order, axis=1)


@settings(max_examples=40)
@given(n=st.integers(2, 90), d=st.integers(1, 33), k=st.integers(1, 30), seed=st.integers(0, 99))
def test_neighbors_are_those_of_the_full_sort(n, d, k, seed):
    faces = FaceSet.of(np.random.default_rng(seed).normal(size=(n, d)))
    found = knn_graph(faces, k)
    order, cosines = slow_neighbors(faces.features, k)
    np.testing.assert_allclose(found.similarities, cosines, atol=2e-7)
    differ = found.neighbors != order  # only where cosines tie to the last bit
    assert np.allclose(found.similarities[differ], cosines[differ], atol=2e-7)
    assert differ.mean() < 0.05 or d == 1


@given(copies=st.integers(2, 40), k=st.integers(1, 50), seed=st.integers(0, 9))
@settings(max_examples=30)
def test_a_face_is_never_its_own_neighbor_even_among_duplicates(copies, k, seed):
    rng = np.random.default_rng(seed)
    features = np.repeat(rng.normal(size=(3, 7)), copies, axis=0)[rng.permutation(3 * copies)]
    graph = knn_graph(features, k)
    assert (graph.neighbors != np.arange(len(features))[:, None]).all()
    rows = [set(row) for row in graph.neighbors]
    assert all(len(row) == graph.k for row in rows)
    assert (graph.similarities[:, : min(k, copies - 1)] > 1 - 1e-6).all()


def test_equal_similarities_stand_in_the_order_of_the_faces():
    graph = knn_graph(np.ones((6, 4)), k=5)
    assert graph.neighbors.tolist() == [[j for j in range(6) if j != i] for i in range(6)]


@pytest.mark.parametrize("block", [1, 7, 64, 1000])
def test_the_block_size_changes_no_bit(planted, block):
    whole, blocked = knn_graph(planted, 20), knn_graph(planted, 20, block=block)
    assert (whole.neighbors == blocked.neighbors).all()
    assert (whole.similarities == blocked.similarities).all()


def test_the_number_of_threads_changes_no_bit(planted):
    with threads(2):
        many = knn_graph(planted, 20)
    with threads(1):
        one = knn_graph(planted, 20)
    assert (many.neighbors == one.neighbors).all()
    assert (many.similarities == one.similarities).all()


def test_a_permutation_of_the_faces_permutes_the_graph(planted):
    order = np.random.default_rng(1).permutation(len(planted))
    graph, shuffled = knn_graph(planted, 20), knn_graph(planted.take(order), 20)
    assert (order[shuffled.neighbors] == graph.neighbors[order]).all()
    assert (shuffled.similarities == graph.similarities[order]).all()


def test_a_pair_has_one_similarity_whichever_face_asks(planted):
    graph = knn_graph(planted, len(planted))
    table = np.zeros((len(planted), len(planted)), dtype=np.float32)
    np.put_along_axis(table, graph.neighbors.astype(np.intp), graph.similarities, axis=1)
    assert (table == table.T).all()


def test_more_neighbors_than_faces_gives_all_the_others():
    assert knn_graph(np.eye(4), k=80).neighbors.shape == (4, 3)
    assert knn_graph([[1.0, 2.0]], k=80).neighbors.shape == (1, 0)


def test_half_precision_features_are_searched_as_they_are(planted):
    half = FaceSet.of(planted.features.astype(np.float16))
    assert half.features.dtype == np.float16
    order, cosines = slow_neighbors(half.features, 10)
    graph = knn_graph(half, 10)
    np.testing.assert_allclose(graph.similarities, cosines, atol=2e-7)
    assert (graph.neighbors == order).mean() > 0.999


def test_some_rows_of_the_graph_can_be_asked_for(planted):
    rows = np.array([5, 17, 3])
    neighbors, similarities = nearest_faces(planted.features, rows, 9)
    assert (neighbors == knn_graph(planted, 9).neighbors[rows]).all()
    assert (similarities == knn_graph(planted, 9).similarities[rows]).all()


@pytest.mark.parametrize("wrong", [{"k": 0}, {"k": -3}, {"block": 0}])
def test_nonsense_sizes_are_refused(wrong):
    with pytest.raises(InputError, match="at least 1"):
        knn_graph(np.eye(4), **wrong)


def test_recall_counts_the_neighbors_that_are_missing(planted):
    graph = knn_graph(planted, 10)
    assert neighbor_recall(graph, planted) == 1.0
    worse = graph.neighbors.copy()
    worse[:, 7:] = -1
    similarities = np.where(worse >= 0, graph.similarities, np.float32(0))
    assert neighbor_recall(KnnGraph(worse, similarities), planted, sample=50) == pytest.approx(0.7)
    nobody = np.full((len(planted), len(planted) - 1), -1, np.int32)
    empty = KnnGraph(nobody, np.zeros(nobody.shape, np.float32))  # the last of all have cosines below 0
    assert neighbor_recall(empty, planted, sample=50) == 0


def test_many_equal_faces_leave_the_others_right():
    rng = np.random.default_rng(0)
    features = np.vstack([np.tile(rng.normal(size=8), (700, 1)), rng.normal(size=(300, 8))]).astype(np.float32)
    faces = FaceSet.of(features)
    graph = knn_graph(faces, 5)
    _, cosines = slow_neighbors(faces.features, 5)
    np.testing.assert_allclose(graph.similarities, cosines, atol=2e-7)
    first = [[j for j in range(6) if j != i][:5] for i in range(700)]
    assert (graph.neighbors[:700] == first).all()


def test_faces_that_were_never_checked_are_refused():
    for features in (np.full((5, 4), np.nan, np.float32), np.eye(4, dtype=np.float32) * 7):
        with pytest.raises(InputError, match="unit rows"):
            knn_graph(FaceSet(features), 2)
