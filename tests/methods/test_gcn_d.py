"""GCN-D as an estimator: it learns from some people and finds others."""

from dataclasses import replace

import numpy as np
import pytest

from personae import InputError, evaluate
from personae.graph import first_seen
from personae.methods.gcn_d import GCND
from personae.train.gcn_d import GENERAL, PAPER
from tests.planted import made_faces

LEARN = made_faces([12] * 5 + [6] * 20 + [2] * 10, d=24, spread=0.5)
OTHERS = made_faces([15, 10] + [6] * 12 + [1] * 9, d=24, spread=0.5, seed=3)
PLANS = {
    "paper": replace(PAPER, steps=120, validate_every=60),
    "general": replace(GENERAL, steps=80, validate_every=40),
}
presets = pytest.mark.parametrize("preset", PLANS)


@pytest.fixture(scope="module")
def trained():
    return {preset: GCND(preset, k=20, plan=plan).fit(LEARN) for preset, plan in PLANS.items()}


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
    trained[preset].save(tmp_path / "gcn_d.safetensors")
    again = GCND.read(tmp_path / "gcn_d.safetensors")
    assert again.model_.config == trained[preset].model_.config
    assert (again.predict(OTHERS) == trained[preset].predict(OTHERS)).all()


@presets
def test_one_two_and_equal_faces_are_no_trouble(trained, preset):
    method = trained[preset]
    assert method.predict(np.ones((1, 24))).tolist() == [0]
    assert len(method.predict(np.eye(2, 24))) == 2
    assert len(method.predict(np.ones((30, 24)))) == 30
    assert len(method.predict(-np.eye(24))) == 24


def test_the_own_clusterer_of_the_paper_takes_overlaps_apart(trained):
    assert trained["paper"].decision_.clusterer == "de_overlap"
    assert GCND(k=20, plan=PLANS["paper"], clusterer="suppression").fit(LEARN).predict(OTHERS).max() > 10


def test_the_pool_and_the_turns_are_checked_and_kept():
    with pytest.raises(InputError, match="max, mean, sum"):
        GCND(pool="median").fit(LEARN)
    with pytest.raises(InputError, match="turns is 0"):
        GCND(turns=0).fit(LEARN)
    plan = replace(PAPER, steps=2, validate_every=2)
    config = GCND(k=20, plan=plan, turns=1, pool="mean").fit(LEARN).model_.config
    assert (config.search.turns, config.pool) == (1, "mean")
