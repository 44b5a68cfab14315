"""What is expected of a partition without labels."""

from itertools import pairwise

import numpy as np
import pytest

from personae import InputError
from personae.evaluation import bcubed, expected
from personae.evaluation.expected import kept_together, torn_from


def torn(labels, share, seed=0):
    """The partition with this share of its faces put alone."""
    rng = np.random.default_rng(seed)
    alone = rng.random(len(labels)) < share
    return np.where(alone, labels.max() + 1 + np.arange(len(labels)), labels)


def joined(labels, share):
    """The partition with this share of its people joined two by two."""
    pairs = int(share * labels.max() / 2)
    return np.where(labels < 2 * pairs, labels // 2, labels)


LABELS = np.repeat(np.arange(60), 6)


def test_the_more_a_stricter_look_tears_apart_the_less_is_expected():
    found = [expected(LABELS, torn(LABELS, share), LABELS) for share in (0, 0.05, 0.2, 0.5)]
    for metric in ("pairwise", "bcubed"):
        scores = [getattr(one, metric) for one in found]
        assert all(a.f > b.f for a, b in pairwise(scores))
        assert all(a.precision >= b.precision for a, b in pairwise(scores))


def test_precision_recall_and_f_belong_together_and_lie_in_the_interval():
    for share in (0, 0.1, 0.4):
        for metric in ("pairwise", "bcubed"):
            score = getattr(expected(LABELS, torn(LABELS, share), joined(LABELS, share)), metric)
            assert score.f == pytest.approx(
                2 * score.precision * score.recall / (score.precision + score.recall)
            )
            assert 0 <= score.interval.low <= score.f <= score.interval.high <= 1
            assert 0 < score.precision <= 1
            assert 0 < score.recall <= 1


def test_numbers_and_order_of_the_faces_do_not_matter():
    strict, loose = torn(LABELS, 0.2), joined(LABELS, 0.2)
    order = np.random.default_rng(1).permutation(len(LABELS))
    plain, other = expected(LABELS, strict, loose), expected(LABELS[order], 999 - strict[order], loose[order])
    assert other.pairwise.f == pytest.approx(plain.pairwise.f)
    assert other.bcubed.precision == pytest.approx(plain.bcubed.precision)
    np.testing.assert_allclose(other.people, plain.people, rtol=1e-6)


def test_what_is_kept_together_is_counted_pair_by_pair():
    strict = torn(LABELS, 0.3)
    for person, share in enumerate(kept_together(LABELS, strict)):
        members = strict[person == LABELS]
        assert share == pytest.approx((members[:, None] == members).mean())


def test_a_person_torn_apart_is_expected_to_be_less_right_than_one_that_stays():
    strict = np.where(LABELS == 7, 1000 + np.arange(len(LABELS)), LABELS)
    people = expected(LABELS, strict, LABELS).people
    assert people.shape == (60,)
    assert people[8] == people.max()
    assert people[7] < people[8]


def test_partitions_of_other_faces_are_refused():
    with pytest.raises(InputError):
        expected(LABELS, LABELS[:-1], LABELS)


def test_what_is_torn_from_a_partition_is_missed():
    first = expected(LABELS, LABELS, LABELS)
    for share in (0.1, 0.5):
        labels = torn(LABELS, share)
        score = torn_from(first, LABELS, expected(labels, labels, labels), labels).bcubed
        assert score.recall == pytest.approx(first.bcubed.recall * bcubed(LABELS, labels).recall)
        assert score.f < first.bcubed.f
        assert score.interval.low < score.f < score.interval.high
