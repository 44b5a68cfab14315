"""Every way to a dendrogram against SciPy's, and against the greedy search written slowly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from personae import InputError
from personae.graph import first_seen, knn_graph
from personae.graph import merges_of_links as module
from personae.graph.all_pairs import all_cosines, content_order, merges_of_pairs
from personae.graph.links import symmetric_links
from personae.graph.merges import Merges
from personae.graph.merges_of_links import merges_of_links
from personae.graph.spanning import spanning_forest, spanning_tree
from tests.graph.test_links import random_lists, slow_links
from tests.planted import made_faces


def of_scipy(features, name):
    distance = 1 - (features.astype(np.float64) @ features.T.astype(np.float64))
    np.fill_diagonal(distance, 0)
    return linkage(squareform(distance, checks=False), name)


def by_pairs(features, name):
    return spanning_tree(features) if name == "single" else merges_of_pairs(all_cosines(features), name)


@pytest.mark.parametrize("name", ["single", "average", "complete"])
@pytest.mark.parametrize("seed", range(4))
def test_all_pairs_give_the_dendrogram_of_scipy(name, seed):
    features = made_faces([20, 9, *[4] * 12, *[1] * 30], d=12, spread=1.0, seed=seed).features
    theirs = of_scipy(features, name)
    merges = by_pairs(features, name)
    assert np.abs(1 - merges.similarity - theirs[:, 2]).max() < 1e-6
    for tau in (0.2, 0.5, 0.7):
        assert (merges.at_least(tau) == first_seen(fcluster(theirs, 1 - tau, "distance"))).all()
    for clusters in (1, 7, 40, len(features)):
        assert (merges.into(clusters) == first_seen(fcluster(theirs, clusters, "maxclust"))).all()


@pytest.mark.parametrize("name", ["single", "average", "complete"])
@pytest.mark.parametrize("seed", range(4))
def test_a_graph_of_all_pairs_gives_the_dendrogram_of_scipy(name, seed):
    faces = made_faces([20, 9, *[4] * 12, *[1] * 30], d=12, spread=1.0, seed=seed)
    links = symmetric_links(knn_graph(faces, len(faces) - 1))
    merges = spanning_forest(links) if name == "single" else merges_of_links(links, name)
    theirs = of_scipy(faces.features, name)
    assert np.abs(1 - merges.similarity - theirs[:, 2]).max() < 1e-6
    assert (links.of_faces(merges.at_least(0.5)) == first_seen(fcluster(theirs, 0.5, "distance"))).all()


def greedy(n, links, complete):
    """The best pair of clusters, again and again, each similarity computed anew from all links."""
    clusters = [{face} for face in range(n)]
    merges = []
    while True:
        best = None
        for x, a in enumerate(clusters):
            for y, b in enumerate(clusters[:x]):
                known = [links[min(i, j), max(i, j)] for i in a for j in b if (min(i, j), max(i, j)) in links]
                if known and (not complete or len(known) == len(a) * len(b)):
                    similarity = min(known) if complete else float(np.mean(known))
                    if best is None or similarity > best[0]:
                        best = similarity, x, y
        if best is None:
            return merges, clusters
        merges.append(best[0])
        clusters[best[2]] |= clusters[best[1]]
        del clusters[best[1]]


@given(
    n=st.integers(2, 18),
    k=st.integers(1, 5),
    complete=st.booleans(),
    seed=st.integers(0, 9999),
    full=st.booleans(),
)
def test_links_alone_are_joined_as_the_greedy_search_does(n, k, complete, seed, full):
    graph = random_lists(n, n if full else k, 0.8, seed)
    links = symmetric_links(graph)
    merges = merges_of_links(links, "complete" if complete else "average")
    similarities, clusters = greedy(n, slow_links(graph, -np.inf), complete)
    assert merges.similarity == pytest.approx(similarities, abs=1e-9)
    labels = links.of_faces(merges.at_least(-np.inf))
    assert sorted(sorted(c) for c in clusters) == sorted(
        np.flatnonzero(labels == c).tolist() for c in range(labels.max() + 1)
    )


@pytest.mark.parametrize("name", ["average", "complete"])
def test_joining_down_to_tau_only_leaves_out_what_lies_below(name):
    links = symmetric_links(knn_graph(made_faces([20, 9, *[4] * 12, *[1] * 30], d=12, spread=1.0), 15))
    whole, part = merges_of_links(links, name), merges_of_links(links, name, 0.4)
    assert 0 < len(part.a) < len(whole.a)
    assert (part.similarity == whole.similarity[: len(part.a)]).all()
    assert (part.at_least(0.4) == whole.at_least(0.4)).all()


@pytest.mark.parametrize("name", ["average", "complete"])
@pytest.mark.parametrize("clusters", [1, 30, 55, 71, 90])
def test_joining_down_to_so_many_clusters_leaves_out_the_later_merges_only(name, clusters):
    links = symmetric_links(knn_graph(made_faces([20, 9, *[4] * 12, *[1] * 30], d=12, spread=1.0), 15))
    whole, part = merges_of_links(links, name), merges_of_links(links, name, clusters=clusters)
    assert len(part.a) == min(len(links) - clusters, len(whole.a))
    assert (part.similarity == whole.similarity[: len(part.a)]).all()
    assert (part.at_least(-np.inf) == whole.into(max(clusters, len(links) - len(whole.a)))).all()


def test_a_full_table_is_written_anew_without_a_trace(monkeypatch):
    links = symmetric_links(knn_graph(made_faces([30, 20, *[6] * 20], spread=1.0), 40))
    expected = merges_of_links(links, "average")
    written = []

    def tight(pairs, n, complete):
        table = filled(pairs, n, complete)
        monkeypatch.setattr(module, "FULL", (len(pairs[0]) + 20) / len(table.key))
        return table

    filled, anew = module._filled.py_func, module._anew.py_func
    monkeypatch.setattr(module, "_filled", tight)
    monkeypatch.setattr(module, "_anew", lambda *given: written.append(1) or anew(*given))
    for name in ("_best", "_handed_over", "_slot", "_key", "_similarity", "root_of"):
        monkeypatch.setattr(module, name, getattr(module, name).py_func)
    monkeypatch.setattr(module, "_joined", module._joined.py_func)
    with np.errstate(over="ignore"):
        slow = merges_of_links(links, "average")
    assert len(written) > 1
    assert (slow.a == expected.a).all()
    assert slow.similarity == pytest.approx(expected.similarity, abs=1e-12)


def test_cosines_of_all_pairs_are_those_of_the_graph_to_the_bit(planted):
    cosines = all_cosines(planted.features)
    graph = knn_graph(planted, 20)
    assert (np.take_along_axis(cosines, graph.neighbors.astype(np.int64), axis=1) == graph.similarities).all()
    assert (cosines == cosines.T).all()
    assert (np.diag(cosines) == -np.inf).all()


def test_the_order_by_content_follows_the_faces(planted):
    shuffle = np.random.default_rng(0).permutation(len(planted))
    order = content_order(planted.features)
    assert (shuffle[content_order(planted.features[shuffle])] == order).all()


def test_a_cut_that_nothing_reaches_is_refused():
    two_pairs = Merges.of(4, np.array([2, 0]), np.array([3, 1]), np.array([0.5, 0.9]))
    assert two_pairs.into(3).tolist() == [0, 0, 1, 2]
    assert two_pairs.into(2).tolist() == [0, 0, 1, 1]
    for clusters, says in ((1, "raise k"), (0, "1 to 4"), (5, "1 to 4")):
        with pytest.raises(InputError, match=says):
            two_pairs.into(clusters)
