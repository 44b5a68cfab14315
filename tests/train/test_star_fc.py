"""What STAR-FC learns from: subgraphs with graphs of their own, turned features, a start that is a distance."""

import numpy as np
import pytest
import torch

from personae import InputError, knn_graph
from personae.data import FaceSet
from personae.graph.affinity import affinity
from personae.link.star_fc import StarFCConfig, StarFCModel
from personae.train.exam import Exam
from personae.train.sampling import Sampling
from personae.train.star_fc import (
    Course,
    FeatureSubgraph,
    StarFCLesson,
    Subgraphs,
    calibrate,
    put_at_the_mean,
    random_turn,
    start_from_differences,
)
from tests.planted import made_faces

FACES = made_faces([1, 4, 9, *[6] * 12], d=16)
EXAM = Exam.of(FACES, FACES.truth, 10, 0)
COURSE = Course(Sampling(), 10, parts=4, passes=2)


def started(hidden=64):
    torch.manual_seed(0)
    model = StarFCModel(StarFCConfig(16, hidden))
    put_at_the_mean(model.module, FACES.features)
    start_from_differences(model.module)
    return model


def test_the_graph_is_built_again_among_the_faces_of_the_subgraph():
    faces, truth, graph = Subgraphs(EXAM, COURSE, 0).drawn(3)
    again = knn_graph(faces, 10)
    assert len(faces) < len(EXAM.lesson()[0])
    assert (graph.neighbors == again.neighbors).all()
    assert len(truth) == len(faces)


def test_no_face_of_the_validation_identities_is_learned_from():
    held = {row.tobytes() for row in FACES.features[EXAM.held]}
    subgraphs = Subgraphs(EXAM, COURSE, 0)
    for number in range(6):
        assert not held & {row.tobytes() for row in subgraphs.drawn(number)[0].features}


def test_every_pass_goes_through_all_links_of_its_subgraph_once():
    subgraphs = Subgraphs(EXAM, COURSE, 0)
    for turn in range(3):
        parts = [subgraphs.part(step, 103) for step in range(4 * turn, 4 * turn + 4)]
        assert sorted(torch.cat(parts).tolist()) == list(range(103))
    assert subgraphs.part(0, 103).tolist() != subgraphs.part(4, 103).tolist()


def test_the_links_are_those_of_the_affinity_without_a_face_and_itself():
    faces, truth, graph = Subgraphs(EXAM, COURSE, 0).drawn(0)
    subgraph = FeatureSubgraph.of(faces, truth, graph)
    matrix = affinity(graph).toarray()
    np.fill_diagonal(matrix, 0)
    found = np.zeros(matrix.shape, bool)
    found[subgraph.one, subgraph.other] = True
    assert len(subgraph.one) == found.sum()
    assert (found == (matrix > 0)).all()
    assert (found == found.T).all()
    assert (subgraph.same.numpy() == (truth[subgraph.one] == truth[subgraph.other])).all()
    assert np.allclose(subgraph.average, affinity(graph).toarray() @ faces.features, atol=1e-6)


def test_a_turn_keeps_all_cosines_and_differs_from_step_to_step():
    turn = random_turn(16, 1)
    assert torch.allclose(turn @ turn.T, torch.eye(16), atol=1e-5)
    assert (random_turn(16, 1) == turn).all()
    assert not torch.allclose(random_turn(16, 2), turn, atol=0.1)
    corners = torch.stack([random_turn(3, seed)[0, 0] for seed in range(200)])
    assert abs(float(corners.mean())) < 0.15  # no direction is favored
    assert float(corners.var()) == pytest.approx(1 / 3, abs=0.08)


@pytest.mark.parametrize(("hidden", "least"), [(512, 0.95), (65, 0.8)])
def test_training_starts_from_how_far_apart_two_faces_and_their_surroundings_are(hidden, least):
    net = started(hidden).module
    subgraph = FeatureSubgraph.of(*Subgraphs(EXAM, COURSE, 0).drawn(0))
    with torch.no_grad():
        logits = net(subgraph.features, subgraph.average, subgraph.one, subgraph.other)
    seen = torch.cat([subgraph.features, subgraph.average], dim=1)
    apart = (seen[subgraph.one] - seen[subgraph.other]).norm(dim=1)
    score = logits[:, 1] - logits[:, 0]
    assert np.corrcoef(score, apart)[0, 1] < -least


def test_after_calibration_the_probabilities_are_as_many_as_the_true_links():
    model = started()
    subgraph = FeatureSubgraph.of(*Subgraphs(EXAM, COURSE, 0).drawn(0))
    calibrate(model.module, subgraph, 0)
    with torch.no_grad():
        logits = model.module(subgraph.features, subgraph.average, subgraph.one, subgraph.other)
    probability = logits.softmax(1)[:, 1].numpy()
    same = subgraph.same.numpy()
    assert probability.mean() == pytest.approx(same.mean(), abs=0.02)
    assert probability[same == 1].mean() > probability[same == 0].mean() + 0.2


def test_calibration_on_links_of_one_kind_changes_nothing():
    model = started()
    before = model.module.verdict.weight.clone()
    alike = FaceSet.of(FACES.features[FACES.truth == 2])
    calibrate(model.module, FeatureSubgraph.of(alike, np.zeros(len(alike), np.int32), knn_graph(alike, 5)), 0)
    assert (model.module.verdict.weight == before).all()


def lesson():
    torch.manual_seed(0)
    return StarFCLesson(started(), EXAM, Subgraphs(EXAM, COURSE, 0), 0, turned=True)


def test_the_batch_depends_on_the_step_alone():
    there = lesson()
    losses = [float(there.loss(step, "cpu").detach()) for step in (0, 9, 0, 17)]
    assert losses[0] == losses[2]
    assert losses[1] == float(lesson().loss(9, "cpu").detach())
    assert len(set(losses)) == 3


def test_the_score_is_a_share():
    assert 0 < lesson().score() <= 1


def test_faces_that_are_not_alike_at_all_are_refused():
    faces = FaceSet.of(np.eye(4, 16), np.arange(4))
    with pytest.raises(InputError, match="alike"):
        FeatureSubgraph.of(faces, faces.truth, knn_graph(faces, 3))
