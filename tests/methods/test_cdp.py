import numpy as np
import pytest

from personae import InputError, evaluate, knn_graph
from personae.data import FaceSet
from personae.graph import KnnGraph
from personae.methods.cdp import CDP
from tests.planted import made_faces


def seen_by_another_model(faces, seed):
    """The same faces with errors of another model's own."""
    noise = np.random.default_rng(seed).normal(size=faces.features.shape) / 8
    return FaceSet.of(faces.features + 0.7 * noise)


def test_planted_people_are_found_and_kept_apart(planted):
    score = evaluate(planted.truth, CDP(tau=0.5).fit_predict(planted))
    assert score.bcubed.f > 0.97


def test_a_committee_forgives_a_threshold_that_is_too_low():
    faces = made_faces([10] * 30, spread=0.7, seed=5)
    committee = [seen_by_another_model(faces, seed) for seed in range(3)]
    alone = evaluate(faces.truth, CDP(tau=0.4).fit(faces).labels_)
    together = evaluate(faces.truth, CDP(tau=0.4).fit(faces, committee=committee).labels_)
    assert together.pairwise.precision > alone.pairwise.precision + 0.3
    assert together.pairwise.f > alone.pairwise.f + 0.3


def test_members_may_be_graphs_and_are_cut_to_k(planted):
    other = seen_by_another_model(planted, 0)
    labels = CDP(tau=0.4, k=10).fit(planted, committee=[other]).labels_
    graphs = CDP(tau=0.4, k=10).fit(knn_graph(planted, 40), committee=[knn_graph(other, 30)]).labels_
    assert (labels == graphs).all()


def test_no_person_has_more_faces_than_allowed(planted):
    assert np.bincount(CDP(tau=0.3, max_size=15).fit_predict(planted)).max() <= 15


@pytest.mark.parametrize("as_base", [False, True])
def test_graphs_that_are_no_lists_of_k_others_are_refused(planted, as_base):
    lists = knn_graph(planted, 10)
    itself = KnnGraph(lists.neighbors.copy(), lists.similarities)
    itself.neighbors[:, 0] = np.arange(len(planted))
    for graph, k, says in ((lists, 11, "search that many"), (itself, 10, "own neighbor")):
        base, other = (graph, planted) if as_base else (planted, graph)
        with pytest.raises(InputError, match=says):
            CDP(k=k).fit(base, committee=[other])


def test_a_committee_of_other_faces_is_refused(planted):
    with pytest.raises(InputError, match="committee"):
        CDP().fit(planted, committee=[np.eye(3)])
