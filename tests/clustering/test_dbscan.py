import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn.cluster import DBSCAN as Reference  # noqa: N811

from personae import InputError, knn_graph
from personae.clustering import Components
from personae.clustering.dbscan import DensityReach
from personae.graph import first_seen
from tests.graph.test_links import random_lists, slow_links
from tests.planted import made_faces


@given(
    n=st.integers(1, 40),
    k=st.integers(0, 6),
    tau=st.floats(0, 0.8),
    min_samples=st.integers(1, 6),
    seed=st.integers(0, 999),
)
def test_cores_people_and_noise_are_those_of_scikit_learn(n, k, tau, min_samples, seed):
    graph = random_lists(n, k, 0.9, seed)
    pairs = slow_links(graph, tau)
    rows, columns = np.array(list(pairs), dtype=np.int32).reshape(-1, 2).T
    distances = 1 - np.array(list(pairs.values()), dtype=np.float64)
    half = csr_array((distances, (rows, columns)), shape=(n, n))
    whole = (half + half.T).tocsr()
    whole.setdiag(0)
    theirs = Reference(eps=1 - tau + 1e-9, min_samples=min_samples, metric="precomputed").fit(whole)
    labels, noise = DensityReach(tau, min_samples).cluster_and_noise(graph)
    assert (noise == (theirs.labels_ < 0)).all()
    cores = theirs.core_sample_indices_
    assert (first_seen(labels[cores]) == first_seen(theirs.labels_[cores])).all()
    for face in set(range(n)) - set(cores.tolist()):  # a border belongs to its closest core, or is alone
        near = {
            sum(pair) - face: s for pair, s in pairs.items() if face in pair and sum(pair) - face in set(cores)
        }
        if near:
            assert labels[face] in {labels[core] for core in near if near[core] == max(near.values())}
        else:
            assert (labels == labels[face]).sum() == 1


def test_one_sample_makes_components(planted):
    graph = knn_graph(planted, 20)
    labels, noise = DensityReach(0.5).cluster_and_noise(graph)
    assert (labels == Components(0.5).cluster(graph)).all()
    assert not noise.any()


def test_duplicates_are_neighbors():
    faces = np.repeat(np.eye(4), 3, axis=0)
    labels, noise = DensityReach(0.9, 3).cluster_and_noise(knn_graph(faces))
    assert labels.tolist() == np.repeat(np.arange(4), 3).tolist()
    assert not noise.any()


@pytest.mark.parametrize("min_samples", [1, 3, 6])
def test_a_permutation_permutes_labels_and_noise_in_crowded_data(min_samples):
    faces = made_faces([30, 12, *[5] * 10, *[1] * 30], spread=1.2, d=16)
    order = np.random.default_rng(3).permutation(len(faces))
    way = DensityReach(0.5, min_samples)
    labels, noise = way.cluster_and_noise(knn_graph(faces, 12))
    moved, moved_noise = way.cluster_and_noise(knn_graph(faces.take(order), 12))
    assert (first_seen(moved) == first_seen(labels[order])).all()
    assert (moved_noise == noise[order]).all()
    assert (way.cluster(knn_graph(faces, 12)) == labels).all()


def test_what_cannot_be_is_refused():
    with pytest.raises(InputError, match="min_samples is 0"):
        DensityReach(0.5, 0)
    with pytest.raises(InputError, match="tau is inf"):
        DensityReach(np.inf)
