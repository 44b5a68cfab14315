import numpy as np
import pytest

from personae import InputError, evaluate, knn_graph
from personae.clustering import agglomeration
from personae.methods import hac as module
from personae.methods.hac import HAC

every = pytest.mark.parametrize("linkage", ["single", "average", "complete"])


@pytest.mark.parametrize(("linkage", "tau"), [("single", 0.5), ("average", 0.4), ("complete", 0.4)])
def test_planted_people_are_found(planted, linkage, tau):
    assert evaluate(planted.truth, HAC(linkage, tau=tau).fit_predict(planted)).bcubed.f > 0.97


@every
def test_a_number_of_clusters_is_reached(planted, linkage):
    people = planted.truth.max() + 1
    labels = HAC(linkage, n_clusters=people).fit_predict(planted)
    assert labels.max() + 1 == people
    assert evaluate(planted.truth, labels).bcubed.f > 0.97


@every
def test_more_faces_than_all_pairs_are_looked_at_for_go_over_the_graph(planted, linkage, monkeypatch):
    monkeypatch.setattr(module, "MOST", 279)
    monkeypatch.setattr(agglomeration, "MOST", 279)
    method = HAC(linkage, tau=0.5, k=12)
    assert (method.fit_predict(planted) == method.fit_predict(knn_graph(planted, 12))).all()


def test_average_linkage_keeps_apart_what_a_chain_joins():
    a, b = np.eye(8)[0], np.eye(8)[1]
    path = [np.cos(t) * a + np.sin(t) * b for t in np.linspace(0, np.pi / 2, 9)]
    rows = np.vstack([[a] * 6, path, [b] * 6])
    assert HAC("single", tau=0.9).fit_predict(rows).max() == 0
    assert HAC("average", tau=0.9).fit_predict(rows).max() > 1
    assert HAC("complete", tau=0.9).fit_predict(rows).max() > 1


def test_links_that_cannot_join_so_many_are_refused_in_one_line(planted):
    graph = knn_graph(planted, 3)
    with pytest.raises(InputError, match="raise k") as refusal:
        HAC("complete", n_clusters=1, k=3).fit(graph)
    assert "\n" not in str(refusal.value)
    with pytest.raises(InputError, match="281 clusters are asked for"):
        HAC(n_clusters=281).fit(planted)
    with pytest.raises(InputError, match="linkage is 'ward'"):
        HAC("ward").fit(planted)


@pytest.mark.data
@pytest.mark.parametrize(("embedder", "tau", "bcubed"), [("sface", 0.44, 0.97), ("dlib", 0.93, 0.89)])
def test_average_linkage_holds_on_a_long_tail(shared, embedder, tau, bcubed):
    with np.load(shared / "data" / f"lfw.{embedder}.npz", allow_pickle=False) as file:
        score = evaluate(file["y"], HAC("average", tau=tau).fit_predict(file["X"]))
    assert score.bcubed.f >= bcubed
    assert score.pairwise.f >= 0.95


@pytest.mark.data
def test_single_linkage_on_real_faces_is_the_components_of_the_graph(shared):
    with np.load(shared / "data" / "train.sface.npz", allow_pickle=False) as file:
        rows = file["X"][:4000]
    assert (HAC(tau=0.55).fit_predict(rows) == HAC(tau=0.55).fit_predict(knn_graph(rows))).all()
