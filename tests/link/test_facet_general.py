"""The general FaceT: evidence counted slowly, and links that survive a turn of the whole space."""

import numpy as np
import torch

from personae import knn_graph
from personae.data import FaceSet
from personae.link.facet_evidence import COSINES, DEPTHS, EVIDENCE, RANKS, evidence
from personae.link.facet_general import GeneralFaceTConfig, GeneralFaceTModel
from tests.planted import made_faces

FACES = made_faces([1, 4, 9, 16, 2, 12], d=12)


def model(width=12):
    torch.manual_seed(0)
    return GeneralFaceTModel(GeneralFaceTConfig(width))


def slow_evidence(graph, query, rank):
    other = graph.neighbors[query, rank]
    lists, similarities = {}, {}
    for face in (query, other):
        there = graph.neighbors[face] >= 0
        lists[face], similarities[face] = [face, *graph.neighbors[face][there]], graph.similarities[face][there]
    row = [graph.similarities[query, rank]]
    for face in (query, other):
        row += [similarities[face][min(at, len(similarities[face]) - 1)] for at in RANKS]
    for depth in DEPTHS:
        end = min(depth, graph.k + 1)
        row.append(len(set(lists[query][:end]) & set(lists[other][:end])) / end)
    back = lists[other].index(query) - 1 if query in lists[other] else graph.k
    return row + [np.log(place + 1) / np.log(graph.k + 2) for place in (rank, back)]


def test_evidence_is_what_both_lists_say():
    for graph in (knn_graph(FACES, 15), knn_graph(FACES, 3), knn_graph(FACES, 12).at_least(0.0)):
        said = evidence(graph, np.arange(len(FACES)))
        assert said.shape == (len(FACES), graph.k, EVIDENCE)
        for query in range(len(FACES)):
            for rank in range(graph.k):
                if graph.neighbors[query, rank] < 0:
                    assert (said[query, rank] == 0).all()
                else:
                    assert np.allclose(said[query, rank], slow_evidence(graph, query, rank), atol=1e-6)


def test_cosines_come_first():
    said = evidence(knn_graph(FACES, 10), np.arange(3))
    assert (said[..., COSINES:] >= 0).all()
    assert (said[..., COSINES:] <= 1).all()


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
    with torch.no_grad():
        f = net.centred(torch.from_numpy(FACES.features))
        for query in range(len(FACES)):
            said = torch.from_numpy(evidence(graph, np.array([query])))
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
        assert links.graph.neighbors.shape == (len(faces), len(faces) - 1)
        assert np.isfinite(links.graph.similarities).all()
