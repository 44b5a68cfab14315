import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from personae import InputError, evaluate
from personae.graph.directions import mean_directions
from personae.graph.farthest_first import farthest_first
from personae.methods import kmeans as module
from personae.methods.kmeans import KMeans, after_batches, regrouped
from tests.planted import made_faces


def test_every_face_is_with_the_mean_direction_that_is_nearest(planted):
    found = KMeans(n_clusters=30).fit(planted)
    for label in range(30):
        total = planted.features[found.labels_ == label].astype(np.float64).sum(axis=0)
        assert np.abs(found.directions_[label] - total / np.linalg.norm(total)).max() < 1e-6
    nearest = [max(range(30), key=lambda c: float(face @ found.directions_[c])) for face in planted.features]
    assert nearest == found.labels_.tolist()


def test_people_are_found_where_their_number_is_known():
    faces = made_faces([30, 20, *[8] * 20, *[1] * 40], seed=3)
    assert evaluate(faces.truth, KMeans(n_clusters=62).fit_predict(faces)).bcubed.f > 0.97


def test_people_are_found_where_their_number_is_counted():
    faces = made_faces([30, 20, *[8] * 20, *[1] * 40], seed=3)
    assert evaluate(faces.truth, KMeans().fit_predict(faces)).bcubed.f > 0.95


@pytest.mark.parametrize(
    "sizes", [[40, 30, *[9] * 20, *[1] * 50], [40] * 8], ids=["small people", "large people"]
)
def test_one_round_finds_nearly_the_same_people_for_any_order(sizes, monkeypatch):
    faces = made_faces(sizes, seed=3)
    clusters = len(sizes)
    whole = KMeans(clusters).fit_predict(faces)
    monkeypatch.setattr(module, "LARGE", 100)
    monkeypatch.setattr(module, "BATCH", 32)
    once = KMeans(clusters).fit_predict(faces)
    assert adjusted_rand_score(whole, once) > 0.95
    order = np.random.default_rng(1).permutation(len(faces))
    assert adjusted_rand_score(KMeans(clusters).fit_predict(faces.take(order)), once[order]) == 1


@pytest.mark.parametrize("clusters", [5, 60, 150])
def test_a_round_from_the_starts_looks_at_no_fewer_directions_than_it_needs(planted, clusters):
    _, nearest = farthest_first(planted.features, clusters)
    directions = mean_directions(planted.features, nearest.point)
    cosines = planted.features @ directions.T
    found = regrouped(nearest, directions)
    np.testing.assert_allclose(cosines[np.arange(len(planted)), found], cosines.max(axis=1), atol=1e-6)


def test_mini_batches_add_each_face_to_the_direction_that_is_nearest_by_then(planted, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 16)
    starts = planted.features[:12]
    drawn = np.random.default_rng(0).permutation(len(planted))[:100]
    sums = starts.astype(np.float64)
    for batch in np.split(drawn, range(16, 100, 16)):
        unit = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        for face in batch:
            sums[np.argmax(unit @ planted.features[face])] += planted.features[face]
    expected = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    assert np.abs(after_batches(planted.features, starts, drawn) - expected).max() < 1e-6


def test_opposite_faces_have_no_mean_direction():
    assert mean_directions(np.array([[1.0, 0], [-1, 0]]), np.zeros(2, dtype=np.int32)).tolist() == [[0, 0]]
    assert KMeans(n_clusters=1).fit_predict([[1.0, 0], [-1, 0]]).tolist() == [0, 0]


def test_no_clusters_are_refused(planted):
    with pytest.raises(InputError, match="0 clusters are asked for"):
        KMeans(n_clusters=0).fit(planted)
