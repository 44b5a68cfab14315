"""The general FaceT: what it is told of candidates, and links that survive a turn of the whole space."""

import numpy as np
import torch

from personae import knn_graph
from personae.data import FaceSet
from personae.link.evidence import OF_PAIR, Evidence
from personae.link.facet_general import TOLD, GeneralFaceTConfig, GeneralFaceTModel, told
from tests.planted import made_faces

FACES = made_faces([1, 4, 9, 16, 2, 12], d=12)


def model(width=12):
    torch.manual_seed(0)
    return GeneralFaceTModel(GeneralFaceTConfig(width))


def test_each_candidate_is_told_of_by_the_pair_and_by_both_faces():
    graph = knn_graph(FACES, 12).at_least(0.0)
    known = Evidence.of(FACES.features, graph)
    queries = np.array([3, 0, 40])
    said = told(known, queries)
    assert said.shape == (3, 12, TOLD)
    assert (said[..., :OF_PAIR] == known.pairs(queries)).all()
    for place, query in enumerate(queries):
        for rank in np.flatnonzero(graph.neighbors[query] >= 0):
            both = [known.faces[query], known.faces[graph.neighbors[query, rank]]]
            assert (said[place, rank, OF_PAIR:] == np.concatenate(both)).all()


def test_a_turn_of_the_whole_space_changes_nothing():
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(12, 12)))[0]
    turned = FaceSet.of(FACES.features @ turn)
    a, b = (model().links(faces, knn_graph(FACES, 10)).graph.similarities for faces in (FACES, turned))
    assert np.abs(a - b).max() < 1e-4


def test_all_at_once_is_as_query_by_query():
    found = model()
    graph = knn_graph(FACES, 10).at_least(-0.05)
    net = found.module.eval()
    near = torch.from_numpy(graph.neighbors.astype(np.int64))
    weights = found.links(FACES, graph).graph.similarities
    known = Evidence.of(FACES.features, graph)
    with torch.no_grad():
        f = net.centred(torch.from_numpy(FACES.features))
        for query in range(len(FACES)):
            said = torch.from_numpy(told(known, np.array([query])))
            alone = net(f, near, torch.tensor([query]), said)[0].sigmoid() * (near[query] >= 0)
            assert np.abs(weights[query] - alone.numpy()).max() < 1e-4


def test_a_permutation_of_the_faces_permutes_the_links():
    order = np.random.default_rng(0).permutation(len(FACES))
    shuffled = FACES.take(order)
    graph, other = knn_graph(FACES, 10), knn_graph(shuffled, 10)
    a, b = model().links(FACES, graph).graph, model().links(shuffled, other).graph
    assert (order[other.neighbors] == graph.neighbors[order]).all()
    assert np.abs(a.similarities[order] - b.similarities).max() < 1e-4


def test_one_face_two_faces_and_equal_faces_have_their_links():
    for faces in (FACES.take(np.arange(1)), FACES.take(np.arange(2)), FaceSet.of(np.ones((30, 12)))):
        links = model().links(faces, knn_graph(faces, 80))
        assert links.graph.neighbors.shape == (len(faces), min(10, len(faces) - 1))
        assert np.isfinite(links.graph.similarities).all()
