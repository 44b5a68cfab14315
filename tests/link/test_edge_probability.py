import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personae import InputError, knn_graph
from personae.link.edge_probability import EdgeProbability
from tests.planted import made_faces


def slow_links(graph, theta, sigma):
    """Rows of Q by face, e_ij over the faces of both rows, and the walk that stops."""
    rows = []
    for face in range(len(graph)):
        cosine = {face: 1.0}
        for other, similarity in zip(graph.neighbors[face], graph.similarities[face], strict=True):
            if other >= 0:
                cosine[int(other)] = min(max(float(similarity), 0.0), 1.0)
        terms = {m: np.exp(-(2 - 2 * c) / sigma) for m, c in cosine.items()}
        rows.append({m: term / sum(terms.values()) for m, term in terms.items()})
    neighbors = np.full(graph.neighbors.shape, -1)
    weights = np.zeros(graph.neighbors.shape)
    for face in range(len(graph)):
        for rank, other in enumerate(graph.neighbors[face]):
            if other < 0:
                break
            both = rows[face].keys() & rows[other].keys()
            e = sum(rows[face][m] + rows[other][m] for m in both) / 2
            if e < theta:
                break
            neighbors[face, rank], weights[face, rank] = other, e
    return neighbors, weights


@settings(max_examples=25)
@given(seed=st.integers(0, 9999), k=st.integers(0, 25), theta=st.floats(0.05, 0.9), sigma=st.floats(0.05, 2))
def test_links_are_those_of_the_definition(seed, k, theta, sigma):
    graph = knn_graph(made_faces([8, 6, 4, 1, 1, 1], d=6, seed=seed), max(k, 1)).nearest(k)
    found = EdgeProbability(theta, sigma).link(graph)
    neighbors, weights = slow_links(graph, theta, sigma)
    assert (found.neighbors == neighbors).all()
    np.testing.assert_allclose(found.similarities, weights, atol=1e-6)


def test_faces_that_are_missing_count_for_nobody():
    graph = knn_graph(made_faces([8, 6, 4, 1], seed=1), 10)
    graph = graph.where(np.arange(10) < np.random.default_rng(0).integers(0, 11, (19, 1)))
    found = EdgeProbability(0.3).link(graph)
    neighbors, weights = slow_links(graph, 0.3, 0.5)
    assert (found.neighbors == neighbors).all()
    np.testing.assert_allclose(found.similarities, weights, atol=1e-6)


def test_a_list_ends_at_its_first_failure():
    graph = knn_graph(made_faces([10] * 6, d=8, seed=3), 20)
    strict, loose = EdgeProbability(0.4).link(graph), EdgeProbability(1e-9).link(graph)
    kept = strict.neighbors >= 0
    assert (np.diff(kept.astype(int), axis=1) <= 0).all()
    assert ((loose.similarities >= 0.4) & ~kept).any(), "no later neighbor was above theta: nothing was tested"


@pytest.mark.parametrize(
    "link", [EdgeProbability(theta=0), EdgeProbability(sigma=0), EdgeProbability(sigma=np.nan)]
)
def test_widths_and_thresholds_of_nothing_are_refused(link):
    with pytest.raises(InputError, match="above 0"):
        link.link(knn_graph(np.eye(3), 2))
