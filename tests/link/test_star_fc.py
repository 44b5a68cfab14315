"""STAR-FC: the network written slowly, every pair through it, and faces in any order."""

import numba
import numpy as np
import pytest
import torch

from personae import knn_graph
from personae.data import FaceSet, pages
from personae.graph import KnnGraph
from personae.graph.affinity import affinity
from personae.link.star_fc import StarFCConfig, StarFCModel
from tests.planted import made_faces

FACES = made_faces([1, 4, 9, 16, 2], d=12)


def holed(graph):
    """With some neighbors missing and some similarities below 0."""
    rng = np.random.default_rng(5)
    similarities = np.where(rng.random(graph.similarities.shape) < 0.2, -0.3, graph.similarities)
    return KnnGraph(graph.neighbors, similarities.astype(np.float32)).where(
        rng.random(similarities.shape) < 0.8
    )


GRAPHS = {"whole": knn_graph(FACES, 7), "holed": holed(knn_graph(FACES, 7)), "all": knn_graph(FACES, 100)}
graphs = pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)


def paper(hidden=24, d=12):
    torch.manual_seed(0)
    model = StarFCModel(StarFCConfig(d, hidden))
    for weight in (model.module.verdict.weight, model.module.bend.weight, model.module.pair.bias):
        torch.nn.init.normal_(weight)
    model.module.mean.normal_()
    model.module.scale.fill_(1.7)
    model.module.eval()
    return model


def by_forward(model, faces, graph):
    """(N, k): every pair beside each other through the whole head."""
    ones, ranks = np.nonzero(graph.neighbors >= 0)
    others = torch.from_numpy(graph.neighbors[ones, ranks].astype(np.int64))
    features = torch.from_numpy(faces.features)
    average = torch.from_numpy((affinity(graph) @ faces.features).astype(np.float32))
    with torch.no_grad():
        logits = model.module(features, average, torch.from_numpy(ones), others)
    found = np.zeros(graph.neighbors.shape)
    found[ones, ranks] = logits.softmax(1)[:, 1].numpy()
    return found


@graphs
@pytest.mark.parametrize("hidden", [24, 25, 1])
def test_projecting_each_face_once_is_the_network_put_to_every_pair(graph, hidden):
    model = paper(hidden)
    found = model.links(FACES, graph)
    assert np.abs(found.graph.similarities - by_forward(model, FACES, graph)).max() < 1e-4
    assert (found.graph.neighbors == graph.neighbors).all()


def test_the_network_is_what_the_equations_say():
    """F' = ReLU([F || A~ F] W + b), then Linear, PReLU, Linear and softmax on [x_i || x_j]."""
    model, graph = paper(), GRAPHS["holed"]
    weights = {name: value.double().numpy() for name, value in model.module.state_dict().items()}
    f = (FACES.features - weights["mean"]) * weights["scale"]
    x = np.concatenate([f, affinity(graph).toarray() @ f], axis=1) @ weights["convolution.linear.weight"].T
    x = np.maximum(x + weights["convolution.linear.bias"], 0)
    found = by_forward(model, FACES, graph)
    for i in range(len(FACES)):
        for rank, j in enumerate(graph.neighbors[i]):
            if j >= 0:
                h = weights["pair.weight"] @ np.concatenate([x[i], x[j]]) + weights["pair.bias"]
                h = np.where(h > 0, h, weights["bend.weight"] * h)
                of_two, of_one = np.exp(weights["verdict.weight"] @ h + weights["verdict.bias"])
                expected = of_one / (of_one + of_two)
                assert found[i, rank] == pytest.approx(expected, abs=1e-5)


def test_layers_are_as_wide_as_published():
    shapes = {
        name: tuple(weight.shape) for name, weight in StarFCModel(StarFCConfig(256)).module.named_parameters()
    }
    assert shapes["convolution.linear.weight"] == (512, 512)  # 512 of [256 || 256]
    assert shapes["pair.weight"] == (512, 1024)
    assert shapes["bend.weight"] == (512,)
    assert shapes["verdict.weight"] == (2, 512)


def test_which_face_comes_first_matters():
    found = by_forward(
        paper(), FACES, KnnGraph(np.array([[1], [0]] + [[-1]] * 30), np.ones((32, 1), np.float32))
    )
    assert abs(found[0, 0] - found[1, 0]) > 1e-3


def test_a_permutation_of_the_faces_permutes_the_links():
    model, graph = paper(), GRAPHS["whole"]
    order = np.random.default_rng(1).permutation(len(FACES))
    place = np.argsort(order).astype(np.int32)
    moved = KnnGraph(place[graph.neighbors[order]], graph.similarities[order])
    expected = model.links(FACES, graph).graph.similarities[order]
    assert np.allclose(model.links(FACES.take(order), moved).graph.similarities, expected, atol=1e-5)


def test_the_number_of_threads_changes_nothing():
    many = paper().links(FACES, GRAPHS["whole"]).graph.similarities
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        assert (paper().links(FACES, GRAPHS["whole"]).graph.similarities == many).all()
    finally:
        numba.set_num_threads(before)


def test_the_size_of_the_blocks_changes_nothing(monkeypatch):
    model = paper()
    whole = model.links(FACES, GRAPHS["holed"]).graph.similarities
    monkeypatch.setattr(f"{type(model).__module__}.BLOCK", 5)
    assert np.allclose(model.links(FACES, GRAPHS["holed"]).graph.similarities, whole, atol=1e-6)


def test_nobody_is_no_link_and_probabilities_are_probabilities():
    graph = GRAPHS["holed"]
    found = paper().links(FACES, graph).graph.similarities
    assert found.dtype == np.float32
    assert (found[graph.neighbors < 0] == 0).all()
    assert ((found[graph.neighbors >= 0] > 0) & (found[graph.neighbors >= 0] < 1)).all()


@pytest.mark.parametrize("features", [np.ones((1, 12)), np.eye(2, 12), np.ones((6, 12)), -np.eye(12)])
def test_one_two_equal_and_opposed_faces_are_no_trouble(features):
    faces = FaceSet.of(features)
    found = paper().links(faces, knn_graph(faces, 80))
    assert found.graph.similarities.shape == (len(faces), len(faces) - 1)
    assert np.isfinite(found.graph.similarities).all()
    assert np.isfinite(found.density).all()


def test_half_precision_gives_nearly_the_same():
    half = FaceSet.of(FACES.features.astype(np.float16))
    found = paper().links(half, GRAPHS["whole"]).graph.similarities
    assert np.abs(found - paper().links(FACES, GRAPHS["whole"]).graph.similarities).max() < 0.02


@graphs
def test_features_on_disk_are_looked_at_a_few_at_a_time_and_say_the_same(graph, tmp_path, monkeypatch):
    model = paper()
    here = model.links(FACES, graph)
    np.save(tmp_path / "faces.npy", FACES.features)
    there = FaceSet(np.load(tmp_path / "faces.npy", mmap_mode="r"))
    monkeypatch.setattr(pages, "READ", 8)
    monkeypatch.setattr(pages, "READS", 3)
    found = model.links(there, graph)
    assert found.graph.similarities == pytest.approx(here.graph.similarities, abs=1e-6)
