import numpy as np
import pytest

from personae import InputError, evaluate, knn_graph
from personae.methods.aro import ARO
from tests.planted import made_faces


def test_planted_people_are_found_and_kept_apart():
    faces = made_faces([20] * 40, seed=3)
    score = evaluate(faces.truth, ARO(k=20).fit_predict(faces))
    assert score.pairwise.f > 0.95


def test_a_longer_graph_is_cut_to_k(planted):
    graph = knn_graph(planted, 60)
    assert (ARO(k=20).fit_predict(graph) == ARO(k=20).fit_predict(planted)).all()


def test_lists_of_a_small_collection_hold_a_tenth_of_it(planted):
    assert (ARO(k=200).fit_predict(planted) == ARO(k=28).fit_predict(planted)).all()
    few = planted.take(np.arange(40))
    assert (ARO(k=200).fit_predict(few) == ARO(k=10).fit_predict(few)).all()


@pytest.mark.parametrize("t", [-1, float("nan"), float("inf")])
def test_what_is_no_distance_is_refused(t):
    with pytest.raises(InputError, match=f"t is {t}; it needs to"):
        ARO(t=t).fit(np.eye(4))


@pytest.mark.data
def test_parameters_that_suit_balanced_people_serve_a_long_tail(shared):
    with np.load(shared / "data" / "lfw.sface.npz", allow_pickle=False) as file:
        score = evaluate(file["y"], ARO(k=80, t=0).fit_predict(file["X"]))
    assert score.bcubed.f >= 0.91
