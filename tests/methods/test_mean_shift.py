import numpy as np
import pytest
from sklearn.cluster import MeanShift as Reference

from personae import InputError, evaluate
from personae.graph import first_seen
from personae.methods import mean_shift as module
from personae.methods.mean_shift import MeanShift, climbed
from tests.planted import made_faces


@pytest.mark.parametrize("tau", [0.3, 0.45, 0.6, 0.75])
def test_labels_are_those_of_scikit_learn(tau):
    faces = made_faces([15, 10, *[5] * 6, *[1] * 15], seed=5)
    expected = Reference(bandwidth=np.sqrt(2 - 2 * tau)).fit_predict(faces.features.astype(np.float64))
    assert (MeanShift(tau=tau).fit_predict(faces) == first_seen(expected)).all()


def test_a_face_climbs_to_the_mean_of_those_around_it():
    faces = made_faces([12, 12, *[2] * 5], seed=1).features.astype(np.float64)
    reach = 0.9
    ends, near = climbed(faces, reach)
    for face in range(len(faces)):
        at = faces[face]
        for _ in range(300):
            within = faces[((faces - at) ** 2).sum(axis=1) <= reach]
            before, at = at, within.mean(axis=0)
            if np.linalg.norm(at - before) <= 1e-3 * np.sqrt(reach):
                break
        assert np.abs(ends[face] - at).max() < 1e-9
        assert near[face] == len(within)


def test_people_are_found_whatever_their_number():
    faces = made_faces([20] * 10 + [5] * 20, spread=0.5, seed=2)
    assert evaluate(faces.truth, MeanShift(tau=0.6).fit_predict(faces)).bcubed.f > 0.95


def test_too_many_faces_are_told_what_to_use(monkeypatch, planted):
    monkeypatch.setattr(module, "MOST_FACES", 100)
    with pytest.raises(InputError, match="at most 100; use Auto"):
        MeanShift().fit(planted)


@pytest.mark.parametrize("tau", [1, -1, np.nan])
def test_a_tau_without_reach_is_refused(planted, tau):
    with pytest.raises(InputError, match="tau"):
        MeanShift(tau=tau).fit(planted)
