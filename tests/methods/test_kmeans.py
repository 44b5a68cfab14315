import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from personae import InputError, evaluate
from personae.methods import kmeans as module
from personae.methods.kmeans import KMeans, mean_directions
from tests.planted import made_faces


def test_every_face_is_with_the_mean_direction_that_is_nearest(planted):
    found = KMeans(clusters=30).fit(planted)
    for label in range(30):
        total = planted.features[found.labels_ == label].astype(np.float64).sum(axis=0)
        assert np.abs(found.directions_[label] - total / np.linalg.norm(total)).max() < 1e-6
    nearest = [max(range(30), key=lambda c: float(face @ found.directions_[c])) for face in planted.features]
    assert nearest == found.labels_.tolist()


def test_people_are_found_where_their_number_is_known():
    faces = made_faces([30, 20, *[8] * 20, *[1] * 40], seed=3)
    assert evaluate(faces.truth, KMeans(clusters=62).fit_predict(faces)).bcubed.f > 0.97


def test_people_are_found_where_their_number_is_counted():
    faces = made_faces([30, 20, *[8] * 20, *[1] * 40], seed=3)
    assert evaluate(faces.truth, KMeans().fit_predict(faces)).bcubed.f > 0.95


def test_mini_batches_find_nearly_the_same_people_for_any_order(planted, monkeypatch):
    whole = KMeans().fit_predict(planted)
    monkeypatch.setattr(module, "BATCHES_FROM", 100)
    monkeypatch.setattr(module, "BATCH", 64)
    batches = KMeans().fit_predict(planted)
    assert adjusted_rand_score(whole, batches) > 0.95
    order = np.random.default_rng(1).permutation(len(planted))
    assert adjusted_rand_score(KMeans().fit_predict(planted.take(order)), batches[order]) == 1


def test_there_are_fewer_clusters_where_fewer_faces_differ():
    faces = np.repeat(np.eye(3), 4, axis=0)
    assert KMeans(clusters=7).fit_predict(faces).tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]


def test_opposite_faces_have_no_mean_direction():
    assert mean_directions(np.array([[1.0, 0], [-1, 0]]), np.zeros(2, dtype=np.int32)).tolist() == [[0, 0]]
    assert KMeans(clusters=1).fit_predict([[1.0, 0], [-1, 0]]).tolist() == [0, 0]


def test_no_clusters_are_refused(planted):
    with pytest.raises(InputError, match="clusters is 0"):
        KMeans(clusters=0).fit(planted)
