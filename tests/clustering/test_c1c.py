import networkx
import numpy as np
import pytest

from personae import Constraints, InputError, knn_graph
from personae.clustering.c1c import constrained_partitions, joined_down
from personae.clustering.finch import first_neighbor_partitions
from personae.graph import first_seen
from tests.clustering.test_constrained import random_constraints
from tests.planted import made_faces


def pairs_of(faces, seed, soft=False):
    """Pairs without groups."""
    held = random_constraints(len(faces), seed, soft)
    return Constraints.of(len(faces), apart=held.apart, weight=held.weight)


def slow_partitions(x, held):
    """Round by round: the closest that may be joined of each cluster, then the closest of those pairs first."""
    x = x.astype(np.float64)
    labels, floor, partitions = np.arange(len(x)), None, []
    weight = np.zeros((len(x), len(x)))
    for (a, b), share in zip(held.apart.tolist(), held.weight.tolist(), strict=True):
        weight[a, b] = weight[b, a] = share
    while True:
        clusters = [np.flatnonzero(labels == c) for c in range(labels.max() + 1)]
        first = {}
        for one, own in enumerate(clusters):
            alike = {}
            for two, others in enumerate(clusters):
                between = weight[np.ix_(own, others)]
                if one != two and not (between == 1).any():
                    means = [x[rows].mean(axis=0) for rows in (own, others)]
                    cosine = means[0] @ means[1] / np.linalg.norm(means[0]) / np.linalg.norm(means[1])
                    alike[two] = cosine * (1 - between.mean()) if cosine > 0 else cosine
            if alike:
                best = max(alike, key=alike.get)
                first[one] = alike[best], best
        floor = min((cosine for cosine, _ in first.values()), default=1.0) if floor is None else floor
        parts = networkx.utils.UnionFind(range(len(clusters)))
        for one, (cosine, two) in sorted(first.items(), key=lambda item: -item[1][0]):
            members = [
                [row for c in range(len(clusters)) if parts[c] == parts[end] for row in clusters[c]]
                for end in (one, two)
            ]
            if cosine >= floor and not (weight[np.ix_(*members)] == 1).any():
                parts.union(one, two)
        joined = first_seen(np.array([parts[label] for label in labels]))
        if partitions and joined.max() == labels.max():
            return partitions
        labels = joined
        partitions.append(labels)
        if labels.max() == 0:
            return partitions


@pytest.mark.parametrize("seed", range(8))
def test_partitions_are_those_of_the_definition(seed):
    faces = made_faces([12, *[5] * 6, *[1] * 12], d=10, spread=[0.4, 1.0][seed % 2], seed=seed)
    held = pairs_of(faces, seed, soft=True)
    found = constrained_partitions(faces.features, held)
    assert found.tolist() == [labels.tolist() for labels in slow_partitions(faces.features, held)]
    assert len(found) > 1


@pytest.mark.parametrize("seed", range(3))
def test_without_pairs_they_are_those_of_finch(seed):
    faces = made_faces([20, *[6] * 12, *[1] * 20], spread=1.0, seed=seed)
    finch = first_neighbor_partitions(faces.features, knn_graph(faces, 1))
    assert (constrained_partitions(faces.features, Constraints.of(len(faces))) == finch).all()


@pytest.mark.parametrize("seed", range(10))
def test_hard_pairs_are_never_joined(seed):
    faces = made_faces([15, *[4] * 8, *[1] * 8], d=5, spread=1.0, seed=seed)
    held = pairs_of(faces, seed)
    partitions = constrained_partitions(faces.features, held)
    for labels in [*partitions, joined_down(faces.features, partitions, held, len(partitions[0]) // 2)]:
        assert (labels[held.hard[:, 0]] != labels[held.hard[:, 1]]).all()


def test_any_number_of_clusters_that_the_pairs_allow():
    faces = made_faces([10, 10, 10], seed=1)
    held = Constraints.of(30, apart=[[0, 1], [1, 2], [0, 2]])
    partitions = constrained_partitions(faces.features, held)
    for clusters in (30, 17, 3):
        assert joined_down(faces.features, partitions, held, clusters).max() + 1 == clusters
    with pytest.raises(InputError, match="2 clusters are asked for"):
        joined_down(faces.features, partitions, held, 2)


def test_nothing_is_joined_where_all_are_apart():
    everyone = [[a, b] for a in range(4) for b in range(a)]
    assert constrained_partitions(np.eye(4, dtype=np.float32), Constraints.of(4, apart=everyone)).tolist() == [
        [0, 1, 2, 3]
    ]


def test_soft_pairs_keep_clusters_apart_for_longer():
    features = np.array([[1, 0, 0], [0.95, 0.3, 0], [0, 1, 0.2], [0, 1, -0.4]], dtype=np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    alone = np.arange(4)[None]
    free, held = Constraints.of(4), Constraints.of(4, apart=[[0, 1]], weight=0.9)
    assert joined_down(features, alone, free, 3).tolist() == [0, 0, 1, 2]
    assert joined_down(features, alone, held, 3).tolist() == [0, 1, 2, 2]
