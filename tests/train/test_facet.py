"""FaceT's lessons: who is on a list, the loss written slowly, the same batch at the same step."""

import numpy as np
import pytest
import torch

from personae.link.facet import FaceTConfig
from personae.link.facet_general import GeneralFaceTConfig, GeneralFaceTModel
from personae.link.facet_model import FaceTModel
from personae.train.exam import Exam
from personae.train.facet import FaceTLesson, learn_facet
from personae.train.facet_general import WORLDS, GeneralFaceTLesson
from personae.train.plan import Plan
from tests.planted import made_faces

FACES = made_faces([2, 3, 4, 5, 6, 7, 8, 9] * 2, d=12)


@pytest.fixture
def exam():
    return Exam.of(FACES, FACES.truth, 10, 0)


def lesson(exam, **changes):
    torch.manual_seed(0)
    return FaceTLesson(FaceTModel(FaceTConfig(12, dropout=0.0, **changes)), exam, 0)


def test_nobody_held_out_is_learned_from(exam):
    assert len(lesson(exam).features) == (~exam.held).sum()


def test_the_loss_is_the_cross_entropy_over_all_pairs(exam):
    found = lesson(exam)
    found.module.eval()
    asked = []
    found.module.register_forward_pre_hook(lambda _, inputs: asked.append(inputs[2]))
    loss = found.loss(3, "cpu").item()
    (queries,) = asked
    total = []
    for query in queries.tolist():
        odds = found.module(found.features, found.neighbors, torch.tensor([query]))[0]
        for rank, other in enumerate(found.neighbors[query].tolist()):
            p = torch.sigmoid(odds[rank]).item()
            total.append(-np.log(p if found.truth[other] == found.truth[query] else 1 - p))
    assert len(total) == 32 * 10
    assert np.isclose(loss, np.mean(total), atol=1e-5)


def test_a_step_has_its_batch_whatever_came_before(exam):
    a, b = lesson(exam), lesson(exam)
    a.module.eval(), b.module.eval()
    b.loss(0, "cpu")
    assert a.loss(5, "cpu").item() == b.loss(5, "cpu").item()


@pytest.mark.parametrize("mode", ["both", "relation", "linkage"])
def test_both_parts_learn_from_the_one_loss(exam, mode):
    found = lesson(exam, mode=mode)
    torch.autograd.backward(found.loss(0, "cpu"))
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in found.module.parameters())


def test_training_brings_the_loss_down(exam):
    plan = Plan(60, "adamw", learning_rate=2e-3, schedule="cosine", warmup=5, validate_every=20)
    model, looks = learn_facet(exam, FaceTConfig(12, dropout=0.1), plan)
    assert looks[-1].loss < looks[0].loss
    assert not model.module.training


@pytest.mark.parametrize("made", ["paper", "general"])
def test_the_faces_are_brought_to_the_device_once(exam, made):
    found, asked = lesson(exam), []
    if made == "general":
        found = GeneralFaceTLesson(GeneralFaceTModel(GeneralFaceTConfig(12)), exam, 0)
    pairs = (32 if made == "paper" else 16, 10)
    found.module = lambda *inputs: asked.append(inputs) or torch.zeros(pairs, device="meta")
    for step in (0, WORLDS):
        assert found.loss(step, "meta").device.type == "meta"
    (faces, neighbors, *_), (again, beside, *_) = asked
    assert faces.device.type == neighbors.device.type == "meta"
    assert again is faces
    assert beside is neighbors
