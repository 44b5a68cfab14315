import json
import os

import numpy as np
import pytest

from personae import GCNV, HAC, InputError, comparison, evaluate, knn_graph
from personae.comparison import compare, fit
from personae.export.comparison import draw
from personae.link.geometry import Geometry
from personae.methods import METHODS
from tests.planted import made_faces


def test_methods_stand_side_by_side(tmp_path):
    faces = made_faces([12, 8, *[4] * 8, *[1] * 10])
    results = list(compare(faces, faces.truth, ["auto", "threshold"], oracle=True, k=20))
    assert [(result.method, result.oracle) for result in results] == [
        ("auto", False),
        ("threshold", False),
        ("threshold", True),
    ]
    assert [result.parameters for result in results[:2]] == [{"k": 20}, {"k": 20}]
    worth = [result.evaluation.pairwise.f + result.evaluation.bcubed.f for result in results]
    assert worth[2] >= worth[1]
    assert json.dumps([result.as_dict() for result in results])
    draw(results, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_parameters_to_try_are_given_and_the_best_is_kept():
    faces = made_faces([12, 8, *[4] * 8, *[1] * 10])
    tried = {"kmeans": [{"n_clusters": 2}, {"n_clusters": 20}]}
    results = list(compare(faces, faces.truth, ["kmeans"], oracle=True, tried=tried, k=20))
    assert [(result.method, result.oracle) for result in results] == [
        ("kmeans", False),
        ("kmeans", True),
    ]
    assert [result.parameters for result in results] == [{}, {"n_clusters": 20}]
    assert results[1].labels.max() == 19
    assert "labels" not in results[1].as_dict()


def test_trained_models_stand_beside_methods_that_learn_nothing(tmp_path):
    faces = made_faces([30, 20, *[6] * 8, *[1] * 10])
    model = GCNV.pretrained("sface")
    model.geometry_ = Geometry.of(faces)
    model.save(tmp_path / "mine_own.safetensors")
    called = f"gcn_v:{tmp_path / 'mine_own.safetensors'}"
    own, shipped, threshold = compare(
        faces, faces.truth, [called, "gcn_v:sface", "threshold"], k=20, oracle=False
    )
    assert own.method == called
    assert (own.labels == model.predict(faces)).all()
    assert shipped.labels is None
    assert "the faces have 64 values and the model was trained on 128" in shipped.refused
    assert threshold.evaluation is not None


@pytest.mark.parametrize(
    ("called", "says"),
    [
        ("gcn_v", "give its model, as gcn_v:sface"),
        ("gcn_v:arcface", "no GCNV for arcface comes with the package"),
        ("gcn_v:nowhere.safetensors", "no such file"),
        ("auto:sface", "no method is called auto:sface"),
    ],
)
def test_models_that_are_not_there_are_refused_before_anything_runs(called, says, monkeypatch):
    monkeypatch.setattr(comparison, "knn_graph", None)
    faces = made_faces([5, 5])
    with pytest.raises(InputError, match=says):
        list(compare(faces, faces.truth, ["threshold", called]))


@pytest.mark.parametrize("linkage", ["average", "complete"])
def test_hac_finds_who_it_finds_by_itself(linkage):
    faces = made_faces([30, 20, *[6] * 8], spread=1.0)
    alone = HAC(linkage, tau=0.2).fit(faces).labels_
    assert (fit(HAC(linkage, tau=0.2, k=5), faces, knn_graph(faces, 5)).labels_ == alone).all()


def test_unknown_methods_and_labels_that_do_not_match_are_refused():
    faces = made_faces([5, 5])
    with pytest.raises(InputError, match="no method is called"):
        list(compare(faces, faces.truth, ["magic"]))
    with pytest.raises(InputError, match="10 faces but 3 labels"):
        list(compare(faces, [0, 1, 2]))


def test_faces_that_nobody_knows_are_refused_before_anything_runs_or_left_out(monkeypatch):
    faces = made_faces([12, 8, *[4] * 8])
    truth = np.where(np.arange(len(faces)) < 5, -1, faces.truth)
    result = next(compare(faces, truth, ["threshold"], k=20, ignore_unknown=True))
    assert result.evaluation == evaluate(truth, result.labels, ignore_unknown=True)
    assert len(result.labels) == len(faces)
    monkeypatch.setattr(comparison, "knn_graph", None)
    with pytest.raises(InputError, match="the truth is -1 for 5 faces"):
        list(compare(faces, truth, ["threshold"]))
    with pytest.raises(InputError, match="unknown for every face"):
        list(compare(faces, np.full(len(faces), -1), ["threshold"], ignore_unknown=True))


@pytest.mark.parametrize("name", ["ddc", "density_peaks", "pahc"])
def test_thresholds_to_try_are_such_as_the_method_can_use(name):
    faces = made_faces([12, 8, *[4] * 8])
    tried = [each["tau"] for each in comparison._thresholds(name, METHODS[name](), knn_graph(faces, 20))]
    assert METHODS[name]().tau in tried
    people = {METHODS[name](tau=tau).fit_predict(faces).max() for tau in tried}
    assert len(people) > 4
    assert max(people) > 9 >= min(people)  # there are ten


def killed(*_):
    os._exit(9)


def killed_while_choosing(folder, name, tried, score):
    return comparison._best(folder, name, tried, score) if len(tried) == 1 else os._exit(9)


def test_a_choice_that_is_killed_leaves_the_result_before_it(monkeypatch):
    faces = made_faces([12, 8, *[4] * 8])
    monkeypatch.setattr(comparison, "_best", killed_while_choosing)
    own, best = compare(faces, faces.truth, ["threshold"], oracle=True, k=20)
    assert own.evaluation is not None
    assert (best.oracle, best.refused) == (True, "it ran out of memory, or was killed")


def test_a_method_that_is_killed_is_told_and_the_others_run(monkeypatch):
    faces = made_faces([12, 8, *[4] * 8])
    best = comparison._best
    monkeypatch.setattr(comparison, "_best", killed)
    results = compare(faces, faces.truth, ["threshold", "auto"], k=20)
    assert next(results).refused == "it ran out of memory, or was killed"
    monkeypatch.setattr(comparison, "_best", best)
    assert next(results).evaluation is not None
