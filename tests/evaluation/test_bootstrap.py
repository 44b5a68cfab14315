import math
from itertools import product

import numpy as np
import pytest

from personae.errors import InputError
from personae.evaluation import Interval, bcubed, bootstrap, bootstrap_of, contingency, pairwise

from .definitions import random_partition


def halved(identities, every):
    """Identities of two faces; one in `every` is split in two clusters."""
    truth = np.repeat(np.arange(identities), 2)
    broken = (truth % every == 0) & (np.arange(2 * identities) % 2 == 1)
    return truth, np.where(broken, truth + identities, truth)


def test_identities_that_are_all_alike_leave_no_doubt():
    truth, labels = np.repeat(np.arange(40), 4), np.arange(160) // 2
    intervals = bootstrap(truth, labels)
    assert intervals.bcubed.recall == Interval(0.5, 0.5)
    assert intervals.bcubed.precision == intervals.pairwise.precision == Interval(1.0, 1.0)
    assert intervals.pairwise.recall == Interval(1 / 3, 1 / 3)


def test_the_interval_of_a_mean_has_the_width_of_its_standard_error():
    identities = 400
    truth, labels = halved(identities, every=4)  # BCubed recall is 0.5 for a quarter of them and 1 for the rest
    interval = bootstrap(truth, labels, replicates=4000).bcubed.recall
    error = 0.5 * math.sqrt(0.25 * 0.75 / identities)
    assert interval.low == pytest.approx(0.875 - 1.96 * error, abs=0.1 * error)
    assert interval.high == pytest.approx(0.875 + 1.96 * error, abs=0.1 * error)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    generator = np.random.default_rng(0)
    covered = 0
    for trial in range(200):
        truth = np.repeat(np.arange(100), 2)
        broken = np.repeat(generator.random(100) < 0.3, 2) & (np.arange(200) % 2 == 1)
        labels = np.where(broken, truth + 100, truth)
        interval = bootstrap(truth, labels, replicates=200, level=0.9, seed=trial).pairwise.recall
        covered += interval.low <= 0.7 <= interval.high
    assert 0.83 <= covered / 200 <= 0.96


def test_few_identities_give_the_quantiles_of_all_draws():
    truth, labels = np.array([0, 0, 1, 1, 1, 2]), np.array([0, 0, 1, 2, 2, 2])
    faces, recall = (
        [2, 3, 1],
        [2, 1 / 3 + 2 * 2 / 3, 1],
    )  # of each identity, the BCubed recall summed over its faces
    draws = [sum(recall[a] for a in draw) / sum(faces[a] for a in draw) for draw in product(range(3), repeat=3)]
    interval = bootstrap(truth, labels, replicates=20_000, level=0.8).bcubed.recall
    low, high = np.quantile(draws, [0.1, 0.9], method="inverted_cdf")
    assert (interval.low, interval.high) == pytest.approx((low, high))


def test_clusters_stay_as_they_are_when_an_identity_is_not_drawn():
    truth, labels = np.array([0, 0, 1, 1]), np.zeros(4, dtype=int)
    intervals = bootstrap(truth, labels)
    assert intervals.bcubed.precision == Interval(0.5, 0.5)
    assert intervals.pairwise.precision == Interval(2 / 6, 2 / 6)


def test_samples_without_a_pair_say_nothing_of_pairs():
    truth, labels = np.array([0, 0, *range(1, 10)]), np.arange(11)  # the one pair is torn
    torn = bootstrap(truth, labels).pairwise
    assert torn.f == torn.recall == Interval(0.0, 0.0)
    assert np.isnan([torn.precision.low, torn.precision.high]).all()  # no two faces are together
    wrong = bootstrap(truth, [0, 1, 2, *range(2, 10)]).pairwise  # two strangers are together
    assert wrong.precision == wrong.f == Interval(0.0, 0.0)


def test_the_interval_holds_the_score_itself():
    truth, labels = random_partition(2000, 200, 300)
    intervals = bootstrap(truth, labels)
    for score, interval in ((pairwise, intervals.pairwise), (bcubed, intervals.bcubed)):
        value = score(truth, labels)
        assert interval.precision.low < value.precision < interval.precision.high
        assert interval.recall.low < value.recall < interval.recall.high
        assert interval.f.low < value.f < interval.f.high


def test_more_confidence_is_wider_and_more_identities_narrower():
    narrow, wide = (bootstrap(*halved(400, 4), level=level).bcubed.f for level in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high
    few = bootstrap(*halved(40, 4), level=0.5).bcubed.f
    assert few.high - few.low > 2 * (narrow.high - narrow.low)


def test_the_seed_decides():
    partition = random_partition(300, 40, 60)
    assert bootstrap(*partition, seed=1) == bootstrap(*partition, seed=1)
    assert bootstrap(*partition, seed=1) != bootstrap(*partition, seed=2)


def test_a_table_with_weights_can_be_resampled():
    truth, labels = halved(20, 4)
    weights = np.full(40, 3)
    once = bootstrap_of(contingency(np.repeat(truth, 3), np.repeat(labels, 3)))
    assert bootstrap_of(contingency(truth, labels, weights=weights)) == once


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        ([0, 0], {"replicates": 0}, "replicates=0"),
        ([0, 0], {"level": 1.0}, "level=1.0"),
        ([0, 0], {"level": 0.0}, "level=0.0"),
        ([0, -1], {"noise": "drop"}, "one identity"),
    ],
)
def test_what_cannot_be_resampled_is_refused(labels, options, message):
    with pytest.raises(InputError, match=message):
        bootstrap([0, 1], labels, **options)
