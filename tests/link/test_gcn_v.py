import numpy as np
import pytest
import torch

from personae import KnnGraph, knn_graph
from personae.graph.affinity import affinity
from personae.link.gcn_v import ConfidenceConfig, ConfidenceModel, confidence_target, first_equals
from tests.planted import made_faces

CONFIGS = {
    "raw": lambda: ConfidenceModel(ConfidenceConfig(16, 24, "raw")),
    "hidden": lambda: ConfidenceModel(ConfidenceConfig(16, 24, "hidden")),
}
every = pytest.mark.parametrize("name", CONFIGS)


def made(name):
    torch.manual_seed(1)
    model = CONFIGS[name]()
    model.module.eval()
    return model


@pytest.fixture(scope="module")
def people():
    return made_faces([12, 8, 5, 5, 1, 1, 1], d=16)


def test_the_target_adds_up_the_list_with_the_face_itself():
    neighbors = np.array([[1, 2], [0, 2], [1, 0], [-1, -1]], np.int32)
    graph = KnnGraph(neighbors, np.array([[0.8, 0.3], [0.8, 0.5], [0.5, 0.3], [0, 0]], np.float32))
    truth = np.array([0, 0, 1, 2], np.int32)
    total = np.array([1 + 0.8 - 0.3, 1 + 0.8 - 0.5, 1 - 0.5 - 0.3, 1])
    assert confidence_target(graph, truth) == pytest.approx(total / 1.5)
    assert confidence_target(graph, truth, "size") == pytest.approx(total / [3, 3, 3, 1])


def test_links_are_those_of_the_plain_network(people):
    graph = knn_graph(people, 10)
    model = made("hidden")
    x = torch.from_numpy(people.features)
    with torch.no_grad():
        hidden, confidence = model.module(x, torch.from_numpy(affinity(graph).toarray()) @ x)
    links = model.links(people, graph)
    assert links.density == pytest.approx(confidence.numpy(), abs=1e-4)
    unit = torch.nn.functional.normalize(hidden, dim=1).numpy()
    cosines = (unit[:, None] * unit[links.graph.neighbors]).sum(axis=2)
    assert links.graph.similarities == pytest.approx(cosines, abs=1e-4)


def test_raw_links_are_the_cosines_with_the_same_confidence(people):
    graph = knn_graph(people, 10)
    raw, hidden = (made(name).links(people, graph) for name in ("raw", "hidden"))
    assert raw.graph is graph
    assert (raw.density == hidden.density).all()


@every
def test_a_permutation_of_the_faces_permutes_the_links(name, people):
    order = np.random.default_rng(0).permutation(len(people))
    model = made(name)
    links = model.links(people, knn_graph(people, 10))
    moved = model.links(people.take(order), knn_graph(people.take(order), 10))
    assert moved.density == pytest.approx(links.density[order], abs=1e-5)
    assert moved.graph.similarities == pytest.approx(links.graph.similarities[order], abs=1e-5)


@every
def test_the_size_of_the_blocks_changes_nothing(name, people, monkeypatch):
    graph = knn_graph(people, 10)
    whole = made(name).links(people, graph)
    monkeypatch.setattr("personae.link.gcn_v.BLOCK", 5)
    blocks = made(name).links(people, graph)
    assert blocks.density == pytest.approx(whole.density, abs=1e-5)
    assert blocks.graph.similarities == pytest.approx(whole.graph.similarities, abs=1e-5)


@every
@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_and_equal_faces_have_finite_links(name, n):
    faces = made_faces([1] * n, d=16)
    equal = faces.take(np.zeros(n, int))
    for some in (faces, equal):
        links = made(name).links(some, knn_graph(some, 10))
        assert links.graph.neighbors.shape == (n, n - 1)
        assert np.isfinite(links.graph.similarities).all()
        assert np.isfinite(links.density).all()


@every
def test_places_without_a_neighbor_stay_without(name, people):
    graph = knn_graph(people, 10)
    cut = graph.where(graph.similarities > 0.4)
    assert (cut.neighbors < 0).any()
    links = made(name).links(people, cut)
    assert np.isfinite(links.density).all()
    assert (links.graph.similarities[links.graph.neighbors < 0] == 0).all()


def test_equal_faces_are_known_in_half_precision_too():
    faces = np.ones((4, 3)) + np.eye(4, 3)
    graph = knn_graph(np.concatenate([faces, faces]), 3)
    half = KnnGraph(graph.neighbors, graph.similarities.astype(np.float16))
    assert first_equals(half).tolist() == first_equals(graph).tolist() == [0, 1, 2, 3, 0, 1, 2, 3]
