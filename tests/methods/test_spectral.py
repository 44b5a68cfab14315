import numpy as np
import pytest
from scipy.linalg import eigh, qr, svd

from personae import InputError, evaluate, knn_graph
from personae.graph import first_seen
from personae.methods import spectral as module
from personae.methods.spectral import Spectral
from tests.planted import made_faces


def labels_by_definition(features, wanted, k):
    """Dense: the normalised Laplacian's first eigenvectors, then pivoted QR and the nearest rotation."""
    graph, n = knn_graph(features, k), len(features)
    weights = np.zeros((n, n))
    for face in range(n):
        for other, cosine in zip(graph.neighbors[face], graph.similarities[face], strict=True):
            weights[face, other] += max(cosine, 0)
            weights[other, face] += max(cosine, 0)
    scale = 1 / np.sqrt(weights.sum(axis=1))
    _, vectors = eigh(np.eye(n) - scale[:, None] * weights * scale)
    embedded = vectors[:, :wanted] * scale[:, None]
    pivots = qr(embedded.T, pivoting=True)[2][:wanted]
    left, _, right = svd(embedded[pivots].T)
    return np.abs(embedded @ left @ right).argmax(axis=1)


@pytest.mark.parametrize("wanted", [3, 6, 9])
def test_labels_are_those_of_the_dense_computation(wanted):
    faces = made_faces([20, 15, 12, 10, 8, 5], spread=0.8, seed=2)
    expected = labels_by_definition(faces.features, wanted, 10)
    assert (Spectral(n_clusters=wanted, k=10).fit_predict(faces) == first_seen(expected)).all()


def test_people_are_found_where_their_number_is_known():
    faces = made_faces([15] * 12, seed=1)
    assert evaluate(faces.truth, Spectral(n_clusters=12, k=10).fit_predict(faces)).bcubed.f > 0.97


def test_a_face_without_a_link_is_alone_and_counts():
    pairs = np.repeat(np.eye(4), [3, 3, 3, 1], axis=0)
    assert Spectral(n_clusters=4, k=2).fit_predict(pairs).tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]


def test_one_cluster_holds_all(planted):
    assert Spectral(n_clusters=1).fit(planted).labels_.max() == 0


def test_too_many_faces_are_told_what_to_use(monkeypatch, planted):
    monkeypatch.setattr(module, "MOST_FACES", 100)
    with pytest.raises(InputError, match="at most 100; use FaceMap"):
        Spectral().fit(planted)


def test_no_clusters_are_refused(planted):
    with pytest.raises(InputError, match="-2 clusters are asked for"):
        Spectral(n_clusters=-2).fit(planted)
