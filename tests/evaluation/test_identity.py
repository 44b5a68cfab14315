from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personae.errors import InputError
from personae.evaluation import Score, cluster_ratio, fi, mixtures, singleton_ratio, splits
from personae.evaluation.report import THETAS

from .definitions import approx, members, numbers, partitions, slow_fi


@given(partitions)
def test_ratios_count_clusters_against_identities(partition):
    truth, labels = partition
    identities, clusters = members(truth), members(labels)
    lone = [cluster for cluster in clusters if len(cluster) == 1]
    wrong = [cluster for cluster in lone if cluster not in identities]
    assert cluster_ratio(truth, labels) == 100 * len(clusters) / len(identities)
    assert singleton_ratio(truth, labels) == 100 * len(lone) / len(identities)
    assert singleton_ratio(truth, labels, count="wrong") == 100 * len(wrong) / len(identities)


@given(partitions, st.sampled_from(THETAS))
def test_fi_counts_the_pairs_that_match_beyond_theta(partition, theta):
    assert numbers(fi(*partition, theta=theta)) == approx(slow_fi(*partition, theta))


@pytest.mark.parametrize("theta", THETAS)
def test_ties_with_theta_are_exact_for_every_size(theta):
    for size in range(1, 400):
        for count in (size // 2, round(theta * size), round(theta * size) + 1):
            if 0 < count <= size:
                truth = np.zeros(size, dtype=int)
                labels = (np.arange(size) >= count).astype(int)
                larger = max(count, size - count)
                matched = Fraction(larger, size) > Fraction(str(theta))
                assert fi(truth, labels, theta=theta).recall == matched


def test_half_of_an_identity_is_not_more_than_half():
    assert fi([0, 0], [0, 1]) == Score(0.0, 0.0, 0.0)


def test_a_lone_identity_in_a_cluster_of_its_own_is_found():
    assert fi([0, 1, 1], [0, 1, 2], theta=0.9).recall == 0.5


@pytest.mark.parametrize("theta", [0.49, 1.0, -1.0, float("nan")])
def test_thetas_without_unique_matches_are_refused(theta):
    with pytest.raises(InputError, match="theta"):
        fi([0, 1], [0, 1], theta=theta)


def test_an_unknown_count_is_refused():
    with pytest.raises(InputError, match="choose one of all, wrong"):
        singleton_ratio([0, 1], [0, 1], count="right")


def test_counts_agree_when_no_identity_is_alone():
    truth, labels = [0, 0, 0, 1, 1], [0, 0, 1, 2, 3]
    assert singleton_ratio(truth, labels) == singleton_ratio(truth, labels, count="wrong") == 150


@given(partitions)
def test_splits_and_mixtures_count_who_meets_whom(partition):
    truth, labels = partition
    assert splits(truth, labels).tolist() == [len(set(labels[truth == a])) for a in np.unique(truth)]
    assert mixtures(truth, labels).tolist() == [len(set(truth[labels == b])) for b in np.unique(labels)]


def test_noise_splits_an_identity_once_for_each_face():
    assert splits([0, 0, 0], [-1, -1, 7]).tolist() == [3]
    assert splits([0, 0, 0], [-1, -1, 7], noise="drop").tolist() == [1]
    assert mixtures([0, 1, 1], [-1, -1, 7], noise="cluster").tolist() == [2, 1]
