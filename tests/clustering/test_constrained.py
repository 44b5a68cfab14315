"""Hard constraints are never broken, and the clusters are those of the plain definition."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import personae
from personae import Constraints, InputError, knn_graph
from personae.clustering import Agglomeration, Components, MapEquation
from personae.graph import KnnGraph, first_seen
from personae.methods import C1C, FCES, HAC, Auto, FaceMap, Threshold
from tests.graph.test_links import random_lists
from tests.planted import made_faces

CLUSTERERS = {
    "components": Components(0.2),
    "map_equation": MapEquation(),
    **{linkage: Agglomeration(0.2, linkage) for linkage in ("single", "average", "complete")},
}
METHODS = {
    "auto": Auto(),
    "c1c": C1C(),
    "facemap": FaceMap(30),
    "fces": FCES(),
    "hac": HAC("average", 0.3),
    "threshold": Threshold(0.3),
}
every = pytest.mark.parametrize("clusterer", CLUSTERERS.values(), ids=CLUSTERERS)


def random_constraints(n, seed, soft=False):
    """Some groups, and pairs that do not contradict them."""
    rng = np.random.default_rng(seed)
    groups = np.split(rng.permutation(n)[: n // 2], np.sort(rng.integers(0, n // 2 + 1, n // 5)))
    group = Constraints.of(n, groups).group
    pairs = rng.integers(0, n, (rng.integers(0, n), 2))
    pairs = pairs[group[pairs[:, 0]] != group[pairs[:, 1]]]
    weight = np.where(rng.random(len(pairs)) < 0.5, 1, 0.5) if soft else 1.0
    return Constraints.of(n, groups, pairs, weight)


def assert_held(labels, held):
    assert (labels[held.hard[:, 0]] != labels[held.hard[:, 1]]).all()
    for group in range(held.group.max() + 1):
        assert len(set(labels[held.group == group].tolist())) == 1
    assert (first_seen(labels) == labels).all()


def defined(similarity, held, linkage, tau):
    """Greedy agglomeration by looking at every pair of clusters at each step; NaN is a pair without a link."""
    similarity = similarity.copy()
    for (a, b), weight in zip(*held.soft(), strict=True):
        if similarity[a, b] > 0:
            similarity[a, b] = similarity[b, a] = similarity[a, b] * (1 - weight)
    clusters = [np.flatnonzero(held.group == group).tolist() for group in range(held.group.max() + 1)]
    hard = {frozenset(pair) for pair in held.hard.tolist()}

    def alike(one, other):
        if any(frozenset((a, b)) in hard for a in one for b in other):
            return -np.inf
        block = similarity[np.ix_(one, other)]
        known = block[~np.isnan(block)]
        if not known.size or (linkage == "complete" and known.size < block.size):
            return -np.inf
        return {"single": np.max, "average": np.mean, "complete": np.min}[linkage](known)

    while len(clusters) > 1:
        best, one, other = max((alike(x, y), i, j) for (i, x), (j, y) in combinations(enumerate(clusters), 2))
        if best < tau or best == -np.inf:
            break
        clusters[one] += clusters.pop(other)
    labels = np.empty(len(similarity), int)
    for number, cluster in enumerate(clusters):
        labels[cluster] = number
    return first_seen(labels)


def random_similarity(n, known, seed):
    rng = np.random.default_rng(seed)
    values = np.triu(rng.uniform(-1, 1, (n, n)), 1).astype(np.float32)
    values[rng.random((n, n)) > known] = np.nan
    values = np.triu(values, 1) + np.triu(values, 1).T
    np.fill_diagonal(values, np.nan)
    return values


def as_graph(similarity):
    n = len(similarity)
    filled = np.where(np.isnan(similarity), -np.inf, similarity)
    order = np.argsort(-filled, axis=1, kind="stable")[:, : n - 1].astype(np.int32)
    values = np.take_along_axis(filled, order, axis=1)
    return KnnGraph(
        np.where(np.isfinite(values), order, -1).astype(np.int32),
        np.where(np.isfinite(values), values, 0).astype(np.float32),
    )


@pytest.mark.parametrize("linkage", ["single", "average", "complete"])
@settings(max_examples=50)
@given(n=st.integers(2, 14), known=st.sampled_from([0.5, 1.0]), seed=st.integers(0, 9999))
def test_links_under_constraints_give_the_clusters_of_the_definition(linkage, n, known, seed):
    similarity, held = random_similarity(n, known, seed), random_constraints(n, seed, soft=True)
    tau = np.random.default_rng(seed).uniform(-0.3, 0.5)
    expected = defined(similarity.astype(np.float64), held, linkage, tau)
    graph = as_graph(similarity)
    assert (Agglomeration(tau, linkage).cluster(graph, held) == expected).all()
    if linkage == "single":
        assert (Components(tau).cluster(graph, held) == expected).all()


@pytest.mark.parametrize("linkage", ["single", "average", "complete"])
@settings(max_examples=50)
@given(n=st.integers(2, 14), seed=st.integers(0, 9999))
def test_all_pairs_under_constraints_give_the_clusters_of_the_definition(linkage, n, seed):
    rng = np.random.default_rng(seed)
    features = personae.FaceSet.of(rng.normal(size=(n, 4))).features
    held = random_constraints(n, seed, soft=True)
    expected = defined((features @ features.T).astype(np.float64), held, linkage, 0.1)
    assert (Agglomeration(0.1, linkage).cluster_all_pairs(features, held) == expected).all()


@every
@settings(max_examples=50)
@given(n=st.integers(5, 60), k=st.integers(1, 8), seed=st.integers(0, 9999))
def test_hard_constraints_are_never_broken(clusterer, n, k, seed):
    held = random_constraints(n, seed)
    graph = random_lists(n, min(k, n - 1), 0.9, seed)
    graph = graph.linked(np.abs(graph.similarities))
    assert_held(clusterer.cluster(graph, held), held)


@every
def test_no_constraints_change_nothing(clusterer, planted):
    graph = knn_graph(planted, 20).at_least(0.2)
    assert (clusterer.cluster(graph, Constraints.of(len(planted))) == clusterer.cluster(graph)).all()


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_every_constrained_method_holds_them(method, planted):
    held = random_constraints(len(planted), 3)
    assert_held(method.fit(planted, constraints=held).labels_, held)
    with pytest.raises(InputError, match="constraints are of 3 faces and there are 280"):
        method.fit(planted, constraints=Constraints.of(3))


def test_the_order_of_the_faces_does_not_matter():
    faces = made_faces([20, 12, *[5] * 6, *[1] * 15], spread=1.0)
    held = random_constraints(len(faces), 5, soft=True)
    order = np.random.default_rng(1).permutation(len(faces))
    place = np.argsort(order)
    moved = Constraints.of(
        len(faces),
        [place[held.group == group] for group in range(held.group.max() + 1)],
        place[held.apart],
        held.weight,
    )
    for clusterer in CLUSTERERS.values():
        graphs = (knn_graph(some, 15).at_least(0.15) for some in (faces, faces.take(order)))
        one, other = (clusterer.cluster(graph, c) for graph, c in zip(graphs, (held, moved), strict=True))
        assert (first_seen(one[order]) == other).all()


def test_a_soft_pair_is_joined_only_by_others():
    ring = np.array([[1, 2], [0, 2], [0, 1]], np.int32)
    graph = KnnGraph(ring, np.full((3, 2), 0.6, np.float32))
    soft = Constraints.of(3, apart=[[0, 1]], weight=0.9)
    assert Components(0.5).cluster(graph, soft).tolist() == [0, 0, 0]  # by way of face 2
    two = KnnGraph(np.array([[1], [0]], np.int32), np.full((2, 1), 0.6, np.float32))
    assert Components(0.5).cluster(two, Constraints.of(2, apart=[[0, 1]], weight=0.9)).tolist() == [0, 1]


def test_the_default_method_takes_them(planted):
    held = Constraints.of(len(planted), apart=np.array([np.flatnonzero(planted.truth == 0)[:2]]))
    labels = personae.cluster(planted, constraints=held)
    a, b = held.apart[0]
    assert labels[a] != labels[b]
    assert personae.cluster(planted)[a] == personae.cluster(planted)[b]


def test_infomap_takes_none(planted):
    with pytest.raises(InputError, match="infomap takes no constraints"):
        MapEquation(search="infomap").cluster(knn_graph(planted, 5), Constraints.of(len(planted)))
