"""FaceT: attention written slowly, faces in any order, the fast pass against the plain one."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from personae import knn_graph
from personae.graph import KnnGraph
from personae.link.facet import Attention, FaceTConfig, FaceTNetwork, LinkagePredictor, RelationEncoder
from personae.link.facet_model import FaceTModel, probabilities
from tests.planted import made_faces

FACES = made_faces([1, 4, 9, 16, 2], d=12)
SMALL = FaceTConfig(12, dropout=0.0)


def network(**changes):
    torch.manual_seed(0)
    return FaceTNetwork(replace(SMALL, **changes)).eval()


def plainly(net, faces, graph):
    """(N, k), one query after the other."""
    x, near = torch.from_numpy(faces.features), torch.from_numpy(graph.neighbors.astype(np.int64))
    with torch.no_grad():
        rows = [net(x, near, torch.tensor([query])).sigmoid() * (near[query] >= 0) for query in range(len(x))]
    return torch.cat(rows).numpy()


def test_attention_is_what_the_equation_says():
    torch.manual_seed(1)
    attention = Attention(8, 2)
    x, tokens = torch.randn(1, 3, 8), torch.randn(1, 5, 8)
    parts = (attention.query, attention.key, attention.value, attention.out)
    wq, wk, wv, wo = (part.weight.T for part in parts)
    heads = []
    for columns in (slice(0, 4), slice(4, 8)):
        q, k, v = x[0] @ wq[:, columns], tokens[0] @ wk[:, columns], tokens[0] @ wv[:, columns]
        heads.append(torch.softmax(q @ k.T / 4**0.5, dim=1) @ v)
    expected = torch.cat(heads, 1) @ wo
    assert torch.allclose(attention(x, tokens, torch.ones(1, 5, dtype=torch.bool))[0], expected, atol=1e-6)


@pytest.mark.parametrize(("width", "head"), [(256, 64), (512, 128), (10, 3)])
def test_a_head_is_as_wide_as_published(width, head):
    assert Attention(width, 4).head == head


def test_the_order_of_the_candidates_is_the_order_of_their_links():
    torch.manual_seed(0)
    predictor = LinkagePredictor(SMALL).eval()
    query, candidates, there = torch.randn(2, 12), torch.randn(2, 7, 12), torch.rand(2, 7) > 0.2
    order = torch.randperm(7)
    shuffled = predictor(query, candidates[:, order], there[:, order])
    assert torch.allclose(shuffled, predictor(query, candidates, there)[:, order], atol=1e-5)


def test_the_order_of_the_neighbors_does_not_change_the_enhanced_face():
    torch.manual_seed(0)
    encoder = RelationEncoder(SMALL).eval()
    face, near, there = torch.randn(2, 12), torch.randn(2, 5, 12), torch.rand(2, 5) > 0.2
    order = torch.randperm(5)
    assert torch.allclose(encoder(face, near[:, order], there[:, order]), encoder(face, near, there), atol=1e-5)


def test_nobody_has_no_say():
    torch.manual_seed(0)
    predictor, encoder = LinkagePredictor(SMALL).eval(), RelationEncoder(SMALL).eval()
    query, tokens = torch.randn(1, 12), torch.randn(1, 6, 12)
    there = torch.tensor([[True, True, True, True, False, False]])
    alone = predictor(query, tokens[:, :4], there[:, :4])
    assert torch.allclose(predictor(query, tokens, there)[:, :4], alone, atol=1e-5)
    assert torch.allclose(encoder(query, tokens, there), encoder(query, tokens[:, :4], there[:, :4]), atol=1e-5)


def test_a_face_without_neighbors_is_only_normalised():
    encoder = RelationEncoder(SMALL).eval()
    face = torch.randn(1, 12)
    found = encoder(face, torch.randn(1, 5, 12), torch.zeros(1, 5, dtype=torch.bool))
    assert torch.allclose(found, torch.nn.functional.layer_norm(face, (12,)), atol=1e-5)


def test_all_faces_are_enhanced_as_in_batches():
    net = network()
    graph = knn_graph(FACES, 10)
    x, near = torch.from_numpy(FACES.features), torch.from_numpy(graph.neighbors.astype(np.int64))[:, :5]
    together = net.encoded(x, near, torch.arange(len(x)))
    one_by_one = torch.cat([net.encoded(x, near, torch.tensor([row])) for row in range(len(x))])
    assert torch.allclose(together, one_by_one, atol=1e-5)


@pytest.mark.parametrize("mode", ["both", "relation", "linkage"])
@pytest.mark.parametrize("changes", [{}, {"layers": 1}, {"forward": True, "norm": "length"}, {"heads": 5}])
def test_the_fast_pass_gives_what_the_plain_one_gives(mode, changes):
    net = network(mode=mode, **changes)
    graph = knn_graph(FACES, 10).at_least(-0.05)  # some places are empty
    for block in (1, 7, 64):
        fast = probabilities(net, FACES, graph, block=block)
        assert np.abs(fast - plainly(net, FACES, graph)).max() < 1e-4


def test_the_fast_pass_knows_faces_without_neighbors():
    net = network()
    graph = knn_graph(FACES, 10)
    nobody = np.array(graph.neighbors)
    nobody[:3] = -1
    empty = KnnGraph(nobody, np.where(nobody < 0, np.float32(0), graph.similarities))
    assert np.abs(probabilities(net, FACES, empty) - plainly(net, FACES, empty)).max() < 1e-4


def test_enhanced_faces_alone_give_one_minus_a_quarter_of_the_squared_distance():
    net = network(mode="relation")
    graph = knn_graph(FACES, 10)
    found = probabilities(net, FACES, graph)
    x, near = torch.from_numpy(FACES.features), torch.from_numpy(graph.neighbors.astype(np.int64))
    g = net.encoded(x, near[:, :5], torch.arange(len(x))).detach().numpy()
    g /= np.linalg.norm(g, axis=1, keepdims=True)
    e = ((g[:, None] - g[graph.neighbors]) ** 2).sum(2) / 4
    assert ((found >= 0) & (found <= 1)).all()
    assert np.allclose(found, 1 - e, atol=1e-5)


@pytest.mark.parametrize("faces", [FACES.take(np.arange(1)), FACES.take(np.arange(2))])
def test_one_face_and_two_have_their_links(faces):
    links = FaceTModel(SMALL).links(faces, knn_graph(faces, 80))
    assert links.graph.neighbors.shape == (len(faces), len(faces) - 1)
    assert links.density.shape == (len(faces),)
