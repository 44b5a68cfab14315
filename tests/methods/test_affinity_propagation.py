import numpy as np
import pytest

from personae import InputError, evaluate
from personae.methods import affinity_propagation as module
from personae.methods.affinity_propagation import AffinityPropagation
from tests.planted import made_faces


def exemplars_by_definition(similarity, preference, damping, rounds):
    """Responsibilities and availabilities, message by message."""
    n = len(similarity)
    s = similarity.copy()
    np.fill_diagonal(s, preference)
    r, a = np.zeros((n, n)), np.zeros((n, n))
    for _ in range(rounds):
        for i in range(n):
            new = [s[i, k] - max(a[i, j] + s[i, j] for j in range(n) if j != k) for k in range(n)]
            r[i] = damping * r[i] + (1 - damping) * np.array(new)
        fresh = np.zeros((n, n))
        for i in range(n):
            for k in range(n):
                others = sum(max(0, r[j, k]) for j in range(n) if j not in (i, k))
                fresh[i, k] = others if i == k else min(0, r[k, k] + others)
        a = damping * a + (1 - damping) * fresh
    return np.flatnonzero(np.diag(a + r) > 0)


def test_exemplars_are_those_of_the_messages():
    faces = made_faces([6, 5, 4, 1], seed=3)
    cosines = (faces.features @ faces.features.T).astype(np.float64)
    found = AffinityPropagation(preference=0.2, damping=0.7).fit(faces)
    assert found.converged_
    assert sorted(found.exemplars_) == exemplars_by_definition(cosines, 0.2, 0.7, 60).tolist()


def test_the_preference_is_the_median_of_the_pairs_without_the_faces_themselves():
    faces = made_faces([2, 2, 1], spread=0.7, seed=0)
    cosines = faces.features.astype(np.float64) @ faces.features.T.astype(np.float64)
    median = np.median([cosines[i, k] for i in range(5) for k in range(5) if i != k])
    assert module.median_of_pairs(cosines) == median
    assert median < np.median(cosines) - 0.01
    labels = AffinityPropagation().fit_predict(faces)
    assert (labels == AffinityPropagation(preference=median).fit_predict(faces)).all()
    assert (labels != AffinityPropagation(preference=np.median(cosines)).fit_predict(faces)).any()
    assert AffinityPropagation().fit_predict(faces.take(np.array([0]))).tolist() == [0]


def test_an_exemplar_bears_the_label_it_stands_for(planted):
    found = AffinityPropagation().fit(planted)
    assert found.labels_[found.exemplars_].tolist() == list(range(found.labels_.max() + 1))


def test_people_of_some_pictures_are_found():
    faces = made_faces([10] * 20, seed=1)
    assert evaluate(faces.truth, AffinityPropagation().fit_predict(faces)).bcubed.f > 0.95


def test_without_a_vote_every_face_is_alone(planted):
    found = AffinityPropagation(max_iter=1).fit(planted)
    assert not found.converged_
    assert found.n_iter_ == 1
    assert len(found.exemplars_) == 0
    assert found.labels_.tolist() == list(range(len(planted)))
    assert AffinityPropagation().fit(planted).converged_


def test_too_many_faces_are_told_what_to_use(monkeypatch, planted):
    monkeypatch.setattr(module, "MOST_FACES", 100)
    with pytest.raises(InputError, match="at most 100; use Auto"):
        AffinityPropagation().fit(planted)


@pytest.mark.parametrize("damping", [0.4, 1.0, np.nan])
def test_a_damping_that_does_not_settle_is_refused(planted, damping):
    with pytest.raises(InputError, match="damping"):
        AffinityPropagation(damping=damping).fit(planted)
