import numpy as np
import pytest

from personae import InputError, evaluate, knn_graph
from personae.clustering import DensityTree
from personae.comparison import fit
from personae.graph.density import diffusion_density
from personae.graph.lists import itself_counted
from personae.graph.transitions import transitions
from personae.link import TransitionOverlap
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


def test_lists_for_the_density_may_be_longer_than_those_that_overlap(planted):
    graph = knn_graph(planted, 40)
    density = diffusion_density(transitions(itself_counted(graph, 20), 0.5))
    expected = DensityTree(0.3).cluster(TransitionOverlap(0.05).link(itself_counted(graph, 10)), density)
    assert (DensityPeaks(k=10).fit_predict(planted) == expected).all()
    assert (DensityPeaks(k=10).fit_predict(graph) == expected).all()
    assert (fit(DensityPeaks(k=10), planted, knn_graph(planted, 12)).labels_ == expected).all()
    with pytest.raises(InputError, match="holds 12 neighbors a face and 19 are asked for"):
        DensityPeaks(k=10).fit(knn_graph(planted, 12))


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
