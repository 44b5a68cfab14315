import numpy as np
import pytest
import torch

from personae import knn_graph
from personae.data import FaceSet, pages
from personae.link import evidence, evidence_net
from personae.link.evidence import Evidence
from tests.planted import made_faces


def slow_pair(features, graph, i, rank):
    def unit(v):
        return v / np.linalg.norm(v)

    def mean(face, count):
        return unit(features[face] + features[graph.neighbors[face, :count]].sum(axis=0))

    j = graph.neighbors[i, rank]
    second = list(graph.neighbors[j])
    back = second.index(i) if i in second else graph.k
    return [
        features[i] @ features[j],
        np.log(1 + rank),
        np.log(1 + back),
        mean(i, 4) @ mean(j, 4),
        features[i] @ mean(j, 16),
        features[j] @ mean(i, 16),
    ]


@pytest.mark.parametrize("k", [3, 12, 30])
def test_pairs_are_those_of_the_definition(k):
    faces = made_faces([12, 9, 5, 5, 1, 1, 1], d=8)
    graph = knn_graph(faces, k)
    found = Evidence.of(faces.features, graph).pairs(np.array([4, 0, 33]))
    for at, i in enumerate([4, 0, 33]):
        slow = [slow_pair(faces.features, graph, i, rank) for rank in range(k)]
        assert found[at] == pytest.approx(np.array(slow), abs=1e-5)


def test_turning_the_features_changes_nothing():
    faces = made_faces([10, 5, 5, 1, 1], d=8)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(8, 8)))[0]
    one, other = (
        Evidence.of(same.features, knn_graph(same, 10)) for same in (faces, FaceSet.of(faces.features @ turn))
    )
    assert one.faces == pytest.approx(other.faces, abs=1e-5)
    assert one.pairs(np.arange(22)) == pytest.approx(other.pairs(np.arange(22)), abs=1e-5)


def test_places_without_a_neighbor_say_nothing():
    faces = made_faces([5, 5], d=8)
    graph = knn_graph(faces, 9)
    cut = graph.where(graph.similarities > 0.5)
    assert (cut.neighbors < 0).any()
    pairs = Evidence.of(faces.features, cut).pairs(np.arange(10))
    assert not pairs[cut.neighbors < 0].any()
    assert np.isfinite(pairs).all()


def test_one_face_has_no_pairs():
    evidence = Evidence.of(np.ones((1, 1), np.float32), knn_graph([[1.0]], 5))
    assert evidence.pairs(np.array([0])).shape == (1, 0, 6)
    assert np.isfinite(evidence.faces).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_features_on_disk_are_looked_at_a_few_at_a_time_and_say_the_same(tmp_path, monkeypatch, dtype):
    faces = FaceSet(made_faces([12, 9, 5, 5, 1, 1, 1], d=8).features.astype(dtype))
    np.save(tmp_path / "faces.npy", faces.features)
    there = FaceSet(np.load(tmp_path / "faces.npy", mmap_mode="r"))
    for module, name in ((pages, "READ"), (evidence, "ROWS"), (evidence_net, "BLOCK")):
        monkeypatch.setattr(module, name, 6)
    monkeypatch.setattr(pages, "READS", 3)
    graph = knn_graph(faces, 10)
    graph = graph.where(graph.similarities > 0.2)
    model = evidence_net.EvidenceModel(evidence_net.EvidenceConfig(4))
    torch.nn.init.normal_(model.module.verdict[-1].weight)
    one, other = (model.links(some, graph) for some in (faces, there))
    assert (one.graph.similarities == other.graph.similarities).all()
    assert (one.density == other.density).all()
    assert len(np.unique(one.graph.similarities)) > 100
