import numpy as np
import pytest
from hypothesis import given
from sklearn.metrics import (
    adjusted_rand_score,
    homogeneity_completeness_v_measure,
    normalized_mutual_info_score,
)

from personae.errors import InputError
from personae.evaluation import ari, information, nmi

from .definitions import partitions, random_partition, slow_entropy, slow_mutual, slow_nmi


@given(partitions)
def test_information_is_its_definition(partition):
    truth, labels = partition
    told = information(truth, labels)
    assert told.identity_entropy == pytest.approx(slow_entropy(truth.tolist()), abs=1e-12)
    assert told.cluster_entropy == pytest.approx(slow_entropy(labels.tolist()), abs=1e-12)
    assert told.mutual == pytest.approx(slow_mutual(truth, labels), abs=1e-12)


@given(partitions)
@pytest.mark.parametrize("average", ["arithmetic", "geometric"])
def test_nmi_is_its_definition_and_stays_in_its_bounds(average, partition):
    value = nmi(*partition, average=average)
    assert value == pytest.approx(slow_nmi(*partition, average), abs=1e-9)
    assert 0 <= value <= 1


@given(partitions)
def test_the_geometric_average_is_never_the_lower_one(partition):
    assert nmi(*partition, average="geometric") >= nmi(*partition) - 1e-12


@pytest.mark.parametrize("seed", range(3))
def test_information_agrees_with_scikit_learn(seed):
    truth, labels = random_partition(3000, 40, 200, seed)
    told = information(truth, labels)
    homogeneity, completeness, v = homogeneity_completeness_v_measure(truth, labels)
    assert told.homogeneity == pytest.approx(homogeneity)
    assert told.completeness == pytest.approx(completeness)
    assert told.nmi_arithmetic == pytest.approx(v)
    for average in ("arithmetic", "geometric"):
        expected = normalized_mutual_info_score(truth, labels, average_method=average)
        assert nmi(truth, labels, average=average) == pytest.approx(expected)


@given(partitions)
def test_the_adjusted_rand_index_agrees_with_scikit_learn(partition):
    assert ari(*partition) == pytest.approx(adjusted_rand_score(*partition), abs=1e-9)


def test_the_example_of_ball_cluster_learning_is_reproduced():
    truth = [1] * 5 + [2] * 10 + [3] * 5
    labels = [1, 1, 1, 2, 2] + [1] * 3 + [2] * 7 + [1, 1, 1, 1, 2]
    assert round(nmi(truth, labels), 4) == 0.1089
    assert round(nmi(truth, labels, average="geometric"), 4) == 0.1112


@pytest.mark.parametrize(
    ("truth", "labels", "homogeneity", "completeness", "value"),
    [
        ([0, 0, 0], [5, 5, 5], 1, 1, 1),
        ([0, 0, 0], [1, 2, 2], 1, 0, 0),
        ([0, 1, 1], [4, 4, 4], 0, 1, 0),
        ([3], [3], 1, 1, 1),
    ],
    ids=["both undivided", "one identity", "one cluster", "one face"],
)
def test_undivided_sides_follow_the_rule(truth, labels, homogeneity, completeness, value):
    told = information(truth, labels)
    assert (told.homogeneity, told.completeness) == (homogeneity, completeness)
    assert told.nmi_arithmetic == told.nmi_geometric == value
    assert homogeneity_completeness_v_measure(truth, labels) == (homogeneity, completeness, value)


def test_an_unknown_average_is_refused():
    with pytest.raises(InputError, match="choose one of arithmetic, geometric"):
        nmi([0, 1], [0, 1], average="max")


def test_a_perfect_clustering_is_perfect_to_the_last_bit():
    truth = np.repeat(np.arange(300), np.arange(1, 301))
    told = information(truth, truth)
    assert told.nmi_arithmetic == told.nmi_geometric == told.homogeneity == told.completeness == 1


@pytest.mark.parametrize("seed", range(20))
def test_rounding_leaves_no_value_outside_its_bounds(seed):
    generator = np.random.default_rng(seed)
    truth = generator.integers(50, size=1000)
    renamed = information(truth, generator.permutation(50)[truth])
    unrelated = information(np.arange(6) // 3, np.arange(6) % 3)
    for told in (renamed, unrelated):
        shares = (told.nmi_arithmetic, told.nmi_geometric, told.homogeneity, told.completeness)
        assert min(shares) >= 0 and max(shares) <= 1
