import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from personae.errors import InputError
from personae.evaluation import (
    bcubed,
    link_curve,
    link_points,
    neighbor_score,
    nmi,
    pairwise,
    upper_bound_labels,
)
from personae.evaluation.score import Score
from personae.graph import KnnGraph

from .definitions import members


def random_graph(seed=0, faces=60, k=6, identities=8, dtype=np.float32):
    """A kNN graph with missing places and a few ties, and who its faces are."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(identities, size=faces)
    neighbors = np.array(
        [generator.permutation(np.delete(np.arange(faces), i))[:k] for i in range(faces)], dtype=np.int32
    )
    similarities = np.round(generator.random((faces, k)) + 0.3 * (truth[neighbors] == truth[:, None]), 1)
    missing = generator.random((faces, k)) < 0.1
    neighbors[missing] = -1
    similarities[missing] = 0
    return KnnGraph(neighbors, similarities.astype(dtype)), truth


def each_link(graph):
    for i, row in enumerate(graph.neighbors):
        for rank, j in enumerate(row):
            if j >= 0 and j != i:
                yield i, int(j), float(graph.similarities[i, rank])


def slow_links(graph, truth, deduplicate=False):
    values = {}
    for i, j, value in each_link(graph):
        key = (min(i, j), max(i, j)) if deduplicate else (i, j)
        values[key] = max(value, values.get(key, -np.inf))
    label = [truth[i] == truth[j] for i, j in values]
    return np.array(label), np.array(list(values.values()))


@pytest.mark.parametrize("deduplicate", [False, True], ids=["directed", "pairs"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("seed", range(3))
def test_the_curve_agrees_with_scikit_learn(seed, dtype, deduplicate):
    graph, truth = random_graph(seed, dtype=dtype)
    label, value = slow_links(graph, truth, deduplicate)
    curve = link_curve(graph, truth, deduplicate=deduplicate)
    assert (curve.links, curve.positives) == (len(label), label.sum())
    assert curve.auc == pytest.approx(roc_auc_score(label, value))
    assert curve.average_precision == pytest.approx(average_precision_score(label, value))
    false, true, _ = roc_curve(label, value, drop_intermediate=False)
    assert curve.tpr_at_fpr_1e3 == pytest.approx(true[false <= 1e-3].max())
    assert curve.tpr_at_fpr_1e2 == pytest.approx(true[false <= 1e-2].max())


@pytest.mark.parametrize("deduplicate", [False, True], ids=["directed", "pairs"])
def test_the_points_are_those_of_each_threshold(deduplicate):
    graph, truth = random_graph()
    label, value = slow_links(graph, truth, deduplicate)
    curve = link_points(graph, truth, deduplicate=deduplicate)
    assert curve.threshold.tolist() == sorted(set(value), reverse=True)
    for at, threshold in enumerate(curve.threshold):
        kept = value >= threshold
        assert curve.fpr[at] == kept[~label].mean()
        assert curve.tpr[at] == kept[label].mean()
        assert curve.precision[at] == label[kept].mean()
    fewer = link_points(graph, truth, deduplicate=deduplicate, points=3)
    assert len(fewer.threshold) == 3
    assert (fewer.threshold[[0, -1]] == curve.threshold[[0, -1]]).all()
    assert (fewer.tpr == curve.tpr[np.isin(curve.threshold, fewer.threshold)]).all()
    with pytest.raises(InputError, match="points is 1"):
        link_points(graph, truth, points=1)


def test_the_tolerated_false_links_are_counted_exactly():
    generator = np.random.default_rng(1)
    faces = 1998  # 1 and 19 of these false links may pass, with 2 more it would be 2 and 20
    truth = np.arange(faces) // 2
    neighbors = np.column_stack([np.arange(faces) ^ 1, (np.arange(faces) + 2) % faces]).astype(np.int32)
    similarities = np.column_stack([generator.normal(2, 1, faces), generator.normal(0, 1, faces)])
    curve = link_curve(KnnGraph(neighbors, similarities), truth)
    false, true, _ = roc_curve([1] * faces + [0] * faces, similarities.T.ravel(), drop_intermediate=False)
    assert 0 < curve.tpr_at_fpr_1e3 < curve.tpr_at_fpr_1e2 < 1
    assert curve.tpr_at_fpr_1e3 == pytest.approx(true[false <= 1e-3].max())
    assert curve.tpr_at_fpr_1e2 == pytest.approx(true[false <= 1e-2].max())


def test_perfect_links_are_perfect():
    graph, truth = random_graph()
    right = graph.linked((truth[graph.neighbors] == truth[:, None]).astype(np.float32))
    curve = link_curve(right, truth)
    assert (curve.auc, curve.average_precision, curve.tpr_at_fpr_1e3, curve.tpr_at_fpr_1e2) == (1, 1, 1, 1)


def test_a_mutual_pair_counts_once_with_its_larger_value():
    graph = KnnGraph(
        np.array([[1], [0], [0]], dtype=np.int32), np.array([[0.1], [0.9], [0.5]], dtype=np.float32)
    )
    truth = [0, 0, 1]
    assert link_curve(graph, truth).auc == 0.5
    once = link_curve(graph, truth, deduplicate=True)
    assert (once.links, once.auc) == (2, 1)


def test_a_face_is_not_its_own_link():
    with_self = KnnGraph(
        np.array([[0, 1], [1, 0], [2, 0]], dtype=np.int32), np.array([[1, 0.4], [1, 0.4], [1, 0.6]], np.float32)
    )
    assert link_curve(with_self, [0, 0, 1]).links == 3
    assert link_curve(with_self, [0, 0, 1]).auc == 0
    assert neighbor_score(with_self, [0, 0, 1]).precision == pytest.approx(1 / 3)


@pytest.mark.parametrize("metric", [link_curve, link_points, neighbor_score, upper_bound_labels])
def test_faces_that_nobody_knows_are_not_taken_for_one_person(metric):
    graph, truth = random_graph()
    with pytest.raises(InputError, match="the truth is -1 for 1 face"):
        metric(graph, np.where(np.arange(60) == 7, -1, truth))


@pytest.mark.parametrize(
    ("truth", "message"),
    [([0] * 60, "no link between identities"), (range(60), "no link within an identity"), ([0, 1], "60 faces")],
)
def test_curves_without_both_kinds_are_refused(truth, message):
    graph, _ = random_graph()
    for deduplicate in (False, True):
        with pytest.raises(InputError, match=message):
            link_curve(graph, truth, deduplicate=deduplicate)


def test_a_graph_without_links_is_refused():
    empty = KnnGraph(np.full((3, 2), -1, dtype=np.int32), np.zeros((3, 2), dtype=np.float32))
    for deduplicate in (False, True):
        with pytest.raises(InputError, match="no link within"):
            link_curve(empty, [0, 0, 1], deduplicate=deduplicate)


def test_nan_links_are_refused():
    graph, truth = random_graph()
    with pytest.raises(InputError, match="NaN"):
        link_curve(graph.linked(np.full_like(graph.similarities, np.nan)), truth)


@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 5))
def test_the_upper_bound_is_the_components_of_the_right_links(seed, identities, k):
    graph, truth = random_graph(seed, faces=20, k=k, identities=identities)
    right = nx.Graph([(i, j) for i, j, _ in each_link(graph) if truth[i] == truth[j]])
    right.add_nodes_from(range(20))
    labels = upper_bound_labels(graph, truth)
    assert set(members(labels)) == {frozenset(part) for part in nx.connected_components(right)}
    assert bcubed(truth, labels).precision == pairwise(truth, labels).precision == 1


def test_more_neighbors_raise_the_bound():
    graph, truth = random_graph(faces=200, k=40)
    bounds = [upper_bound_labels(graph.nearest(k), truth) for k in (5, 10, 20, 40)]
    assert (np.diff([bcubed(truth, bound).f for bound in bounds]) > 0).all()
    assert (np.diff([nmi(truth, bound) for bound in bounds]) > 0).all()


@pytest.mark.parametrize("seed", range(3))
def test_the_neighbor_score_averages_over_faces(seed):
    graph, truth = random_graph(seed, identities=25)
    truth[0] = 99  # a face without a second one
    hits = np.zeros(len(truth))
    for i, j, _ in each_link(graph):
        hits[i] += truth[i] == truth[j]
    others = np.array([np.sum(truth == identity) - 1 for identity in truth])
    score = neighbor_score(graph, truth)
    assert score.precision == pytest.approx(np.mean(hits / 6))
    assert score.recall == pytest.approx(np.mean([h / o for h, o in zip(hits, others, strict=True) if o]))


def test_lone_faces_have_nothing_to_recall():
    graph, _ = random_graph()
    assert neighbor_score(graph, np.arange(60)).recall == 1
    assert neighbor_score(graph, np.arange(60)).precision == 0


def test_a_graph_larger_than_a_block_is_compared_whole(monkeypatch):
    graph, truth = random_graph()
    expected = neighbor_score(graph, truth)
    monkeypatch.setattr("personae.evaluation.neighbors.BLOCK", 7)
    assert neighbor_score(graph, truth) == expected


def test_lists_without_places_are_wrong_about_nobody():
    graph, truth = random_graph()
    empty = KnnGraph(graph.neighbors[:, :0], graph.similarities[:, :0])
    assert neighbor_score(empty, truth) == Score(precision=1.0, recall=0.0, f=0.0)
    assert neighbor_score(empty, np.arange(60)) == Score(precision=1.0, recall=1.0, f=1.0)
