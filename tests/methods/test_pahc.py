import numpy as np
import pytest
from scipy.optimize import minimize

from personae import InputError, evaluate
from personae.methods import pahc as module
from personae.methods.pahc import PAHC, average_linkage, margins, neighborhoods, proximity
from tests.planted import made_faces


def test_proximity_is_the_mean_of_the_margins_over_the_neighborhoods():
    rng = np.random.default_rng(0)
    margin, near = rng.normal(size=(15, 15)), rng.integers(0, 15, (15, 4)).astype(np.int32)
    found = proximity(margin, near)
    for i in range(15):
        for j in range(15):
            one = sum(margin[i, x] for x in near[j]) / 4
            other = sum(margin[j, x] for x in near[i]) / 4
            assert found[i, j] == pytest.approx((one + other) / 2)


def test_a_margin_is_that_of_a_support_vector_machine():
    features = made_faces([6] * 5, d=8, seed=1).features.astype(np.float64)
    near = neighborhoods(features, 3)
    found = margins(features, near, 10, 2.0)
    for face in (0, 17):
        far = np.argsort(features @ features[face], kind="stable")[:15]
        rows = np.r_[near[face], far[np.linspace(0, 14, 10).astype(int)]]
        side = np.where(np.arange(14) < 4, 1, -1)
        weight = np.where(side > 0, 14 / (2 * 4), 14 / (2 * 10))

        def cost(w, rows=rows, side=side, weight=weight):
            slack = np.maximum(0, 1 - side * (features[rows] @ w[:-1] + w[-1]))
            return w @ w / 2 + 2.0 * (weight * slack**2).sum()

        w = minimize(cost, np.zeros(9), options={"gtol": 1e-9}).x
        assert np.abs(found[face] - (features @ w[:-1] + w[-1])).max() < 2e-2


def test_groups_are_joined_by_their_mean_similarity():
    alike = np.array([[1, 0.9, 0.5, 0], [0.9, 1, 0.3, 0], [0.5, 0.3, 1, 0], [0, 0, 0, 1]])
    assert len(set(average_linkage(alike, 0.39))) == 2  # the third joins at 0.4
    assert len(set(average_linkage(alike, 0.41))) == 3


def test_people_of_some_pictures_are_found():
    faces = made_faces([12] * 12, seed=4)
    assert evaluate(faces.truth, PAHC().fit_predict(faces)).bcubed.f > 0.95


def test_too_many_faces_are_told_what_to_use(monkeypatch, planted):
    monkeypatch.setattr(module, "MOST_FACES", 100)
    with pytest.raises(InputError, match="at most 100; use DDC or Auto"):
        PAHC().fit(planted)


@pytest.mark.parametrize("wrong", [{"k": 0}, {"negatives": 0}, {"penalty": 0.0}], ids=str)
def test_parameters_of_nothing_are_refused(planted, wrong):
    with pytest.raises(InputError, match="above 0"):
        PAHC(**wrong).fit(planted)
