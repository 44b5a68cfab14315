import csv
import math
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from sklearn.metrics.cluster import pair_confusion_matrix

from personae.errors import InputError
from personae.evaluation import Score, ari, bcubed, by_size, pairwise, purity
from personae.evaluation.contingency import contingency
from personae.evaluation.shares import shares_of

from .definitions import (
    approx,
    numbers,
    partitions,
    random_partition,
    slow_ari,
    slow_bcubed,
    slow_pairwise,
    slow_purity,
)

SHARED = Path(__file__).resolve().parents[3] / "shared"


@given(partitions)
def test_pairwise_counts_pairs(partition):
    assert numbers(pairwise(*partition)) == approx(slow_pairwise(*partition))


@given(partitions)
def test_bcubed_averages_over_faces(partition):
    assert numbers(bcubed(*partition)) == approx(slow_bcubed(*partition))


@given(partitions)
def test_the_adjusted_rand_index_is_its_definition(partition):
    assert ari(*partition) == pytest.approx(slow_ari(*partition), abs=1e-12)


@given(partitions)
def test_purity_counts_the_largest_identity_of_each_cluster(partition):
    assert purity(*partition) == pytest.approx(slow_purity(*partition), abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_pairwise_is_the_pair_confusion_of_scikit_learn(seed):
    truth, labels = random_partition(2000, 50, 80, seed)
    (_, false), (missed, true) = pair_confusion_matrix(truth, labels)
    expected = Score.of(true / (true + false), true / (true + missed))
    assert numbers(pairwise(truth, labels)) == approx(expected)


def test_a_pair_is_two_different_faces():
    assert pairwise([0, 0], [0, 1]) == Score(precision=1.0, recall=0.0, f=0.0)


def test_no_found_pair_at_all_is_as_zero_division_says():
    truth, labels = [0, 0, 1], [0, 1, 2]
    assert pairwise(truth, labels, zero_division=0.0) == Score(0.0, 0.0, 0.0)
    assert math.isnan(pairwise(truth, labels, zero_division=math.nan).precision)
    assert pairwise(truth, labels, zero_division=math.nan).f == 0


def test_no_true_pair_at_all_leaves_recall_whole():
    assert pairwise([0, 1, 2], [0, 0, 1]) == Score(precision=0.0, recall=1.0, f=0.0)
    assert pairwise([0, 1, 2], [0, 1, 2]) == Score(1.0, 1.0, 1.0)


def test_one_cluster_of_all_has_full_recall():
    truth = [0, 0, 0, 1]
    assert pairwise(truth, [0] * 4) == Score(0.5, 1.0, 2 / 3)
    assert numbers(bcubed(truth, [0] * 4)) == approx(Score.of(10 / 16, 1.0))


def test_all_singletons_have_full_bcubed_precision():
    assert numbers(bcubed([0, 0, 0, 1], [0, 1, 2, 3])) == approx(Score.of(1.0, 0.5))


def test_pairs_beyond_32_bits_are_counted_exactly():
    truth = np.repeat([0, 1], 100_000)
    labels = np.concatenate([np.zeros(150_000, dtype=int), np.ones(50_000, dtype=int)])
    both = math.comb(100_000, 2) + 2 * math.comb(50_000, 2)
    found = math.comb(150_000, 2) + math.comb(50_000, 2)
    assert pairwise(truth, labels).precision == both / found
    assert pairwise(truth, labels).recall == both / (2 * math.comb(100_000, 2))


def test_a_score_prints_three_decimals_and_keeps_all():
    assert repr(Score.of(2 / 3, 0.75)) == "Score(precision=0.667, recall=0.75, f=0.706)"
    assert Score.of(2 / 3, 0.75).f == pytest.approx(12 / 17)
    assert Score.of(0.0, 0.0) == Score(0.0, 0.0, 0.0)


def test_frames_weigh_tracks_in_the_purity():
    assert purity([0, 0, 1], [0, 0, 0], weights=[1, 1, 8]) == 0.8


@given(partitions)
def test_the_shares_of_all_identities_add_up_to_the_scores(partition):
    shares = shares_of(contingency(*partition))
    everyone = np.ones(len(shares.faces), dtype=np.int64)
    assert numbers(shares.pairwise(everyone)) == approx(pairwise(*partition))
    assert numbers(shares.bcubed(everyone)) == approx(bcubed(*partition))


@given(partitions)
def test_the_share_of_one_identity_is_the_score_of_its_faces(partition):
    truth, labels = partition
    shares = shares_of(contingency(truth, labels))
    for row, identity in enumerate(np.unique(truth)):
        alone = (np.arange(len(shares.faces)) == row).astype(np.int64)
        mine = np.flatnonzero(truth == identity)
        pairs = [(i, j) for i in mine for j in range(len(truth)) if i != j]
        found = sum(labels[i] == labels[j] for i, j in pairs)
        true = sum(truth[i] == truth[j] for i, j in pairs)
        both = sum(labels[i] == labels[j] and truth[i] == truth[j] for i, j in pairs)
        score = shares.pairwise(alone)
        assert score.precision == pytest.approx(both / found if found else 1.0)
        assert score.recall == pytest.approx(both / true if true else 1.0)
        pure = [np.mean(truth[labels == labels[i]] == identity) for i in mine]
        assert shares.bcubed(alone).precision == pytest.approx(np.mean(pure))


@given(partitions)
def test_size_groups_hold_each_face_once_from_small_to_large(partition):
    groups = by_size(*partition)
    assert sum(group.faces for group in groups) == len(partition[0])
    assert sum(group.identities for group in groups) == len(np.unique(partition[0]))
    spans = [edge for group in groups for edge in (group.smallest, group.largest)]
    assert spans == sorted(spans)
    assert len({group.smallest for group in groups}) == len(groups) <= 5
    together = sum(group.bcubed.recall * group.faces for group in groups) / len(partition[0])
    assert together == pytest.approx(bcubed(*partition).recall)


def test_size_groups_have_equal_counts_where_sizes_differ():
    truth = np.repeat(np.arange(20), np.arange(1, 21))
    assert [group.identities for group in by_size(truth, truth)] == [4] * 5
    assert [group.smallest for group in by_size(truth, truth, bins=2)] == [1, 11]


def test_size_groups_keep_equal_sizes_together():
    truth = np.repeat(np.arange(5), [1, 2, 2, 2, 2])
    assert [group.identities for group in by_size(truth, truth, bins=2)] == [1, 4]
    assert [group.identities for group in by_size(truth, truth, bins=1)] == [5]


def test_a_size_group_tells_over_how_many_clusters_its_identities_lie():
    truth, labels = [0, 0, 1, 1, 2, 2, 2], [0, 0, 1, 2, 3, 4, 5]
    assert [group.splits for group in by_size(truth, labels)] == [1.5, 3]


def test_strangers_spoil_the_precision_of_a_size_group():
    truth = np.array([0, 1, 1, 1])
    small, large = by_size(truth, np.zeros(4, dtype=int), bins=2)
    assert small.bcubed.precision == 0.25
    assert large.pairwise.precision == pytest.approx(6 / 9)


def test_no_size_group_is_refused():
    with pytest.raises(InputError, match="bins=0"):
        by_size([0, 1], [0, 1], bins=0)


@pytest.mark.data
@pytest.mark.parametrize("table", ["results_supervised.csv", "results_unsupervised.csv"])
def test_published_precision_and_recall_give_the_published_f(table):
    path = SHARED / "methods" / table
    if not path.exists():
        pytest.skip(f"{table} is not here")
    published = defaultdict(dict)
    with path.open() as file:
        for row in csv.DictReader(file):
            published[row["method"], row["dataset"], row["split"], row["source"]][row["metric"]] = row["value"]
    names = ("pairwise_P", "pairwise_R", "pairwise_F")
    whole = [[float(row[name]) for name in names] for row in published.values() if row.keys() >= set(names)]
    assert len(whole) >= 20
    for precision, recall, f in whole:
        assert 100 * Score.of(precision / 100, recall / 100).f == pytest.approx(f, abs=0.02)
