"""What holds for each method, found through the table."""

from dataclasses import replace
from functools import cache
from inspect import signature

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score

from personae import Constraints, InputError, knn_graph
from personae.data import FaceSet
from personae.graph import KnnGraph, first_seen
from personae.methods import METHODS
from personae.methods.estimator import ConstrainedClusterer, GraphClusterer
from personae.scale.recipes import threshold_recipe
from tests.threads import threads

every = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
WITH_LISTS = {name: method for name, method in METHODS.items() if "k" in method().get_params()}
ON_GRAPHS = {name: method for name, method in METHODS.items() if issubclass(method, GraphClusterer)}
BESIDE = {name: method for name, method in METHODS.items() if "graph" in signature(method.fit).parameters}
PROXIMITY = "pahc"  # its tau has no bounds
WITH_TAU = {
    name: method for name, method in METHODS.items() if "tau" in method().get_params() and name != PROXIMITY
}
OVERLAP = "density_peaks"  # its tau is no cosine of the graph
AT_A_COSINE = {name: method for name, method in ON_GRAPHS.items() if name in WITH_TAU and name != OVERLAP}


COUNTED = {name: method for name, method in METHODS.items() if "n_clusters" in method().get_params()}
DRAWN = {name: method for name, method in METHODS.items() if "seed" in method().get_params()}


@pytest.fixture(scope="session")
def labels_of(planted):
    return cache(lambda method: method().fit_predict(planted))


@pytest.mark.parametrize("n_clusters", [0, 2.5, 281, np.nan])
@pytest.mark.parametrize("method", COUNTED.values(), ids=COUNTED)
def test_a_number_of_people_that_the_faces_cannot_make_is_refused(method, n_clusters, planted):
    with pytest.raises(InputError, match=rf"^{n_clusters} clusters are asked for; 280 faces make 1 to 280$"):
        method(n_clusters=n_clusters).fit(planted)


@pytest.mark.parametrize("seed", [-1, 2.5])
@pytest.mark.parametrize("method", DRAWN.values(), ids=DRAWN)
def test_a_seed_that_nothing_can_be_drawn_from_is_refused(method, seed, planted):
    with pytest.raises(InputError, match=f"^seed is {seed}; it needs to be a whole number, at least 0$"):
        method(seed=seed).fit(planted)


def same_people(a, b):
    return (first_seen(a) == first_seen(b)).all()


@every
def test_a_permutation_of_the_faces_permutes_the_labels(method, planted, labels_of):
    order = np.random.default_rng(2).permutation(len(planted))
    assert same_people(method().fit_predict(planted.take(order)), labels_of(method)[order])


@every
def test_the_number_of_threads_changes_nothing(method, planted, labels_of):
    for count in (1, 2):
        with threads(count):
            assert (method().fit_predict(planted) == labels_of(method)).all()


@every
def test_a_second_fit_gives_the_same_labels(method, planted, labels_of):
    found = method()
    found.fit(planted.take(np.arange(150)))
    assert (found.fit_predict(planted) == labels_of(method)).all()


@every
def test_labels_are_numbered_from_0_by_their_first_face(method, labels_of):
    labels = labels_of(method)
    assert labels.dtype == np.int32
    assert (first_seen(labels) == labels).all()


@every
def test_scale_of_the_rows_does_not_matter(method, planted, labels_of):
    scaled = planted.features * np.random.default_rng(0).uniform(0.1, 10, (len(planted), 1))
    assert adjusted_rand_score(labels_of(method), method().fit_predict(scaled)) > 0.99


@every
def test_one_two_and_equal_faces_are_no_trouble(method):
    assert method().fit_predict([[1.0, 2.0, 3.0]]).tolist() == [0]
    assert len(method().fit_predict(np.eye(2))) == 2
    assert len(method().fit_predict(np.ones((30, 8)))) == 30
    assert len(method().fit_predict(-np.eye(5))) == 5


@pytest.mark.parametrize("method", WITH_LISTS.values(), ids=WITH_LISTS)
def test_more_neighbors_than_faces_are_no_trouble(method, planted):
    few = planted.take(np.arange(15))
    assert len(method(k=400).fit_predict(few)) == 15


# where the number of people is estimated, rounding may move it, and every group with it
STEADY = {name: method for name, method in METHODS.items() if name != "spectral"}


@pytest.mark.parametrize("method", STEADY.values(), ids=STEADY)
def test_half_precision_features_give_nearly_the_same_people(method, planted, labels_of):
    half = FaceSet.of(planted.features.astype(np.float16))
    assert adjusted_rand_score(labels_of(method), method().fit_predict(half)) > 0.97


@every
def test_parameters_survive_a_clone(method):
    assert clone(method()).get_params() == method().get_params()


@pytest.mark.parametrize("method", WITH_LISTS.values(), ids=WITH_LISTS)
def test_the_length_of_the_lists_survives_a_clone(method):
    assert clone(method(k=33)).get_params()["k"] == 33


@every
@pytest.mark.parametrize(
    ("features", "says"),
    [
        (np.zeros((0, 4)), "0 sample"),
        ([[1.0, np.nan], [1, 1]], "NaN"),
        ([[1.0, np.inf], [1, 1]], "infinity"),
        ([[0.0, 0.0], [1, 1]], "zero in 1 row"),
        ([1.0, 2.0], "two dimensions"),
        ([["a", "b"]], "numbers"),
    ],
)
def test_bad_features_are_refused_in_one_line(method, features, says):
    with pytest.raises(InputError, match=says) as refusal:
        method().fit(features)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("method", ON_GRAPHS.values(), ids=ON_GRAPHS)
def test_a_graph_that_is_there_already_gives_the_same_labels(method, planted, labels_of):
    graph = knn_graph(planted, method().k + 20)
    assert (method().fit_predict(graph) == labels_of(method)).all()


@pytest.mark.parametrize("method", ON_GRAPHS.values(), ids=ON_GRAPHS)
def test_a_graph_of_too_few_neighbors_is_refused(method, planted):
    with pytest.raises(InputError, match="neighbors a face"):
        method().fit(knn_graph(planted, method().list_length(len(planted)) - 2))


@pytest.mark.parametrize("method", ON_GRAPHS.values(), ids=ON_GRAPHS)
def test_a_graph_of_as_many_neighbors_as_are_looked_at_is_enough(method, planted, labels_of):
    enough = method().list_length(len(planted)) - method.counts_itself
    assert (method().fit_predict(knn_graph(planted, enough)) == labels_of(method)).all()


@pytest.mark.parametrize("method", ON_GRAPHS.values(), ids=ON_GRAPHS)
def test_a_graph_that_lists_faces_among_their_own_neighbors_is_refused(method, planted):
    graph = knn_graph(planted, method().list_length(len(planted)))
    own = np.arange(len(planted), dtype=np.int32)[:, None]
    with_own = KnnGraph(np.hstack([own, graph.neighbors]), np.hstack([0 * own + 1, graph.similarities]))
    with pytest.raises(InputError, match="among their own neighbors"):
        method().fit(with_own)


@pytest.mark.parametrize("method", ON_GRAPHS.values(), ids=ON_GRAPHS)
def test_lists_without_anybody_are_refused(method, planted):
    with pytest.raises(InputError, match="k is 0"):
        method(k=0).fit(knn_graph(planted, 50))


@pytest.mark.parametrize("method", BESIDE.values(), ids=BESIDE)
def test_lists_without_anybody_are_refused_beside_features_too(method, planted):
    with pytest.raises(InputError, match="k is 0"):
        method(k=0).fit(planted, graph=knn_graph(planted, 50))


@pytest.mark.parametrize("method", ON_GRAPHS.values(), ids=ON_GRAPHS)
def test_a_graph_of_wider_numbers_gives_the_same_labels(method, planted, labels_of):
    graph = knn_graph(planted, method().k + 20)
    wide = replace(graph, similarities=graph.similarities.astype(np.float64))
    assert (method().fit_predict(wide) == labels_of(method)).all()


@pytest.mark.parametrize("method", AT_A_COSINE.values(), ids=AT_A_COSINE)
@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("tau", [0.6, 0.7])
def test_a_cosine_is_at_tau_or_not_whatever_kind_of_number_both_are(method, kind, tau):
    neighbors = np.array([[1, 2, 3], [0, 2, 3], [3, 0, 1], [2, 0, 1]], np.int32)
    cosines = np.tile(np.float32([tau, 0.1, 0.1]), (4, 1))
    graph = KnnGraph(neighbors, cosines.astype(kind))
    pairs = [0, 0, 1, 1] if float(np.float32(tau)) > tau else [0, 1, 2, 3]  # 0.6 is rounded up, 0.7 down
    for told in (tau, np.float64(tau)):
        found = method(tau=told)
        assert found.fit_predict(graph).tolist() == pairs
        if issubclass(method, ConstrainedClusterer):
            assert found.fit(graph, constraints=Constraints.of(4)).labels_.tolist() == pairs


@pytest.mark.parametrize("method", WITH_TAU.values(), ids=WITH_TAU)
@pytest.mark.parametrize("tau", [60, -1.5, float("nan")])
def test_a_threshold_that_no_pair_could_have_is_refused(method, tau):
    with pytest.raises(InputError, match=f"tau is {tau}; it needs to"):
        method(tau=tau).fit(np.eye(4))


def test_a_recipe_refuses_it_too():
    with pytest.raises(InputError, match="needs to be a cosine, from -1 to 1"):
        threshold_recipe(METHODS["threshold"](tau=60))
