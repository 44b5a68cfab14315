from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personae import InputError, knn_graph
from personae.clustering.rank_order import RankOrder
from personae.graph import first_seen
from personae.graph.knn_graph import KnnGraph
from tests.planted import made_faces


def slow_rank_order(features, t, nearest):
    """Full lists of all clusters, both distances of all pairs, merge, again."""
    cosines = (features @ features.T).astype(np.float64)
    apart = np.sqrt((2 - 2 * cosines).clip(0))
    np.fill_diagonal(apart, np.inf)
    around = np.sort(apart, axis=1)[:, : min(nearest, len(features) - 1)].mean(axis=1)
    clusters = [[face] for face in range(len(features))]
    while True:
        d = np.array([[apart[np.ix_(a, b)].min() if a is not b else -1.0 for b in clusters] for a in clusters])
        f = d.argsort(axis=1, kind="stable")  # the cluster itself first
        rank = f.argsort(axis=1)

        def sum_of_ranks(a, b, f=f, rank=rank):
            return sum(rank[b, f[a, i]] for i in range(rank[a, b] + 1))

        parent = list(range(len(clusters)))
        for a, b in combinations(range(len(clusters)), 2):
            rank_order = (sum_of_ranks(a, b) + sum_of_ranks(b, a)) / min(rank[a, b], rank[b, a])
            phi = around[clusters[a] + clusters[b]].mean()
            if rank_order < t and d[a, b] / phi < 1:
                parent = [parent[a] if root == parent[b] else root for root in parent]
        if len(set(parent)) == len(clusters):
            labels = np.empty(len(features), int)
            for number, cluster in enumerate(clusters):
                labels[cluster] = number
            return first_seen(labels)
        clusters = [
            [face for cluster, root in zip(clusters, parent, strict=True) if root == which for face in cluster]
            for which in sorted(set(parent))
        ]


@settings(max_examples=12)
@given(seed=st.integers(0, 9999), t=st.sampled_from([3.0, 6.5, 14.0, 30.0]), nearest=st.integers(1, 12))
def test_clusters_are_those_of_the_definition(seed, t, nearest):
    faces = made_faces([12, 8, 6, 3, 2, *[1] * 9], d=12, spread=0.9, seed=seed)
    graph = knn_graph(faces, len(faces) - 1)
    assert (RankOrder(t, nearest).cluster(graph) == slow_rank_order(faces.features, t, nearest)).all()


@pytest.mark.parametrize("t", [4, 6])
def test_lists_of_t_times_t_less_1_give_what_whole_lists_give(t):
    faces = made_faces([9, 7, 5, 3, *[2] * 10, *[1] * 76], d=12, spread=0.9, seed=2)
    found = RankOrder(t).cluster(knn_graph(faces, 119))  # room for 24 or 60, made anew as entries merge
    assert len(np.unique(found)) > 1
    assert (found == slow_rank_order(faces.features, t, 9)).all()


def test_people_stay_apart_where_lists_are_shorter_than_they_are():
    faces = made_faces([20, 20, 20], spread=0.3, seed=1)
    labels = RankOrder().cluster(knn_graph(faces, 12))
    strangers = faces.truth[:, None] != faces.truth
    assert not (strangers & (labels[:, None] == labels)).any()
    assert labels.max() + 1 < 20


def test_duplicates_join_and_two_strangers_do_not():
    twice = KnnGraph(np.array([[1], [0]], np.int32), np.ones((2, 1), np.float32))
    assert RankOrder().cluster(twice).tolist() == [0, 0]
    assert RankOrder().cluster(twice.linked(np.zeros((2, 1), np.float32))).tolist() == [0, 1]


@pytest.mark.parametrize(
    "bad", [RankOrder(nearest=0), RankOrder(t=-1), RankOrder(t=np.nan), RankOrder(t=np.inf)]
)
def test_parameters_that_cannot_be_are_refused(bad):
    with pytest.raises(InputError, match="nearest"):
        bad.cluster(knn_graph(np.eye(3), 2))


def test_a_large_t_needs_no_more_memory_than_the_lists_have():
    faces = made_faces([12, 8, 6, 3, 2, *[1] * 9], d=12, spread=0.9, seed=0)
    found = RankOrder(1e6).cluster(knn_graph(faces, 39))
    assert (found == slow_rank_order(faces.features, 1e6, 9)).all()
