import numpy as np
import pytest

from personae import knn_graph
from personae.evaluation.within import scores_within
from personae.link.links import Links
from personae.train.choose import choose
from personae.train.exam import Exam
from tests.planted import made_faces


def exam():
    faces = made_faces([12, 8, *[4] * 12, *[1] * 10])
    return Exam.of(faces, faces.truth, 20, 0)


@pytest.mark.parametrize("clusterer", ["components", "map_equation", "density_tree", "node_intimacy"])
def test_the_threshold_is_the_best_of_a_fine_sweep_on_the_held_out_faces(clusterer):
    here = exam()
    links = Links.of(here.graph)
    decision, score = choose(links, here.truth, here.held, clusterer)
    weights = here.graph.similarities

    def worth(tau):
        pair, face = scores_within(here.truth, replace_tau(decision, tau).people(links), here.held)
        return (pair.f + face.f) / 2

    assert score == pytest.approx(worth(decision.tau))
    assert score >= max(worth(tau) for tau in np.linspace(weights.min(), weights.max(), 50)) - 0.02


def replace_tau(decision, tau):
    return type(decision)(decision.clusterer, tau, decision.parameters)


def test_other_parameters_are_chosen_too():
    here = exam()
    options = ({"tau": 0.99}, {"tau": 0.3})
    decision, _ = choose(Links.of(here.graph), here.truth, here.held, "node_intimacy", options)
    assert decision.parameters == {"tau": 0.3}


def test_the_lesson_holds_no_face_of_the_exam():
    here = exam()
    faces, truth = here.lesson()
    assert len(faces) == (~here.held).sum()
    assert len(np.unique(truth)) == truth.max() + 1
    held = {row.tobytes() for row in here.faces.features[here.held]}
    assert not held & {row.tobytes() for row in faces.features}


def test_the_decision_among_clusterers_is_the_better_one():
    here = exam()
    links = Links.of(knn_graph(here.faces, 20))
    each = [here.decide(links, [name], {})[1] for name in ("components", "map_equation")]
    assert here.decide(links, ["components", "map_equation"], {})[1] == max(each)
