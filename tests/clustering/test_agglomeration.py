import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personae import InputError, knn_graph
from personae.clustering import Components
from personae.clustering import agglomeration as module
from personae.clustering.agglomeration import Agglomeration
from personae.graph import first_seen
from tests.graph.test_links import random_lists
from tests.planted import made_faces

every = pytest.mark.parametrize("linkage", ["single", "average", "complete"])


@given(n=st.integers(1, 30), k=st.integers(0, 5), tau=st.floats(-0.5, 0.9), seed=st.integers(0, 999))
def test_single_linkage_cut_at_tau_is_the_components(n, k, tau, seed):
    graph = random_lists(n, k, 0.8, seed)
    assert (Agglomeration(tau).cluster(graph) == Components(tau).cluster(graph)).all()


@every
@pytest.mark.parametrize("cut", [{"tau": 0.5}, {"tau": 0.0, "n_clusters": 40}], ids=str)
def test_a_graph_of_all_pairs_gives_what_all_pairs_give(linkage, cut):
    faces = made_faces([30, 12, *[5] * 10, *[1] * 30], spread=0.8)
    way = Agglomeration(**cut, linkage=linkage)
    labels = way.cluster(knn_graph(faces, len(faces) - 1))
    assert (labels == way.cluster_all_pairs(faces.features)).all()
    if "n_clusters" in cut:
        assert labels.max() + 1 == 40


@every
def test_one_and_two_faces_are_no_trouble(linkage):
    one, two = np.ones((1, 3), np.float32) / np.sqrt(3, dtype=np.float32), np.eye(2, dtype=np.float32)
    assert Agglomeration(0.5, linkage).cluster_all_pairs(one).tolist() == [0]
    assert Agglomeration(0.5, linkage).cluster_all_pairs(two).tolist() == [0, 1]
    assert Agglomeration(-0.5, linkage).cluster_all_pairs(two).tolist() == [0, 0]
    assert Agglomeration(0.5, linkage).cluster(knn_graph(one)).tolist() == [0]


def test_complete_linkage_never_joins_faces_without_a_link(planted):
    graph = knn_graph(planted, 6)
    labels = Agglomeration(-1.0, "complete").cluster(graph)
    assert labels.max() > 0
    for cluster in range(labels.max() + 1):
        faces = np.flatnonzero(labels == cluster)
        for a in faces:
            for b in faces:
                assert a == b or b in graph.neighbors[a] or a in graph.neighbors[b]


@every
@pytest.mark.parametrize("on_graph", [True, False])
def test_a_permutation_permutes_the_labels_in_crowded_data(linkage, on_graph):
    faces = made_faces([30, 12, *[5] * 10, *[1] * 30], spread=1.2, d=16)
    order = np.random.default_rng(3).permutation(len(faces))
    way = Agglomeration(0.4, linkage)

    def found(some):
        return way.cluster(knn_graph(some, 12)) if on_graph else way.cluster_all_pairs(some.features)

    assert (first_seen(found(faces.take(order))) == first_seen(found(faces)[order])).all()


def test_what_cannot_be_is_refused(planted, monkeypatch):
    with pytest.raises(InputError, match="linkage is 'ward'"):
        Agglomeration(0.5, "ward")
    with pytest.raises(InputError, match="tau is nan"):
        Agglomeration(np.nan)
    monkeypatch.setattr(module, "MOST", 279)
    with pytest.raises(InputError, match="280 faces are too many"):
        Agglomeration(0.5).cluster_all_pairs(planted.features)
