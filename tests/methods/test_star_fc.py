"""STAR-FC as an estimator: it learns from some people and finds others."""

from dataclasses import replace

import numpy as np
import pytest

from personae import InputError, evaluate
from personae.graph import first_seen
from personae.methods.star_fc import PAPER, StarFC
from personae.train.evidence import PLAN
from tests.planted import made_faces

LEARN = made_faces([12] * 5 + [6] * 20 + [2] * 10, d=24, spread=0.5)
OTHERS = made_faces([15, 10] + [6] * 12 + [1] * 9, d=24, spread=0.5, seed=3)
PLANS = {
    "paper": replace(PAPER, steps=24, validate_every=12),
    "general": replace(PLAN, steps=60, validate_every=30),
}
presets = pytest.mark.parametrize("preset", PLANS)


@pytest.fixture(scope="module")
def trained():
    return {preset: StarFC(preset, k=20, plan=plan).fit(LEARN) for preset, plan in PLANS.items()}


@presets
def test_people_it_has_not_seen_are_found(trained, preset):
    score = evaluate(OTHERS.truth, trained[preset].predict(OTHERS))
    assert score.pairwise.f > 0.9
    assert score.bcubed.f > 0.9


@presets
def test_a_permutation_of_the_faces_permutes_the_labels(trained, preset):
    order = np.random.default_rng(2).permutation(len(OTHERS))
    labels = trained[preset].predict(OTHERS)
    assert (first_seen(trained[preset].predict(OTHERS.take(order))) == first_seen(labels[order])).all()


@presets
def test_a_saved_model_gives_the_same_people(trained, preset, tmp_path):
    trained[preset].save(tmp_path / "star_fc.safetensors")
    again = StarFC.read(tmp_path / "star_fc.safetensors")
    assert (again.predict(OTHERS) == trained[preset].predict(OTHERS)).all()
    assert again.preset == preset


@presets
def test_one_two_and_equal_faces_are_no_trouble(trained, preset):
    method = trained[preset]
    assert method.predict(np.ones((1, 24))).tolist() == [0]
    assert len(method.predict(np.eye(2, 24))) == 2
    assert len(method.predict(np.ones((30, 24)))) == 30
    assert len(method.predict(-np.eye(24))) == 24


def test_the_own_clusterer_of_the_paper_is_node_intimacy(trained):
    assert trained["paper"].decision_.clusterer == "node_intimacy"


def test_a_second_training_gives_the_same_links():
    plan = replace(PAPER, steps=4, validate_every=2)
    first, second = (StarFC(k=10, plan=plan).fit(LEARN).links(OTHERS).graph.similarities for _ in range(2))
    assert (first == second).all()


def test_faces_drawn_anywhere_train_too():
    plan = replace(PAPER, steps=2, validate_every=2)
    assert len(StarFC(k=10, plan=plan, sampling="faces").fit(LEARN).predict(OTHERS)) == len(OTHERS)


def test_another_sampling_is_refused():
    with pytest.raises(InputError, match="structure and faces"):
        StarFC(sampling="hubs").fit(LEARN)
