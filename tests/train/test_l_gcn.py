from dataclasses import replace

import numpy as np
import pytest
import torch

from personae import InputError, knn_graph
from personae.link.l_gcn import PivotConfig
from personae.link.l_gcn_inference import PivotModel
from personae.link.pivot_subgraphs import Neighborhood
from personae.train.exam import Exam
from personae.train.l_gcn import Crowd, PivotLesson, crowds, varied_sizes
from personae.train.loop import train
from personae.train.plan import Plan
from tests.planted import made_faces

FACES = made_faces([12, 9, 6, *[4] * 12, *[1] * 20], d=16)
SMALL = PivotConfig(16, Neighborhood(8, 3, 3), hidden=(24, 24, 12, 12))


def lesson(**different):
    exam = Exam.of(FACES, FACES.truth, 12, 0)
    torch.manual_seed(0)
    model = PivotModel(replace(SMALL, **different))
    return PivotLesson(model, exam, [SMALL.shape], 8, crowds(exam, 1, 12, 0), 0)


def test_the_loss_is_the_cross_entropy_of_the_neighbors_of_each_pivot():
    taught = lesson()
    crowd, pivots = taught.crowds[0], taught.pivots(0, 0)
    taught.module.norm.momentum = 1.0  # the evaluated network has the statistics of this batch
    taught.module.train()
    loss = taught.loss(0, "cpu").item()
    said = taught.model.probabilities(crowd.faces, crowd.graph, pivots)
    same = crowd.truth[crowd.graph.neighbors[pivots, :8]] == crowd.truth[pivots][:, None]
    assert loss == pytest.approx(-np.log(np.where(same, said, 1 - said)).mean(), rel=0.01)


def test_each_face_is_a_pivot_once_before_any_comes_again():
    taught = lesson()
    size = len(taught.crowds[0].faces)
    turns = size // 8
    seen = np.concatenate([taught.pivots(turn, 0) for turn in range(turns)])
    assert len(np.unique(seen)) == turns * 8
    assert not (taught.pivots(turns, 0) == taught.pivots(0, 0)).all()


def test_training_tells_people_apart_that_were_not_seen():
    taught = lesson(inputs="relations")
    before = taught.score()
    looks = train(taught, Plan(steps=80, optimizer="adamw", learning_rate=0.01, validate_every=80))
    assert looks[-1].score > max(3 * before, 0.6)


@pytest.mark.parametrize("aggregation", ["mean", "weighted", "attention"])
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_every_weight_learns(aggregation, precision):
    taught = lesson(aggregation=aggregation)
    with torch.autocast("cpu", precision, enabled=precision == torch.bfloat16):
        taught.loss(0, "cpu").backward()
    for name, weight in taught.module.named_parameters():
        assert torch.isfinite(weight.grad).all(), name
        assert weight.grad.abs().max() > 0, name


def test_a_varied_crowd_holds_the_same_people_with_other_sizes():
    rng = np.random.default_rng(0)
    faces = made_faces([*[10] * 150, *[1] * 50], d=32)
    faces = faces.take(np.argsort(faces.truth, kind="stable"))
    varied, truth = varied_sizes(faces, faces.truth, rng)
    assert len(varied) == len(truth)
    sizes = np.bincount(truth, minlength=200)
    assert sizes.min() >= 1
    assert 30 <= sizes.max() <= 600
    assert len(np.unique(sizes[:150])) > 8
    assert (sizes[150:] == 1).mean() > 0.8
    means = np.stack([faces.features[faces.truth == name].mean(axis=0) for name in range(200)])
    nearest = (varied.features @ (means / np.linalg.norm(means, axis=1, keepdims=True)).T).argmax(axis=1)
    assert (nearest == truth).mean() > 0.95
    grown = int(sizes.argmax())
    inside = varied.features[truth == grown] @ varied.features[truth == grown].T
    real = faces.features[:10] @ faces.features[:10].T
    assert abs(np.median(inside) - np.median(real)) < 0.15


def test_one_face_teaches_nothing():
    exam = Exam.of(FACES, FACES.truth, 12, 0)
    alone = FACES.take(np.array([0]))
    with pytest.raises(InputError, match="one face"):
        PivotLesson(
            PivotModel(SMALL), exam, [SMALL.shape], 8, [Crowd(alone, alone.truth, knn_graph(alone, 5))], 0
        )
