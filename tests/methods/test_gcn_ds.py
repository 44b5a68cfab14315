"""GCN-D and GCN-S as an estimator, and as what cleans the clusters of others."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from personae import GCNDS, InputError, evaluate, knn_graph
from tests.learned import MADE, MIXED, OTHERS, trained


@pytest.mark.parametrize("preset", ["paper", "general"])
def test_one_two_and_equal_faces_are_cleaned(preset):
    for faces in (np.ones((1, 24)), np.eye(2, 24), np.ones((30, 24)), -np.eye(24)):
        assert len(trained(GCNDS, preset).refine(faces, np.zeros(len(faces), int))) == len(faces)


def test_clusters_of_others_become_purer():
    wrong = OTHERS.truth // 2
    before, after = (
        evaluate(OTHERS.truth, labels).pairwise.precision
        for labels in (wrong, trained(GCNDS, "general").refine(OTHERS, wrong))
    )
    assert after > before
    assert (trained(GCNDS, "general").refine(OTHERS, np.arange(len(OTHERS))) == np.arange(len(OTHERS))).all()


def test_each_face_that_is_noise_is_a_cluster_of_its_own():
    method, n = trained(GCNDS, "general"), len(OTHERS)
    for noise in (np.full(n, -1), np.full(n, "-1"), np.arange(-n, 0)):
        assert (method.refine(OTHERS, noise) == np.arange(n)).all()
    wrong = OTHERS.truth // 2
    some = np.where(np.arange(n) % 3, wrong, -1)
    alone = np.where(np.arange(n) % 3, wrong, n + np.arange(n))
    assert (method.refine(OTHERS, some) == method.refine(OTHERS, alone)).all()
    assert (method.refine(OTHERS, [f"person {one}" for one in wrong]) == method.refine(OTHERS, wrong)).all()


@pytest.mark.parametrize("preset", ["paper", "general"])
def test_progress_goes_once_through_the_steps_of_all_networks(preset):
    told = []
    plan = replace(MADE[GCNDS, preset]["plan"], steps=6, validate_every=6)
    GCNDS(preset, k=20, plan=plan).fit(MIXED, progress=lambda *steps: told.append(steps))
    steps = 12 if preset == "paper" else 18
    assert told == [(step, steps) for step in range(1, steps + 1)]


def test_people_are_those_of_gcn_d_cleaned():
    method = trained(GCNDS, "general")
    found = method.people(OTHERS, method.links(OTHERS), knn_graph(OTHERS, method.k))
    assert (method.predict(OTHERS) == method.refine(OTHERS, found)).all()


def test_labels_that_do_not_match_and_models_that_are_not_trained_are_named():
    with pytest.raises(InputError, match="labels; give one label a face"):
        trained(GCNDS, "paper").refine(OTHERS, [0, 1])
    with pytest.raises(NotFittedError, match="call fit"):
        GCNDS().refine(OTHERS, OTHERS.truth)
