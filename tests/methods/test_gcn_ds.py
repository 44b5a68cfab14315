"""GCN-D and GCN-S as an estimator, and as what cleans the clusters of others."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from personae import InputError, evaluate
from personae.graph import first_seen
from personae.methods.gcn_ds import GCNDS
from personae.train.gcn_d import GENERAL, PAPER
from tests.planted import made_faces

LEARN = made_faces([12] * 5 + [6] * 20 + [2] * 10, d=24, spread=0.7)
OTHERS = made_faces([15, 10] + [6] * 12 + [1] * 9, d=24, spread=0.6, seed=3)
PLANS = {
    "paper": replace(PAPER, steps=60, validate_every=30),
    "general": replace(GENERAL, steps=60, validate_every=30),
}
presets = pytest.mark.parametrize("preset", PLANS)


@pytest.fixture(scope="module")
def trained():
    return {preset: GCNDS(preset, k=20, plan=plan).fit(LEARN) for preset, plan in PLANS.items()}


@presets
def test_people_it_has_not_seen_are_found_in_any_order(trained, preset):
    labels = trained[preset].predict(OTHERS)
    assert evaluate(OTHERS.truth, labels).bcubed.f > 0.8
    order = np.random.default_rng(2).permutation(len(OTHERS))
    assert (first_seen(trained[preset].predict(OTHERS.take(order))) == first_seen(labels[order])).all()


@presets
def test_a_saved_model_gives_the_same_people(trained, preset, tmp_path):
    trained[preset].save(tmp_path / "gcn_ds.safetensors")
    again = GCNDS.read(tmp_path / "gcn_ds.safetensors")
    assert again.model_.config == trained[preset].model_.config
    assert (again.predict(OTHERS) == trained[preset].predict(OTHERS)).all()


@presets
def test_one_two_and_equal_faces_are_no_trouble(trained, preset):
    for faces in (np.ones((1, 24)), np.eye(2, 24), np.ones((30, 24)), -np.eye(24)):
        assert len(trained[preset].predict(faces)) == len(faces)
        assert len(trained[preset].refine(faces, np.zeros(len(faces), int))) == len(faces)


def test_clusters_of_others_become_purer(trained):
    wrong = OTHERS.truth // 2
    before, after = (
        evaluate(OTHERS.truth, labels).pairwise.precision
        for labels in (wrong, trained["general"].refine(OTHERS, wrong))
    )
    assert after > before
    assert (trained["general"].refine(OTHERS, np.arange(len(OTHERS))) == np.arange(len(OTHERS))).all()


def test_labels_that_do_not_match_and_models_that_are_not_trained_are_named(trained):
    with pytest.raises(InputError, match="labels; give one label a face"):
        trained["paper"].refine(OTHERS, [0, 1])
    with pytest.raises(NotFittedError, match="call fit"):
        GCNDS().refine(OTHERS, OTHERS.truth)
