import numpy as np
import pytest

from personae import evaluate, knn_graph
from personae.clustering import MapEquation
from personae.link import EdgeProbability
from personae.methods.fces import FCES
from tests.planted import made_faces


def test_planted_people_are_found_and_kept_apart():
    faces = made_faces([20] * 40, seed=3)
    assert evaluate(faces.truth, FCES(k=20).fit_predict(faces)).pairwise.f > 0.97


def test_the_face_itself_counts_in_k(planted):
    labels = FCES(k=20).fit_predict(planted)
    assert (FCES(k=20).fit_predict(knn_graph(planted, 19)) == labels).all()
    assert (FCES(k=20).fit_predict(knn_graph(planted, 60)) == labels).all()
    assert (FCES(k=1).fit_predict(planted) == np.arange(len(planted))).all()


def test_lists_of_a_small_collection_hold_a_tenth_of_it(planted):
    assert (FCES().fit_predict(planted) == FCES(k=29).fit_predict(planted)).all()


def test_the_walk_of_the_map_equation_is_directed():
    faces = made_faces([12, 9, *[5] * 12, *[2] * 20, *[1] * 30], d=10, spread=0.9, seed=5)
    graph = knn_graph(faces, 19)
    links = EdgeProbability().link(graph.nearest(15))
    one_way = MapEquation(directed=True).cluster(links)
    assert (FCES(k=20).fit_predict(graph) == one_way).all()
    assert (MapEquation().cluster(links) != one_way).any(), "both walks find the same: nothing was tested"


@pytest.mark.data
def test_the_papers_parameters_hold_on_balanced_people(shared):
    with np.load(shared / "data" / "train.sface.npz", allow_pickle=False) as file:
        some = file["y"] % 4 == 0
        score = evaluate(file["y"][some], FCES().fit_predict(file["X"][some]))
    assert score.pairwise.f >= 0.59
