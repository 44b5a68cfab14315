from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from benchmarks.padded_gcn_d import padded_scores
from personae import FaceSet, knn_graph
from personae.link.evidence_net import Known, probabilities
from personae.link.gcn_d import DetectionConfig, DetectionModel, DetectionNet, runs
from personae.link.gcn_d_general import (
    EVEN,
    OF_MEMBER,
    SLACK,
    WEAK,
    GeneralDetectionConfig,
    GeneralDetectionModel,
    crowds,
)
from personae.link.layers import pooled, sparse
from personae.link.proposal_search import Search
from personae.link.proposals import Proposals
from tests.planted import made_faces

FACES = made_faces([9, 7, 5, 4, 3, 2, *[1] * 6], d=16, spread=0.7)
GRAPH = knn_graph(FACES, 8)
SEARCH = Search((8,), (0.3, 0.5, 0.7), smallest=2, least=1)
CONFIG = DetectionConfig(16, SEARCH, (12, 6))
KINDS = {
    "paper": lambda: DetectionModel(CONFIG),
    "general": lambda: GeneralDetectionModel(GeneralDetectionConfig(search=SEARCH, hidden=12)),
}
kinds = pytest.mark.parametrize("kind", KINDS)


def model_of(kind):
    torch.manual_seed(0)
    model = KINDS[kind]()
    model.module.eval()
    return model


@pytest.mark.parametrize("how", ["max", "mean", "sum", "min"])
def test_segments_are_pooled_as_padded_rows_would_be(how):
    rows = torch.randn(12, 3, generator=torch.Generator().manual_seed(0))
    sizes = torch.tensor([1, 4, 5, 2])
    plain = {"max": lambda part: part.max(0).values, "min": lambda part: part.min(0).values}
    by = plain.get(how, lambda part: getattr(part, how)(0))
    expected = torch.stack([by(part) for part in rows.split(sizes.tolist())])
    assert torch.allclose(pooled(rows, sizes, how), expected)


@pytest.mark.parametrize("pool", ["max", "mean", "sum"])
def test_a_score_is_that_of_the_paper_on_the_dense_graph_of_one_proposal(pool):
    torch.manual_seed(0)
    model = DetectionModel(replace(CONFIG, pool=pool))
    model.module.eval()
    scene = model.scene(FACES, GRAPH)
    proposals = SEARCH.proposals(FACES, GRAPH)
    dense = np.zeros((len(FACES), len(FACES)))
    for i, row in enumerate(GRAPH.neighbors):
        for rank, j in enumerate(row):
            weight = max(float(GRAPH.similarities[i, rank]), 0)
            dense[i, j] = dense[j, i] = max(dense[i, j], dense[j, i], weight)
    with torch.no_grad():
        found = model.detection(*model.batch(scene, proposals)).numpy()
        for number in range(len(proposals)):
            rows = proposals.members(number)
            a = dense[np.ix_(rows, rows)] + np.eye(len(rows))
            a = torch.from_numpy(a / a.sum(axis=1, keepdims=True)).float()
            h = torch.from_numpy(FACES.features[rows])
            for layer in model.detection.convolutions:
                h = torch.relu(a @ h @ layer.weight.T)
            h = {"max": h.max(0).values, "mean": h.mean(0), "sum": h.sum(0)}[pool]
            expected = model.detection.heads(h).numpy()
            assert np.allclose(found[number], expected, atol=1e-5)


def test_cosines_may_be_left_out_of_the_average():
    model = DetectionModel(replace(CONFIG, weighted=False))
    assert set(model.scene(FACES, GRAPH).matrix.data) == {1.0}


def test_dropout_takes_whole_members():
    net = DetectionNet(replace(CONFIG, hidden=(12,), pool="sum", dropout=0.5))
    torch.manual_seed(1)
    sizes = torch.ones(40, dtype=torch.int64)
    said = net.train()(torch.randn(40, 16), sparse(csr_array(np.eye(40, dtype=np.float32))), sizes)
    gone = (said == net.heads.bias).all(dim=1)
    assert 5 < gone.sum() < 35


def test_what_members_are_seen_by_is_what_the_docstring_says():
    model = model_of("general")
    scene = model.scene(FACES, GRAPH)
    proposals = SEARCH.proposals(FACES, GRAPH)
    dense = scene.matrix.toarray()
    seen, average = model.members(scene, proposals)
    assert seen.shape[1] == OF_MEMBER
    for at, face in enumerate(proposals.faces):
        rows = proposals.members(proposals.proposal_of[at])
        inside, outside = dense[face, rows], np.delete(dense[face], rows)
        n, mean = len(rows), FACES.features[rows].mean(axis=0)
        expected = [
            np.log(n),
            inside.sum() / (n - 1),
            (1 + inside.sum()) / (1 + dense[face].sum()),
            (1 + inside.sum()) / (n + outside.sum()),
            np.log(1 + inside.sum()),
            np.log(1 + outside.sum()),
            inside.max(),
            outside.max(),
            (inside > 0).sum() / (n - 1),
            FACES.features[face] @ mean / np.linalg.norm(mean),
            np.delete(dense[rows], rows, axis=1).sum(axis=0).max() / n,
        ]
        assert np.allclose(seen[at], expected, atol=1e-5)
    assert np.allclose(average.sum(axis=1), 1)


def test_packed_scores_are_those_of_padded_batches():
    model = model_of("general")
    scene = model.scene(FACES, GRAPH)
    proposals = SEARCH.proposals(FACES, GRAPH)
    assert len(set(proposals.sizes.tolist())) > 3
    padded = padded_scores(model, scene, proposals, batch=4)
    assert np.allclose(padded, model.scores(scene, proposals), atol=1e-5)


def test_links_that_are_hardly_likely_are_left_out():
    model = model_of("general")
    with torch.no_grad():
        model.evidence.direct.bias.fill_(-4.0)
        model.evidence.direct.weight.fill_(2.0)
    likely = probabilities(model.evidence, Known.of(FACES, GRAPH))
    assert 5 < (likely < WEAK).sum() < likely.size - 5
    found = model.scene(FACES, GRAPH).graph
    assert ((found.neighbors >= 0) == (likely >= WEAK)).all()
    assert np.allclose(found.similarities, np.where(likely >= WEAK, likely, 0), atol=1e-6)


def test_crowds_are_sets_that_are_too_wide_for_their_size():
    rng = np.random.default_rng(0)
    faces = FaceSet.of((np.eye(1, 24) + 0.3 * rng.normal(size=(40, 24))).astype(np.float32))
    model = model_of("general")
    sets = [np.arange(size, dtype=np.int32) for size in (2, 4, 9, 10, 25, 40)]
    proposals = Proposals.joined([Proposals(one, np.array([0, len(one)])) for one in sets])
    cosines = faces.features @ faces.features.T
    near = np.array([cosines[np.ix_(one, one)][~np.eye(len(one), dtype=bool)].mean() for one in sets])
    for cosine in (near.min() - 0.01, *np.sort(near) + 1e-4, near.max() + 0.2):
        scene = model.scene(faces, knn_graph(faces, 8))._replace(even=(cosine, 0.1))
        floors = [cosine - SLACK * 0.1 * max(8 / (len(one) - 1) - 1, 0) for one in sets]
        assert floors[0] < floors[1] < floors[2] == floors[-1] == cosine
        assert (crowds(scene, proposals) == (near < floors)).all()
        worth = model.worth(scene, proposals, np.full((6, 2), 0.75, np.float32))
        assert (worth == np.where(near < floors, 0, 0.75).astype(np.float32)).all()


def test_even_links_are_as_likely_as_not():
    model = model_of("general")
    with torch.no_grad():
        model.evidence.direct.bias.fill_(0.0)
    likely = probabilities(model.evidence, Known.of(FACES, GRAPH))
    even = GRAPH.similarities[(likely >= EVEN[0]) & (likely <= EVEN[1])]
    assert 5 < len(even) < likely.size - 5
    middle, spread = model.scene(FACES, GRAPH).even
    assert middle == pytest.approx(np.median(even))
    assert spread == pytest.approx(np.median(even) - np.quantile(even, 0.1))
    with torch.no_grad():
        model.evidence.direct.bias.fill_(19.0)
    assert model.scene(FACES, GRAPH).even == (-1.0, 0.0)


def test_lists_of_small_collections_reach_no_further_than_they_should():
    few = made_faces([6, 5, 4, *[1] * 25], d=16)
    scene = model_of("general").scene(few, knn_graph(few, 30))
    assert scene.graph.k == 10


@kinds
def test_a_score_depends_neither_on_the_batch_nor_on_the_order_of_the_faces(kind, monkeypatch):
    model = model_of(kind)
    proposals = SEARCH.proposals(FACES, GRAPH)
    scores = model.scores(model.scene(FACES, GRAPH), proposals)
    assert len(scores) == len(proposals)
    assert kind == "paper" or ((scores >= 0) & (scores <= 1)).all()
    monkeypatch.setattr("personae.link.gcn_d.MEMBERS", 5)
    assert np.allclose(model.scores(model.scene(FACES, GRAPH), proposals), scores, atol=1e-5)
    order = np.random.default_rng(0).permutation(len(FACES))
    place = np.argsort(order)
    moved = Proposals.packed(proposals.proposal_of, place[proposals.faces], len(proposals))
    faces = FACES.take(order)
    assert np.allclose(model.scores(model.scene(faces, knn_graph(faces, 8)), moved), scores, atol=1e-5)


def test_scores_beyond_1_stay_apart_and_weigh_links_as_1():
    model = model_of("paper")
    with torch.no_grad():
        model.detection.heads.bias.fill_(5.0)
    links = model.links(FACES, GRAPH)
    scores = links.proposals.scores
    assert scores.min() > 1
    assert len(np.unique(scores)) > len(scores) / 2
    assert set(links.graph.similarities[links.graph.neighbors >= 0].tolist()) == {1.0}


@kinds
def test_links_are_those_within_proposals(kind):
    model = model_of(kind)
    links = model.links(FACES, GRAPH)
    assert (links.graph.similarities >= 0).all() and (links.graph.similarities <= 1).all()
    assert len(links.proposals.proposals) == len(links.proposals.scores)
    apart = FaceSet.of(np.eye(4, 16))
    none = model.links(apart, knn_graph(apart, 2))
    assert len(none.proposals.scores) == 0 or kind == "general"
    assert (none.graph.neighbors == -1).all() or kind == "general"


def test_runs_hold_every_proposal_once():
    proposals = Proposals(np.arange(20, dtype=np.int32), np.array([0, 3, 4, 15, 16, 20]))
    for members in (1, 4, 7, 100):
        found = runs(proposals, members)
        assert np.concatenate(found).tolist() == [0, 1, 2, 3, 4]
        assert all(proposals.sizes[one].sum() <= members + 11 for one in found)
    assert runs(Proposals.joined([]), 5) == []
