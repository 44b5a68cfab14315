import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from personae import KnnGraph, knn_graph
from personae.link.transition_overlap import TransitionOverlap
from tests.planted import made_faces


@settings(max_examples=25)
@given(seed=st.integers(0, 9999), k=st.integers(1, 25), sigma=st.floats(0.01, 1), gone=st.floats(0, 0.5))
def test_weights_are_those_of_the_definition(seed, k, sigma, gone):
    graph = knn_graph(made_faces([8, 6, 4, 1, 1, 1], d=6, seed=seed), k)
    graph = graph.where(np.random.default_rng(seed).random(graph.neighbors.shape) >= gone)
    n = len(graph)
    p = np.zeros((n, n))
    for i in range(n):
        p[i, i] = np.exp(-0 / sigma)
        for j, s in zip(graph.neighbors[i], graph.similarities[i], strict=True):
            if j >= 0:
                p[i, j] = np.exp(-(1 - np.float64(s)) / sigma)
        p[i] /= p[i].sum()
    found = TransitionOverlap(sigma).link(graph)
    assert (found.neighbors == graph.neighbors).all()
    for i in range(n):
        for rank, j in enumerate(graph.neighbors[i]):
            expected = np.sqrt(p[i] * p[j]).sum() if j >= 0 else 0
            np.testing.assert_allclose(found.similarities[i, rank], expected, atol=1e-5)


def test_equal_surroundings_overlap_wholly():
    pair = KnnGraph(np.array([[1], [0]], np.int32), np.ones((2, 1), np.float32))
    np.testing.assert_allclose(TransitionOverlap().link(pair).similarities, 1, atol=1e-6)


def test_half_precision_similarities_serve_as_well():
    graph = knn_graph(made_faces([8, 6, 4], seed=1), 5)
    half = TransitionOverlap().link(graph.linked(graph.similarities.astype(np.float16)))
    np.testing.assert_allclose(half.similarities, TransitionOverlap().link(graph).similarities, atol=0.01)
