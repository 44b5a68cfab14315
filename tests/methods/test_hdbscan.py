import numpy as np
import pytest

from personae import InputError, evaluate, knn_graph
from personae.methods.hdbscan import HDBSCAN
from tests.planted import made_faces


def test_planted_people_are_found_and_lone_faces_are_noise(planted):
    found = HDBSCAN().fit(planted)
    alone = np.bincount(planted.truth)[planted.truth] == 1
    assert evaluate(planted.truth, found.labels_).bcubed.f > 0.95
    assert found.noise_[alone].mean() > 0.95
    assert (np.bincount(found.labels_)[found.labels_[found.noise_]] == 1).all()


@pytest.mark.parametrize("offset", [0.0, 1.0, 2.0])
def test_the_embedders_scale_of_cosines_matters_little(offset):
    faces = made_faces([30, *[8] * 20], seed=1)
    moved = faces.features + offset * np.eye(64)[0]
    assert evaluate(faces.truth, HDBSCAN().fit_predict(moved)).bcubed.f > 0.95


def test_nobody_has_fewer_faces_than_asked_for(planted):
    for least in (2, 5, 9):
        found = HDBSCAN(min_cluster_size=least).fit(planted)
        assert np.bincount(found.labels_[~found.noise_]).max() > 20
        assert np.bincount(found.labels_)[found.labels_[~found.noise_]].min() >= least


@pytest.mark.parametrize("samples", [{"min_samples": 20}, {"min_cluster_size": 20}])
def test_lists_are_as_long_as_the_samples_need(planted, samples):
    found = HDBSCAN(k=10, **samples).fit_predict(planted)
    assert (found == HDBSCAN(k=19, **samples).fit_predict(planted)).all()
    with pytest.raises(InputError, match="holds 10 neighbors a face and 19 are asked for"):
        HDBSCAN(k=10, **samples).fit(knn_graph(planted, 10))


@pytest.mark.parametrize("bad", [{"min_cluster_size": 1}, {"min_cluster_size": 2.5}, {"min_samples": 1.5}])
def test_people_of_one_face_and_parts_of_faces_are_refused(planted, bad):
    with pytest.raises(InputError, match=f"^{next(iter(bad))} is {next(iter(bad.values()))}; it needs"):
        HDBSCAN(**bad).fit(knn_graph(planted, 80))


@pytest.mark.data
@pytest.mark.parametrize("embedder", ["sface", "dlib"])
def test_one_setting_holds_on_a_long_tail_for_both_embedders(shared, embedder):
    with np.load(shared / "data" / f"lfw.{embedder}.npz", allow_pickle=False) as file:
        score = evaluate(file["y"], HDBSCAN().fit_predict(file["X"]))
    assert score.pairwise.f >= 0.95
    assert score.bcubed.f >= 0.85
