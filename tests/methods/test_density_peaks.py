import numpy as np
import pytest

from personae import InputError, evaluate, knn_graph
from personae.methods.density_peaks import DensityPeaks
from tests.planted import made_faces


@pytest.mark.parametrize("exact", [False, True])
def test_planted_people_are_found_and_kept_apart(exact):
    faces = made_faces([40, 25, *[10] * 12, *[5] * 20], seed=3)
    labels = DensityPeaks(sigma=0.1, exact=exact).fit_predict(faces)
    assert evaluate(faces.truth, labels).bcubed.f > 0.9


def test_the_face_itself_counts_in_k(planted):
    labels = DensityPeaks(k=30).fit_predict(planted)
    assert (DensityPeaks(k=30).fit_predict(knn_graph(planted, 29)) == labels).all()
    assert (DensityPeaks(k=30).fit_predict(knn_graph(planted, 60)) == labels).all()
    assert (DensityPeaks(k=1).fit_predict(planted) == np.arange(len(planted))).all()


def test_both_densities_are_used():
    faces = made_faces([40, 25, *[10] * 12, *[5] * 20], spread=0.9)
    one, many = DensityPeaks(sigma=0.1), DensityPeaks(sigma=0.1, exact=True)
    assert (one.fit_predict(faces) != many.fit_predict(faces)).any()


def test_a_list_of_nobody_is_refused(planted):
    with pytest.raises(InputError, match="0 faces"):
        DensityPeaks(nearest=0).fit(planted)
    with pytest.raises(InputError, match="k is 0"):
        DensityPeaks(k=0).fit(knn_graph(planted, 5))


@pytest.mark.data
def test_the_width_that_suits_the_embedder_gives_a_long_tail(shared):
    with np.load(shared / "data" / "lfw.sface.npz", allow_pickle=False) as file:
        score = evaluate(file["y"], DensityPeaks(sigma=0.1).fit_predict(file["X"]))
    assert score.bcubed.f >= 0.94
