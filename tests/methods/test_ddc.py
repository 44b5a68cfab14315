import numpy as np
import pytest

from personae import InputError, evaluate, knn_graph
from personae.methods.ddc import DDC
from tests.planted import made_faces


def test_people_of_some_pictures_are_found():
    faces = made_faces([12] * 25, seed=4)
    assert evaluate(faces.truth, DDC(tau=0.75).fit_predict(faces)).bcubed.f > 0.95


def test_a_higher_tau_only_splits(planted):
    low, high = DDC(tau=0.7).fit_predict(planted), DDC(tau=0.9).fit_predict(planted)
    assert high.max() > low.max()
    assert len(np.unique(np.c_[low, high], axis=0)) == high.max() + 1


def test_a_graph_that_is_there_already_is_taken(planted):
    plain = DDC().fit_predict(planted)
    assert (DDC().fit(planted, graph=knn_graph(planted, 12)).labels_ == plain).all()
    with pytest.raises(InputError, match="50 faces and there are 280"):
        DDC().fit(planted, graph=knn_graph(planted.take(np.arange(50)), 12))
