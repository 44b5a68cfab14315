from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from personae import FaceSet, InputError, knn_graph
from personae.link.gcn_d import DetectionConfig, DetectionModel
from personae.link.proposal_search import Search
from personae.link.proposals import Proposals
from personae.train.exam import Exam
from personae.train.gcn_d import CLOSE, DetectionLesson, closeness, correlation
from personae.train.loop import train
from personae.train.plan import Plan
from personae.train.proposals import disturbed, overlaps
from personae.train.worlds import EVERY, SPREADS, spread, spread_worlds, worlds
from tests.planted import made_faces

FACES = made_faces([12, 9, 6, *[4] * 12, *[1] * 20], d=16)
SEARCH = Search((12,), (0.3, 0.5, 0.7), smallest=2)
CONFIG = DetectionConfig(16, SEARCH, (24, 8))


def lesson(search=SEARCH, torn=False):
    exam = Exam.of(FACES, FACES.truth, 12, 0)
    torch.manual_seed(0)
    model = DetectionModel(replace(CONFIG, search=search))
    return DetectionLesson(model, exam, [exam.lesson()], search=search, torn=torn, batch=16, seed=0)


@given(
    sets=st.lists(st.sets(st.integers(0, 14), min_size=1), min_size=1, max_size=6),
    truth=st.lists(st.integers(0, 4), min_size=15, max_size=15),
)
def test_iou_and_iop_are_those_with_the_person_of_most_faces(sets, truth):
    parts = [Proposals(np.array(sorted(one), np.int32), np.array([0, len(one)])) for one in sets]
    truth = np.array(truth, np.int32)
    found = overlaps(Proposals.joined(parts), truth)
    for one, (iou, iop) in zip(sets, found, strict=True):
        most = max(np.bincount(truth[sorted(one)]))
        person = int(np.flatnonzero(np.bincount(truth[sorted(one)]) == most)[0])
        everyone = set(np.flatnonzero(truth == person).tolist())
        assert iou == pytest.approx(len(one & everyone) / len(one | everyone))
        assert iop == pytest.approx(most / len(one))


def test_disturbed_proposals_lost_faces_or_took_in_neighbors():
    graph = knn_graph(FACES, 12)
    proposals = SEARCH.proposals(FACES, graph)
    before = [set(proposals.members(number).tolist()) for number in range(len(proposals))]
    after = disturbed(proposals, graph, np.random.default_rng(0))
    assert 0.8 * len(before) < len(after) <= len(before)
    kinds = {"less": 0, "more": 0}
    for number in range(len(after)):
        one = set(after.members(number).tolist())
        assert len(one) == after.sizes[number] > 0
        kinds["less"] += any(one < other for other in before)
        kinds["more"] += any(one == a | b for a in before for b in before if a != b)
        assert any(one <= a | b for a in before for b in before)
    assert min(kinds.values()) > 3


def test_the_loss_is_the_squared_error_of_both_heads():
    taught = lesson()
    taught.module.dropout = 0.0
    scene, proposals, target, _ = taught.taught[0]
    said = taught.module(*taught.model.batch(scene, proposals)).detach().numpy()
    losses = [taught.loss(step, "cpu").item() for step in range(60)]
    assert np.mean(losses) == pytest.approx(((said - target) ** 2).mean(), rel=0.2)
    assert taught.loss(3, "cpu").item() == losses[3]


def test_training_brings_the_scores_closer_to_the_truth():
    taught = lesson(torn=True)
    with torch.no_grad():
        before = np.mean([taught.loss(step, "cpu").item() for step in range(20)])
    looks = train(taught, Plan(steps=60, optimizer="adamw", learning_rate=3e-3, validate_every=30))
    assert looks[-1].loss < 0.7 * before


def test_faces_without_proposals_are_refused():
    with pytest.raises(InputError, match="no faces are close enough"):
        lesson(Search((12,), (0.9999,), turns=1))


def test_thresholds_are_quantiles_of_the_true_links():
    graph = knn_graph(FACES, 12)
    same = [
        float(graph.similarities[i, rank])
        for i in range(len(FACES))
        for rank in range(12)
        if FACES.truth[i] == FACES.truth[graph.neighbors[i, rank]]
    ]
    for tau, share in zip(closeness(FACES, FACES.truth, 12), CLOSE, strict=True):
        assert np.mean(np.array(same) < tau) == pytest.approx(share, abs=0.02)


def test_correlation_is_pearsons_and_0_where_there_is_none():
    rng = np.random.default_rng(0)
    one, other = rng.random((2, 50)).astype(np.float32)
    assert correlation(one, other) == pytest.approx(np.corrcoef(one, other)[0, 1])
    assert correlation(one, np.ones(50, np.float32)) == correlation(one[:1], other[:1]) == 0


def test_spread_people_keep_their_centres_and_differ_more():
    wider = spread(FaceSet.of(FACES.features), FACES.truth, 2.0)
    person = FACES.truth == np.argmax(np.bincount(FACES.truth))
    mean = FACES.features[person].mean(axis=0)
    direct = mean + 2.0 * (FACES.features[person] - mean)
    direct /= np.linalg.norm(direct, axis=1, keepdims=True)
    assert np.allclose(wider.features[person], direct, atol=1e-5)
    lone = np.bincount(FACES.truth)[FACES.truth] == 1
    assert np.allclose(wider.features[lone], FACES.features[lone], atol=1e-5)


def test_spread_collections_are_the_usual_ones_spread_in_turn():
    shapes = EVERY[:1] + EVERY[-2:]
    plain = list(worlds(FACES, FACES.truth, 3, 0, shapes))
    for number, (faces, truth) in enumerate(spread_worlds(FACES, FACES.truth, 3, 0, shapes)):
        assert (truth == plain[number][1]).all()
        assert (faces.features == spread(*plain[number], SPREADS[number]).features).all()
