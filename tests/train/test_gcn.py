import numpy as np
import pytest
import torch

from personae.data import FaceSet
from personae.link.evidence_net import EvidenceConfig, EvidenceModel
from personae.link.gcn_e import ConnectivityConfig, ConnectivityModel
from personae.link.gcn_e_general import GeneralConnectivityConfig, GeneralConnectivityModel
from personae.link.gcn_v import ConfidenceConfig, ConfidenceModel
from personae.train import evidence, gcn_e, gcn_e_general, gcn_v
from personae.train.exam import Exam
from personae.train.loop import train
from personae.train.plan import Plan
from tests.planted import made_faces

K = 10
PLAN = Plan(steps=12, learning_rate=0.05, validate_every=12)


def confidence(exam):
    model = ConfidenceModel(ConfidenceConfig(16, 24))
    return gcn_v.ConfidenceLesson(model, exam, K, 0)


def connectivity(exam):
    model = ConnectivityModel(ConnectivityConfig(ConfidenceConfig(16, 24), (24, 16)))
    return gcn_e.ConnectivityLesson(model, exam, K, 0)


def general_confidence(exam):
    return evidence.EvidenceLesson(EvidenceModel(EvidenceConfig(12)), exam, K, 0)


def general_connectivity(exam):
    model = GeneralConnectivityModel(GeneralConnectivityConfig(EvidenceConfig(12), (16, 8)))
    return gcn_e_general.GeneralConnectivityLesson(model, exam, K, 0)


LESSONS = (confidence, connectivity, general_confidence, general_connectivity)
every = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.__name__)


@pytest.fixture(scope="module")
def exam():
    faces = made_faces([10] * 12 + [4] * 10 + [1] * 5, d=16, spread=0.9)
    return Exam.of(FaceSet(faces.features), faces.truth, K, 0)


@every
def test_a_batch_depends_on_its_step_alone(lesson, exam, monkeypatch):
    monkeypatch.setattr(gcn_v, "BATCH", 16)
    torch.manual_seed(0)
    one = lesson(exam)
    torch.manual_seed(0)
    other = lesson(exam)
    other.loss(0, "cpu")
    assert one.loss(3, "cpu").item() == other.loss(3, "cpu").item()
    assert one.loss(3, "cpu").item() != one.loss(4, "cpu").item()


@every
def test_training_lowers_the_loss_and_leaves_a_score(lesson, exam):
    torch.manual_seed(0)
    taught = lesson(exam)
    taught.module.eval()
    with torch.no_grad():
        before = np.mean([taught.loss(step, "cpu").item() for step in range(9)])
    looks = train(taught, PLAN)
    assert 0 < looks[-1].score <= 1
    with torch.no_grad():
        after = np.mean([taught.loss(step, "cpu").item() for step in range(9)])
    assert after < before


def test_the_second_network_leaves_the_first_as_it_is(exam):
    torch.manual_seed(0)
    taught = connectivity(exam)
    before = {name: value.clone() for name, value in taught.model.confidence.state_dict().items()}
    train(taught, PLAN)
    for name, value in taught.model.confidence.state_dict().items():
        assert torch.equal(value, before[name])


def test_candidates_count_by_face_and_not_each_and_padding_does_not():
    truth = np.array([0, 0, 1, 0], np.int32)
    neighbors = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]], np.int32)
    logits = torch.tensor([[[0.0, 1.0], [2.0, 0.0]], [[0.0, 3.0], [5.0, 5.0]]])
    found = gcn_e.candidate_loss(
        logits, truth, neighbors, np.array([0, 3]), np.array([[0, 1], [2, -1]], np.int64)
    )
    log = torch.log_softmax(logits, dim=2)
    assert found.item() == pytest.approx((-(log[0, 0, 1] + log[0, 1, 0]) / 2 - log[1, 0, 0]).item() / 2)


def test_progress_of_both_networks_is_one(exam):
    told = []
    plan = Plan(steps=3, validate_every=3)
    model, looks = gcn_e_general.learn_general_connectivity(
        exam, K, plan, 0, progress=lambda done, of: told.append((done, of))
    )
    assert told == [(done, 6) for done in range(1, 7)]
    assert [look.step for look in looks] == [3, 6]
    assert isinstance(model, GeneralConnectivityModel)


def test_an_interrupted_run_goes_on_to_the_same_weights(exam, tmp_path):
    class StoppedError(Exception):
        pass

    def stop(done, of):
        if done == 9:
            raise StoppedError

    plan = Plan(steps=6, validate_every=3, learning_rate=0.05)
    learn = gcn_e.learn_connectivity
    with pytest.raises(StoppedError):
        learn(exam, K, plan, 0, folder=tmp_path, progress=stop)
    resumed, _ = learn(exam, K, plan, 0, folder=tmp_path)
    whole, _ = learn(exam, K, plan, 0)
    for name, value in whole.module.state_dict().items():
        assert torch.equal(value, resumed.module.state_dict()[name])
