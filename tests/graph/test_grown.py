import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personae import FaceSet, knn_graph
from personae.graph import grown as module
from personae.graph.grown import grown


@settings(max_examples=40)
@given(
    n=st.integers(1, 60),
    new=st.integers(1, 60),
    k=st.integers(1, 30),
    copies=st.sampled_from([1, 3, 40]),
    seed=st.integers(0, 99),
)
def test_a_graph_grown_is_the_graph_searched_at_once(n, new, k, copies, seed):
    rng = np.random.default_rng(seed)
    rows = np.repeat(rng.normal(size=(n + new, 7)), copies, axis=0)
    features = FaceSet.of(rows[rng.permutation(len(rows))[: n + new]]).features
    graph, whole = grown(knn_graph(features[:n], k), features, k), knn_graph(features, k)
    assert (graph.neighbors == whole.neighbors).all()
    assert (graph.similarities == whole.similarities).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_blocks_do_not_matter(planted, monkeypatch, dtype):
    features = FaceSet.of(planted.features.astype(dtype)).features
    whole = knn_graph(features, 12)
    monkeypatch.setattr(module, "ROWS", 50)
    monkeypatch.setattr(module, "COLUMNS", 7)
    graph = knn_graph(features[:170], 12)
    for upto in (171, 230, 300):
        graph = grown(graph, features[:upto], 12)
    assert (graph.neighbors == whole.neighbors).all()
    assert (graph.similarities == whole.similarities).all()
