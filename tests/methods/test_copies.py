"""Many copies of one face are one face, for every method."""

import inspect

import numpy as np
import pytest

from personae import InputError, knn_graph
from personae.data import Constraints, FaceSet
from personae.methods import CDP, METHODS
from personae.methods.dbscan import DBSCAN
from personae.methods.estimator import GraphClusterer
from personae.methods.hac import HAC
from personae.methods.hdbscan import HDBSCAN
from tests.planted import made_faces

FACES = made_faces([20, 12, *[8] * 4, *[4] * 8, *[1] * 24], seed=4)
N = len(FACES)
MANY = {
    "one face": np.r_[np.arange(N), np.full(120, 7)],
    "three faces": np.r_[np.arange(N), np.repeat([3, 30, 41], 100)],
    "all faces": np.r_[np.arange(N), np.arange(N)],
}
every = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
ON_GRAPHS = {name: method for name, method in METHODS.items() if issubclass(method, GraphClusterer)}
TAKES = {
    word: {name: method for name, method in METHODS.items() if word in inspect.signature(method.fit).parameters}
    for word in ("graph", "constraints")
}


@pytest.fixture(scope="module")
def labels_of():
    return {name: method().fit_predict(FACES) for name, method in METHODS.items()}


@pytest.mark.parametrize("of", MANY.values(), ids=MANY)
@pytest.mark.parametrize("name", METHODS)
def test_copies_are_who_their_face_is_and_change_nobody_else(name, of, labels_of):
    assert (METHODS[name]().fit_predict(FACES.take(of)) == labels_of[name][of]).all()


@pytest.mark.parametrize("name", METHODS)
def test_copies_but_for_rounding_are_copies(name, labels_of):
    of = MANY["three faces"]
    noise = 1e-6 * np.random.default_rng(0).normal(size=(len(of), FACES.dimension))
    noise[:N] = 0
    faces = FaceSet((FACES.features[of] + noise).astype(np.float32))
    assert (METHODS[name]().fit_predict(faces) == labels_of[name][of]).all()


@every
def test_what_is_found_out_of_each_face_is_there_for_its_copies(method):
    of = MANY["one face"]
    once, found = method().fit(FACES), method().fit(FACES.take(of))
    for name in found.of_faces:
        assert (getattr(found, name) == getattr(once, name)[..., of]).all()
    for name in found.are_faces:
        assert (getattr(found, name) == getattr(once, name)).all()


@pytest.mark.parametrize("method", [DBSCAN(tau=0.5, min_samples=5), HDBSCAN()], ids=["DBSCAN", "HDBSCAN"])
def test_faces_of_noise_are_alone_with_their_copies(method):
    found = method.fit(np.repeat(np.eye(3), 10, axis=0))
    assert found.noise_.all()
    assert found.labels_.tolist() == np.repeat([0, 1, 2], 10).tolist()


def test_what_is_refused_of_distinct_faces_tells_how_many_there_are():
    told = r"3 faces make 1 to 3 \(copies count once: of 6 faces 3 are distinct\)$"
    for copies in (np.repeat(np.eye(3), 2, axis=0), knn_graph(FaceSet.of(np.repeat(np.eye(3), 2, axis=0)), 5)):
        with pytest.raises(InputError, match=told):
            HAC(n_clusters=5).fit(copies)
    with pytest.raises(InputError, match=r"3 faces make 1 to 3$"):
        HAC(n_clusters=5).fit(np.eye(3))


@pytest.mark.parametrize("name", TAKES["graph"])
def test_a_graph_beside_the_features_changes_nothing(name, labels_of):
    of = MANY["three faces"]
    faces = FACES.take(of)
    found = METHODS[name]().fit(faces, graph=knn_graph(faces, 90)).labels_
    assert (found == labels_of[name][of]).all()


@pytest.mark.parametrize("of", MANY.values(), ids=MANY)
@pytest.mark.parametrize("method", ON_GRAPHS.values(), ids=ON_GRAPHS)
def test_copies_in_a_graph_are_one_person(method, of):
    found = method().fit_predict(knn_graph(FACES.take(of), method().k))
    assert (found == found[:N][of]).all()


@pytest.mark.parametrize("name", TAKES["constraints"])
def test_copies_that_are_known_to_be_two_people_are_two(name):
    of = np.r_[np.arange(N), [7, 7, 9]]
    told = Constraints.of(len(of), together=[[8, N + 2]], apart=[[7, N]])
    found = METHODS[name]().fit(FACES.take(of), constraints=told).labels_
    assert found[7] != found[N]
    assert found[8] == found[9] == found[N + 2]


def test_a_committee_sees_the_same_copies():
    of = np.r_[np.arange(N), 3, 3, 30]
    faces = FACES.take(of)
    for member in (faces, knn_graph(faces, 30)):
        assert (
            CDP().fit(faces, committee=[member]).labels_ == CDP().fit(FACES, committee=[FACES]).labels_[of]
        ).all()
    with pytest.raises(InputError, match="beside"):
        CDP().fit(faces, committee=[FACES])
