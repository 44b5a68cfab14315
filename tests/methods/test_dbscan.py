import numpy as np
import pytest

from personae import InputError, evaluate, knn_graph
from personae.methods.dbscan import DBSCAN
from tests.planted import made_faces


def test_planted_people_are_found_and_lone_faces_are_noise(planted):
    found = DBSCAN(tau=0.5, min_samples=3).fit(planted)
    assert evaluate(planted.truth, found.labels_).bcubed.f > 0.97
    alone = np.bincount(planted.truth)[planted.truth] == 1
    assert found.noise_[alone].all()
    assert found.noise_[~alone].mean() < 0.02
    assert (np.bincount(found.labels_)[found.labels_[found.noise_]] == 1).all()


def test_more_samples_cut_a_thin_bridge_that_one_sample_crosses():
    rng = np.random.default_rng(0)
    a, b = np.eye(16)[:2]
    crowds = [center + 0.03 * rng.normal(size=(20, 16)) for center in (a, b)]
    bridge = [np.cos(t) * a + np.sin(t) * b for t in np.linspace(0.2, np.pi / 2 - 0.2, 5)]
    rows = np.vstack([*crowds, bridge])
    assert DBSCAN(tau=0.93, min_samples=1).fit_predict(rows).max() == 0
    found = DBSCAN(tau=0.93, min_samples=8).fit(rows)
    assert found.labels_[0] != found.labels_[20]
    assert found.noise_[42]


def test_samples_below_1_are_refused():
    for samples in (0, 2.5):
        with pytest.raises(InputError, match=f"min_samples is {samples}"):
            DBSCAN(min_samples=samples).fit(made_faces([3, 3]))


@pytest.mark.data
@pytest.mark.parametrize(("embedder", "tau", "pairwise"), [("sface", 0.64, 0.97), ("dlib", 0.965, 0.87)])
def test_a_threshold_for_the_embedder_holds_on_a_long_tail(shared, embedder, tau, pairwise):
    with np.load(shared / "data" / f"lfw.{embedder}.npz", allow_pickle=False) as file:
        score = evaluate(file["y"], DBSCAN(tau=tau).fit_predict(file["X"]))
    assert score.pairwise.f >= pairwise


def test_lists_are_as_long_as_the_samples_need(planted):
    found = DBSCAN(tau=0.5, min_samples=30, k=10).fit_predict(planted)
    assert (found == DBSCAN(tau=0.5, min_samples=30, k=29).fit_predict(planted)).all()
    with pytest.raises(InputError, match="holds 10 neighbors a face and 29 are asked for"):
        DBSCAN(min_samples=30, k=10).fit(knn_graph(planted, 10))
