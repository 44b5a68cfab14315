import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personae.errors import InputError
from personae.graph import KnnGraph, knn_graph
from personae.link.outlier_detection import OutlierDetection, kept_neighbors


def slow_kept(row, omega):
    """Outlier detection as it is written: every tail averaged anew."""
    steps = row[:-1] - row[1:]
    t = len(steps)
    scores = np.zeros(t + 1)
    for s in range(t - omega, -1, -1):
        tail = steps[s:t]
        if tail.std() > 1e-12:
            scores[s + math.ceil(omega / 2)] = abs(steps[s : s + omega].mean() - tail.mean()) / tail.std()
    return int(scores.argmax()) + 1


@settings(max_examples=60)
@given(k=st.integers(44, 120), omega=st.integers(2, 21), seed=st.integers(0, 9999), friends=st.integers(0, 30))
def test_lists_are_cut_where_the_definition_says(k, omega, seed, friends):
    rng = np.random.default_rng(seed)
    cosines = np.sort(rng.normal(0.2, 0.05, k) + 0.4 * (np.arange(k) < friends))[::-1].clip(0.01)
    row = cosines / cosines.sum()
    assert kept_neighbors(row[None], omega)[0] == slow_kept(row, omega)


def test_the_papers_parameters_keep_11_to_246_of_256_neighbors():
    rng = np.random.default_rng(0)
    rows = np.sort(rng.random((500, 256)), axis=1)[:, ::-1]
    kept = kept_neighbors(rows / rows.sum(axis=1, keepdims=True), 20)
    assert kept.min() >= 11
    assert kept.max() <= 246


def test_what_stays_keeps_its_probability():
    similarities = np.sort(np.random.default_rng(1).random((30, 29)), axis=1)[:, ::-1].astype(np.float32)
    neighbors = np.array([np.delete(np.arange(30), i) for i in range(30)], np.int32)
    linked = OutlierDetection(window=5).link(KnnGraph(neighbors, similarities))
    kept = linked.neighbors >= 0
    probability = similarities / similarities.sum(axis=1, keepdims=True, dtype=np.float64)
    np.testing.assert_allclose(linked.similarities[kept], probability[kept], rtol=1e-6)
    assert (linked.similarities[~kept] == 0).all()
    assert (kept.sum(axis=1) == kept_neighbors(probability, 5)).all()


@pytest.mark.parametrize("k", [0, 1, 2, 3, 5, 9])
def test_short_constant_and_negative_lists_are_harmless(k):
    neighbors = np.array([[(i + 1 + r) % 10 for r in range(k)] for i in range(10)], np.int32).reshape(10, k)
    for value in (1.0, 0.3, 0.0, -0.4):
        linked = OutlierDetection().link(KnnGraph(neighbors, np.full((10, k), value, np.float32)))
        assert np.isfinite(linked.similarities).all()
        assert (linked.similarities >= 0).all()


def test_a_window_of_nothing_is_refused():
    with pytest.raises(InputError, match="window"):
        OutlierDetection(window=0).link(KnnGraph(np.zeros((1, 1), np.int32), np.ones((1, 1), np.float32)))


def test_a_list_that_ends_early_is_cut_as_the_list_it_is(planted):
    graph = knn_graph(planted, 30)
    short = np.arange(30) < np.where(np.arange(len(planted)) % 2, 30, 20)[:, None]
    found = OutlierDetection(4).link(graph.where(short)).similarities
    assert (found[1::2] == OutlierDetection(4).link(graph).similarities[1::2]).all()
    assert (found[::2, :20] == OutlierDetection(4).link(graph.nearest(20)).similarities[::2]).all()
    assert not found[::2, 20:].any()
