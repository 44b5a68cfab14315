"""The link model of evidence alone: plain network, density, and a space that may be turned."""

import numpy as np
import pytest
import torch

from personae import knn_graph
from personae.data import FaceSet
from personae.link.evidence_net import EvidenceConfig, EvidenceModel, Known, expected_confidence
from personae.link.gcn_v import confidence_target
from tests.planted import made_faces

FACES = made_faces([12, 8, 5, 5, 1, 1, 1], d=16)
GRAPH = knn_graph(FACES, 10)


def made():
    torch.manual_seed(1)
    model = EvidenceModel(EvidenceConfig(hidden=8))
    torch.nn.init.normal_(model.module.verdict[-1].weight)
    model.module.eval()
    return model


def test_links_are_those_of_the_plain_network():
    model = made()
    known = Known.of(FACES, GRAPH)
    with torch.no_grad():
        x, average = torch.from_numpy(known.evidence.faces), torch.from_numpy(known.average)
        one, other = model.module.faces(x, average)
        pairs = torch.from_numpy(known.evidence.pairs(np.arange(len(FACES))))
        plain = torch.sigmoid(
            model.module(one[:, None], other[torch.from_numpy(GRAPH.neighbors).long()], pairs)
        )
    assert model.links(FACES, GRAPH).graph.similarities == pytest.approx(plain.numpy(), abs=1e-4)


def test_certain_probabilities_make_the_target_of_the_paper():
    same = (FACES.truth[GRAPH.neighbors] == FACES.truth[:, None]).astype(np.float32)
    expected = confidence_target(GRAPH, FACES.truth, "size")
    assert expected_confidence(GRAPH, same) == pytest.approx(expected, abs=1e-6)


def test_nothing_changes_when_the_space_is_turned():
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(16, 16)))
    turned = made().links(FaceSet.of(FACES.features @ turn), GRAPH)
    assert np.allclose(turned.graph.similarities, made().links(FACES, GRAPH).graph.similarities, atol=1e-4)


def test_a_permutation_of_the_faces_permutes_the_links():
    order = np.random.default_rng(0).permutation(len(FACES))
    moved = made().links(FACES.take(order), knn_graph(FACES.take(order), 10))
    links = made().links(FACES, GRAPH)
    assert moved.density == pytest.approx(links.density[order], abs=1e-5)
    assert moved.graph.similarities == pytest.approx(links.graph.similarities[order], abs=1e-5)


def test_the_size_of_the_blocks_changes_nothing(monkeypatch):
    whole = made().links(FACES, GRAPH)
    monkeypatch.setattr("personae.link.evidence_net.BLOCK", 5)
    assert made().links(FACES, GRAPH).graph.similarities == pytest.approx(whole.graph.similarities, abs=1e-5)


@pytest.mark.parametrize("features", [np.ones((1, 16)), np.eye(2, 16), np.ones((6, 16)), -np.eye(16)])
def test_one_two_equal_and_opposed_faces_are_no_trouble(features):
    faces = FaceSet.of(features)
    found = made().links(faces, knn_graph(faces, 80))
    assert found.graph.similarities.shape == (len(faces), len(faces) - 1)
    assert np.isfinite(found.graph.similarities).all()
    assert np.isfinite(found.density).all()


def test_places_without_a_neighbor_stay_without():
    cut = GRAPH.where(GRAPH.similarities > 0.4)
    assert (cut.neighbors < 0).any()
    links = made().links(FACES, cut)
    assert np.isfinite(links.density).all()
    assert (links.graph.similarities[links.graph.neighbors < 0] == 0).all()


def test_half_precision_gives_nearly_the_same():
    half = FaceSet.of(FACES.features.astype(np.float16))
    found = made().links(half, GRAPH).graph.similarities
    assert np.abs(found - made().links(FACES, GRAPH).graph.similarities).max() < 0.02
