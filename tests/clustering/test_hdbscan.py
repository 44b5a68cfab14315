import numpy as np
import pytest
from sklearn.cluster import HDBSCAN as Reference  # noqa: N811
from sklearn.metrics import adjusted_rand_score

from personae import InputError, knn_graph
from personae.clustering.hdbscan import ExcessOfMass
from personae.graph import KnnGraph, first_seen
from tests.planted import made_faces


def small_faces(seed):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 20, rng.integers(4, 12)).tolist()
    return made_faces(sizes, d=int(rng.integers(4, 16)), spread=0.8, seed=seed)


def of_scikit_learn(graph, min_cluster_size, min_samples, order=None):
    n = len(graph)
    order = np.arange(n) if order is None else order
    distance = np.zeros((n, n))
    np.put_along_axis(distance, graph.neighbors.astype(np.int64), 1 - graph.similarities.astype(np.float64), 1)
    theirs = np.empty(n, dtype=np.int64)
    theirs[order] = (
        Reference(min_cluster_size=min_cluster_size, min_samples=min_samples, metric="precomputed", copy=True)
        .fit(distance[np.ix_(order, order)])
        .labels_
    )
    return first_seen(np.where(theirs < 0, n + np.arange(n), theirs)), theirs < 0


@pytest.mark.parametrize("min_cluster_size", [2, 4, 8])
@pytest.mark.parametrize("seed", range(6))
def test_labels_and_noise_are_those_of_scikit_learn_where_no_two_levels_are_equal(seed, min_cluster_size):
    faces = small_faces(seed)
    graph = knn_graph(faces, len(faces) - 1)
    labels, noise = ExcessOfMass(min_cluster_size, 1).cluster_and_noise(graph)
    theirs, their_noise = of_scikit_learn(graph, min_cluster_size, 1)
    assert (labels == theirs).all()
    assert (noise == their_noise).all()


@pytest.mark.parametrize("min_samples", [3, 5])
def test_where_levels_are_equal_scikit_learn_agrees_as_much_as_with_itself(min_samples):
    """Core similarities make ties; scikit-learn breaks them by the order of the rows, the paper does not."""
    rng = np.random.default_rng(0)
    ours, theirs = [], []
    for seed in range(10):
        faces = small_faces(seed)
        graph = knn_graph(faces, len(faces) - 1)
        labels = ExcessOfMass(min_samples).cluster(graph)
        runs = [
            of_scikit_learn(graph, min_samples, min_samples, rng.permutation(len(faces)))[0] for _ in range(4)
        ]
        ours += [adjusted_rand_score(labels, run) for run in runs]
        theirs += [adjusted_rand_score(runs[0], run) for run in runs[1:]]
    assert np.mean(ours) > 0.95
    assert np.mean(ours) > np.mean(theirs) - 0.02


def test_parts_that_nothing_joins_are_people_of_their_own():
    faces = made_faces([12, 9, 7, 1, 1], spread=0.4)
    graph = knn_graph(faces, 11).at_least(0.5)
    labels, noise = ExcessOfMass(5).cluster_and_noise(graph)
    assert (first_seen(faces.truth) == labels).all()
    assert noise.sum() == 2


def test_people_of_very_different_density_are_found_where_no_threshold_finds_them():
    rng = np.random.default_rng(0)
    tight = np.eye(24)[0] + 0.02 * rng.normal(size=(15, 24))
    beside = tight[0] + 0.3 * np.eye(24)[1] + 0.02 * rng.normal(size=(15, 24))
    loose = np.eye(24)[2] + 0.25 * rng.normal(size=(20, 24))
    labels = ExcessOfMass(5).cluster(knn_graph(np.vstack([tight, beside, loose]), 49))
    assert [len(set(labels[part])) for part in (slice(0, 15), slice(15, 30), slice(30, 50))] == [1, 1, 1]
    assert len(set(labels)) == 3


def test_equal_faces_do_not_break_the_densities():
    faces = np.repeat(np.eye(6), 8, axis=0)
    labels, noise = ExcessOfMass(5).cluster_and_noise(knn_graph(faces))
    assert labels.tolist() == np.repeat(np.arange(6), 8).tolist()
    assert not noise.any()


@pytest.mark.parametrize("min_samples", [1, 5])
def test_a_permutation_permutes_labels_and_noise_in_crowded_data(min_samples):
    faces = made_faces([30, 12, *[7] * 10, *[1] * 30], spread=1.2, d=16)
    order = np.random.default_rng(3).permutation(len(faces))
    way = ExcessOfMass(5, min_samples)
    labels, noise = way.cluster_and_noise(knn_graph(faces, 12))
    moved, moved_noise = way.cluster_and_noise(knn_graph(faces.take(order), 12))
    assert labels.max() < len(faces) - 1
    assert (first_seen(moved) == first_seen(labels[order])).all()
    assert (moved_noise == noise[order]).all()


def test_faces_without_links_are_noise():
    nobody = KnnGraph(np.full((4, 2), -1, np.int32), np.zeros((4, 2), np.float32))
    labels, noise = ExcessOfMass(2).cluster_and_noise(nobody)
    assert labels.tolist() == [0, 1, 2, 3]
    assert noise.all()


def test_a_person_of_one_face_is_refused():
    with pytest.raises(InputError, match="min_cluster_size is 1"):
        ExcessOfMass(1)
