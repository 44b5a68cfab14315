import numpy as np
import pytest
import torch

from personae import KnnGraph, knn_graph
from personae.clustering.decision import Decision
from personae.clustering.density_tree import DensityTree
from personae.graph.affinity import affinity
from personae.graph.nearby import nearby_graph
from personae.link.candidates import Candidates
from personae.link.evidence_net import EvidenceConfig
from personae.link.gcn_e import (
    ConnectivityConfig,
    ConnectivityModel,
    ConnectivityNet,
    candidate_features,
    connectivity,
)
from personae.link.gcn_e_general import GeneralConnectivityConfig, GeneralConnectivityModel, Views
from personae.link.gcn_v import ConfidenceConfig, hidden_and_confidence
from personae.link.links import Links
from tests.planted import made_faces

MODELS = {
    "paper": lambda: ConnectivityModel(ConnectivityConfig(ConfidenceConfig(16, 24), (24, 16, 8), 0.5)),
    "general": lambda: GeneralConnectivityModel(GeneralConnectivityConfig(EvidenceConfig(12), (16, 8))),
}
every = pytest.mark.parametrize("name", MODELS)


def made(name):
    torch.manual_seed(1)
    model = MODELS[name]()
    model.module.eval()
    return model


@pytest.fixture(scope="module")
def people():
    return made_faces([12, 8, 5, 5, 1, 1, 1], d=16)


def test_connectivity_is_that_of_the_plain_network_on_differences(people):
    graph = knn_graph(people, 10)
    candidates = Candidates.of(graph, np.random.default_rng(0).normal(size=len(people)).astype(np.float32))
    torch.manual_seed(0)
    net = ConnectivityNet(16, (24, 16, 8)).eval()
    torch.nn.init.normal_(net.layers[0].linear.bias)
    asked = np.arange(len(people))
    fast = connectivity(net, people.features, graph, candidates, asked)
    matrix = affinity(graph)
    for face in asked[candidates.count > 0]:
        x, inside, ranks = candidate_features(people.features, graph, candidates, np.array([face]), matrix)
        nodes = graph.neighbors[face, ranks[0]]
        assert x[0] == pytest.approx(people.features[nodes] - people.features[face])
        with torch.no_grad():
            plain = torch.softmax(net(torch.from_numpy(x), torch.from_numpy(inside)), dim=2)[0, :, 1]
        assert fast[face, ranks[0]] == pytest.approx(plain.numpy(), abs=1e-4)
        assert not fast[face, np.setdiff1d(np.arange(10), ranks[0])].any()


def test_a_face_follows_the_best_connected_candidate_and_not_the_nearest():
    neighbors = np.array([[1, 2], [0, 2], [1, 0]], np.int32)
    graph = KnnGraph(neighbors, np.array([[0.9, 0.7], [0.9, 0.2], [0.2, 0.7]], np.float32))
    density = np.array([1, 2, 3], np.float32)
    preference = np.array([[0.1, 0.8], [0, 0.5], [0, 0]], np.float32)
    tree = Decision("density_tree", 0.6, {"ordered": True})
    assert tree.people(Links(graph, density)).tolist() == [0, 0, 1]
    assert tree.people(Links(graph, density, preference)).tolist() == [0, 1, 0]


def test_the_link_is_cut_by_the_cosine_whatever_the_connectivity():
    graph = KnnGraph(np.array([[1], [0]], np.int32), np.array([[0.55], [0.55]], np.float32))
    density = np.array([1, 2], np.float32)
    for sure in (0.01, 0.99):
        preference = np.full((2, 1), sure, np.float32)
        assert DensityTree(0.5).cluster(graph, density, preference).tolist() == [0, 0]
        assert DensityTree(0.6).cluster(graph, density, preference).tolist() == [0, 1]


def test_weights_are_cosines_of_hidden_features_and_the_less_confident_prefer_the_nearest(people):
    graph = knn_graph(people, 10)
    model = made("paper")
    links = model.links(people, graph)
    hidden, confidence = hidden_and_confidence(model.confidence, people, graph)
    near = nearby_graph(hidden, graph)
    assert (links.graph.similarities == near.similarities).all()
    asked = np.argsort(-confidence)[: len(people) // 2]
    others = np.setdiff1d(np.arange(len(people)), asked)
    assert (links.preference[others] == near.similarities[others]).all()
    candidates = Candidates.of(near, confidence)
    there = candidates.count[asked] > 0
    assert (links.preference[asked][there] != near.similarities[asked][there]).any(axis=1).all()


@every
def test_a_permutation_of_the_faces_permutes_the_links(name, people):
    order = np.random.default_rng(0).permutation(len(people))
    model = made(name)
    links = model.links(people, knn_graph(people, 10))
    moved = model.links(people.take(order), knn_graph(people.take(order), 10))
    assert moved.graph.similarities == pytest.approx(links.graph.similarities[order], abs=1e-5)
    if name == "paper":
        assert moved.preference == pytest.approx(links.preference[order], abs=1e-5)


@every
def test_the_size_of_the_buckets_changes_nothing(name, people, monkeypatch):
    graph = knn_graph(people, 10)
    whole = made(name).links(people, graph)
    for module in ("gcn_e", "gcn_e_general"):
        monkeypatch.setattr(f"personae.link.{module}.ROWS", 12)
    parts = made(name).links(people, graph)
    assert parts.graph.similarities == pytest.approx(whole.graph.similarities, abs=1e-5)
    if name == "paper":
        assert parts.preference == pytest.approx(whole.preference, abs=1e-5)


@every
@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_and_equal_faces_have_finite_links_and_equals_stay_together(name, n):
    faces = made_faces([1] * n, d=16)
    equal = faces.take(np.zeros(n, int))
    for some in (faces, equal):
        links = made(name).links(some, knn_graph(some, 10))
        assert np.isfinite(links.graph.similarities).all()
        labels = Decision("density_tree", -1.0, {"ordered": True}).people(links)
        assert len(labels) == n
    assert not labels.any()


@every
def test_places_without_a_neighbor_are_no_trouble(name, people):
    graph = knn_graph(people, 10)
    links = made(name).links(people, graph.where(graph.similarities > 0.4))
    assert np.isfinite(links.graph.similarities).all()
    assert np.isfinite(links.density).all()


def test_general_weights_are_the_plain_second_network_s_towards_denser_faces_and_the_first_one_s_else(people):
    graph = knn_graph(people, 10)
    model = made("general")
    views = Views.of(model.confidence, people, graph)
    weights = model.links(people, graph).graph.similarities
    for face in range(len(people)):
        others = np.arange(10)
        if views.candidates.count[face]:
            x, inside, ranks = views.of_candidates(np.array([face]))
            with torch.no_grad():
                plain = torch.softmax(model.connectivity(x, inside), dim=2)[0, :, 1].numpy()
            assert weights[face, ranks[0]] == pytest.approx(plain, abs=1e-5)
            others = np.setdiff1d(others, ranks[0])
        assert (weights[face, others] == views.links.graph.similarities[face, others]).all()
