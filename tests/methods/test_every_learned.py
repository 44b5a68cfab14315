"""What holds for every learned method that there is."""

import numpy as np
import pytest

from personae import GCNDS, LGCN, FaceT, evaluate, knn_graph
from personae.graph import first_seen
from tests.learned import MADE, OTHERS, labels_of_others, trained

WEAKER = {  # BCubed F of methods that want more steps and more people than these
    (LGCN, "paper"): 0.4,
    (LGCN, "general"): 0.7,
    (FaceT, "paper"): 0.4,
    (GCNDS, "paper"): 0.8,
    (GCNDS, "general"): 0.8,
}


@pytest.fixture(params=MADE, ids=lambda which: f"{which[0].__name__}-{which[1]}")
def which(request):
    return request.param


def test_people_it_has_not_seen_are_found_in_any_order(which):
    labels = labels_of_others(*which)
    assert labels.dtype == np.int32
    assert (first_seen(labels) == labels).all()
    assert evaluate(OTHERS.truth, labels).bcubed.f > WEAKER.get(which, 0.9)
    order = np.random.default_rng(2).permutation(len(OTHERS))
    assert (first_seen(trained(*which).predict(OTHERS.take(order))) == first_seen(labels[order])).all()


def test_a_saved_model_gives_the_same_people(which, tmp_path):
    method = trained(*which)
    method.save(tmp_path / "model.safetensors")
    again = which[0].read(tmp_path / "model.safetensors")
    assert again.get_params() == {**method.get_params(), "plan": None}
    assert again.model_.config == method.model_.config
    assert (again.predict(OTHERS) == labels_of_others(*which)).all()


def test_few_equal_and_opposed_faces_are_no_trouble(which):
    method = trained(*which)
    assert method.predict(np.ones((1, 24))).tolist() == [0]
    assert len(method.predict(np.eye(2, 24))) == 2
    assert len(method.predict(np.ones((30, 24)))) == 30
    assert len(method.predict(-np.eye(24))) == 24


def test_a_graph_that_is_there_already_gives_the_same_labels(which):
    found = trained(*which).predict(OTHERS, graph=knn_graph(OTHERS, 25))
    assert (found == labels_of_others(*which)).all()


def test_copies_are_who_their_face_is_and_change_nobody_else(which):
    of = np.r_[np.arange(len(OTHERS)), np.repeat([3, 20], 40)]
    found = trained(*which).predict(OTHERS.take(of))
    assert (found == labels_of_others(*which)[of]).all()
