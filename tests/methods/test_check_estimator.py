"""Each method against scikit-learn's own checks of an estimator."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

from personae import FaceSet, InputError, knn_graph
from personae.methods import METHODS
from personae.methods.estimator import GraphClusterer

EXPECTED = {
    "check_estimators_dtypes": "rounds small numbers down, which leaves a face of zeros; it has no direction",
}
EXPECTED_OF = {
    "affinity_propagation": {
        "check_clustering": "sets preference to -100 wherever the class has this name, for squared distances; "
        "here it is a cosine, and at -100 all faces are one cluster",
    },
}
every = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
of_graphs = pytest.mark.parametrize("method", [m for m in METHODS.values() if issubclass(m, GraphClusterer)])
of_features = pytest.mark.parametrize(
    "method", [m for m in METHODS.values() if not issubclass(m, GraphClusterer)]
)


@pytest.mark.parametrize("name", METHODS)
def test_scikit_learn_takes_it_for_an_estimator_of_its_own(name):
    expected = EXPECTED | EXPECTED_OF.get(name, {})
    results = check_estimator(METHODS[name](), expected_failed_checks=expected, on_skip=None)
    refused = {result["check_name"]: result for result in results if result["status"] == "xfail"}
    assert set(refused) == set(expected)
    assert "all zero" in str(refused["check_estimators_dtypes"]["exception"])


@every
@pytest.mark.parametrize(
    ("features", "says"),
    [
        (csr_array(np.eye(3)), "sparse input is not supported"),
        (np.eye(3) * 1j, "Complex data not supported"),
        (np.array([[1, {}]], dtype=object), "something else than numbers"),
        ([[1.0, 2.0], [3.0]], "as many numbers"),
        (np.zeros((3, 0)), r"0 feature\(s\)"),
    ],
    ids=["sparse", "complex", "object", "ragged", "empty"],
)
def test_what_is_no_table_of_numbers_is_refused_in_one_line(method, features, says):
    with pytest.raises(InputError, match=says) as refusal:
        method().fit(features)
    assert "\n" not in str(refusal.value)


@every
def test_lists_and_numbers_in_an_object_array_are_features(method):
    rows = [[1.0, 0.0, 0.1], [0.9, 0.0, 0.1], [0.0, 1.0, 0.0]]
    expected = method().fit_predict(FaceSet.of(rows)).tolist()
    assert method().fit_predict(rows).tolist() == expected
    assert method().fit_predict(np.array(rows, dtype=object)).tolist() == expected


@of_features
def test_a_graph_is_refused_where_features_are_needed(method, planted):
    with pytest.raises(InputError, match="needs features"):
        method().fit(knn_graph(planted, 5))


@of_graphs
def test_the_number_of_features_is_known_unless_there_are_none(method, planted):
    few = planted.take(np.arange(60))
    found = method().fit(few)
    assert found.n_features_in_ == few.dimension
    assert not hasattr(clone(found), "n_features_in_")
    assert not hasattr(found.fit(knn_graph(few, found.k)), "n_features_in_")
