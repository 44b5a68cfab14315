from dataclasses import replace

import numpy as np
import pytest
import torch

from personae import InputError, knn_graph
from personae.link.l_gcn import PivotConfig
from personae.link.l_gcn_inference import PivotModel
from personae.link.pivot_subgraphs import Neighborhood
from personae.train.exam import Exam
from personae.train.l_gcn import Crowd, PivotLesson, crowds
from personae.train.loop import train
from personae.train.plan import Plan
from tests.planted import made_faces

FACES = made_faces([12, 9, 6, *[4] * 12, *[1] * 20], d=16)
SMALL = PivotConfig(16, Neighborhood(8, 3, 3), hidden=(24, 24, 12, 12))


def lesson(**different):
    exam = Exam.of(FACES, FACES.truth, 12, 0)
    torch.manual_seed(0)
    model = PivotModel(replace(SMALL, **different))
    return PivotLesson(model, exam, [SMALL.shape], 8, crowds(SMALL, exam, 12, 0), 0)


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


def test_one_face_teaches_nothing():
    exam = Exam.of(FACES, FACES.truth, 12, 0)
    alone = FACES.take(np.array([0]))
    with pytest.raises(InputError, match="one face"):
        PivotLesson(
            PivotModel(SMALL), exam, [SMALL.shape], 8, [Crowd(alone, alone.truth, knn_graph(alone, 5))], 0
        )


def test_it_is_graded_on_the_lists_that_it_looks_at_in_use(monkeypatch):
    taught, lengths = lesson(inputs="relations"), []
    asked = PivotModel.probabilities

    def seen(model, faces, graph, pivots=None):
        lengths.append(graph.k)
        return asked(model, faces, graph, pivots)

    monkeypatch.setattr(PivotModel, "probabilities", seen)
    taught.score()
    taught.model.links(taught.exam.faces, taught.exam.graph)
    assert taught.exam.graph.k == 12
    assert lengths == [10, 10]
