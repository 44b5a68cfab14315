import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personae import InputError, knn_graph
from personae.graph.density import diffusion_density, stationary_density
from personae.graph.transitions import transitions
from tests.planted import made_faces


def slow_steps(graph, sigma):
    """(N, N) P, the face itself in its list at distance 0."""
    p = np.zeros((len(graph), len(graph)))
    for i in range(len(graph)):
        p[i, i] = 1
        for j, s in zip(graph.neighbors[i], graph.similarities[i], strict=True):
            if j >= 0:
                p[i, j] = np.exp(-(1 - np.float64(s)) / sigma)
    return p / p.sum(axis=1, keepdims=True)


@settings(max_examples=25)
@given(seed=st.integers(0, 9999), k=st.integers(1, 25), sigma=st.floats(0.05, 1), gone=st.floats(0, 0.5))
def test_densities_are_those_of_the_definition(seed, k, sigma, gone):
    graph = knn_graph(made_faces([8, 6, 4, 1, 1, 1], d=6, seed=seed), k)
    graph = graph.where(np.random.default_rng(seed).random(graph.neighbors.shape) >= gone)
    p, steps = slow_steps(graph, sigma), transitions(graph, sigma)
    np.testing.assert_allclose(diffusion_density(steps), p.sum(axis=0), rtol=1e-5)
    rho = np.full(len(graph), 1 / len(graph))
    while True:
        after = 0.1 * rho + 0.9 * sum(rho[i] * p[i] for i in range(len(graph)))
        change, rho = np.abs(after - rho).sum(), after
        if change < 0.05:
            break
    np.testing.assert_allclose(stationary_density(steps), len(graph) * rho, rtol=1e-5)


def test_people_of_all_sizes_have_a_density_near_1():
    faces = made_faces([40, 20, 10, 5, 5], d=256, spread=0.2)
    graph = knn_graph(faces, 44)
    mates = faces.truth[graph.neighbors] == faces.truth[:, None]
    density = diffusion_density(transitions(graph.where(mates), 0.5))
    for person in range(5):
        assert density[faces.truth == person].mean() == pytest.approx(1, abs=1e-5)


def test_a_width_of_nothing_is_refused_and_a_tiny_one_is_no_trouble():
    graph = knn_graph(made_faces([8, 6, 4], seed=1), 5)
    with pytest.raises(InputError, match="sigma is 0"):
        transitions(graph, 0)
    tiny = transitions(graph, 1e-6)
    np.testing.assert_allclose(tiny.similarities.sum(axis=1), 1, atol=1e-6)
