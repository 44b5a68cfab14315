from dataclasses import replace

import numpy as np
import pytest
import torch

from personae import InputError
from personae.link.gcn_d import DetectionConfig, DetectionModel
from personae.link.gcn_s import SegmentationConfig, SegmentationModel
from personae.link.proposal_search import Search
from personae.link.proposals import Proposals
from personae.train.exam import Exam
from personae.train.gcn_d import DetectionLesson
from personae.train.gcn_s import SegmentationLesson
from personae.train.loop import train
from personae.train.plan import Plan
from tests.planted import made_faces

FACES = made_faces([12, 9, 6, *[4] * 12, *[1] * 20], d=16, spread=0.8)
SEARCH = Search((12,), (0.2, 0.4, 0.6), smallest=2)


def lesson(among=(0.2, 0.99)):
    exam = Exam.of(FACES, FACES.truth, 12, 0)
    torch.manual_seed(0)
    detection = DetectionModel(DetectionConfig(16, SEARCH, (24, 8)))
    taught = DetectionLesson(detection, exam, [exam.lesson()], search=SEARCH, torn=True, batch=16, seed=0)
    model = SegmentationModel(SegmentationConfig(16, (16, 16), relations=True), detection)
    return SegmentationLesson(model, taught, among, 0)


def test_only_mixed_proposals_are_learned_from():
    taught = lesson((0.3, 0.7))
    _, proposals, truth = taught.taught[0]
    for number in range(len(proposals)):
        share = np.bincount(truth[proposals.members(number)]).max() / proposals.sizes[number]
        assert 0.3 <= share <= 0.7


def test_it_learns_who_is_the_person_of_the_seed():
    taught = lesson()
    with torch.no_grad():
        before = np.mean([taught.loss(step, "cpu").item() for step in range(20)])
    looks = train(taught, Plan(steps=60, optimizer="adamw", learning_rate=3e-3, validate_every=30))
    assert looks[-1].loss < 0.8 * before
    assert 0 < looks[-1].score <= 1
    assert taught.loss(3, "cpu").item() == taught.loss(3, "cpu").item()


def test_faces_without_mixed_proposals_are_refused():
    with pytest.raises(InputError, match="no proposal is of two people"):
        lesson((0.005, 0.01))


def test_it_is_graded_on_mixed_proposals_around_validation_faces(monkeypatch):
    taught, truth = lesson((0.3, 0.7)), FACES.truth
    one, two, three = (np.flatnonzero(truth == person) for person in np.argsort(-np.bincount(truth))[:3])
    joined = [one, [*one[:3], *two[:3]], [*two, *three[:4]], [one[0], two[0]], [*one, two[0]]]
    sizes = [len(some) for some in joined]
    proposals = Proposals.packed(np.repeat(np.arange(5), sizes), np.concatenate(joined), 5)
    taught.exam = replace(taught.exam, held=truth == truth[one[0]])
    assert taught.graded(proposals).tolist() == [1]
    assert taught.graded(proposals.take(np.array([0, 2, 2]))).tolist() == [1, 2]
    assert len(taught.graded(proposals.take(np.array([0, 3, 4])))) == 0
    monkeypatch.setattr("personae.train.gcn_s.SCORED", 2)
    assert taught.graded(proposals.take(np.array([0, 1, 1, 1, 1, 2]))).tolist() == [1, 4]
