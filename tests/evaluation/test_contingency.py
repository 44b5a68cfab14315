import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.dtypes import StringDType

from personae.errors import InputError
from personae.evaluation import contingency, evaluate

from .definitions import partitions, random_partition


def dense(table):
    full = np.zeros((table.identities, table.clusters), dtype=np.int64)
    full[table.identity, table.cluster] = table.count
    return full


@given(partitions)
def test_the_cells_count_the_faces_of_each_identity_in_each_cluster(partition):
    truth, labels = partition
    table = contingency(truth, labels)
    expected = [[np.sum((truth == a) & (labels == b)) for b in np.unique(labels)] for a in np.unique(truth)]
    np.testing.assert_array_equal(dense(table), expected)
    np.testing.assert_array_equal(table.identity_sizes, np.sum(expected, axis=1))
    np.testing.assert_array_equal(table.cluster_sizes, np.sum(expected, axis=0))
    assert table.faces == len(truth)


def test_the_cells_are_sorted_positive_and_64_bit():
    table = contingency(*random_partition(500, 20, 30))
    order = table.identity.astype(np.int64) * table.clusters + table.cluster
    assert (np.diff(order) > 0).all()
    assert table.count.min() >= 1
    assert table.count.dtype == table.identity_sizes.dtype == table.cluster_sizes.dtype == np.int64
    assert table.identity.dtype == table.cluster.dtype == np.int32


def test_sums_of_squares_do_not_overflow_32_bits():
    truth = np.zeros(100_000, dtype=np.int32)
    assert int(contingency(truth, truth).count @ contingency(truth, truth).count) == 10**10


@given(partitions, st.data())
def test_weights_are_repetitions(partition, data):
    truth, labels = partition
    weights = np.array(data.draw(st.lists(st.integers(1, 4), min_size=len(truth), max_size=len(truth))))
    weighted = evaluate(truth, labels, weights=weights)
    repeated = evaluate(np.repeat(truth, weights), np.repeat(labels, weights))
    assert weighted.as_dict() == repeated.as_dict()


def test_noise_becomes_lone_clusters_unless_told_otherwise():
    truth, labels = np.array([0, 0, 0, 1, 1]), np.array([4, -1, -1, 4, 9])
    np.testing.assert_array_equal(dense(contingency(truth, labels)), [[1, 0, 1, 1], [1, 1, 0, 0]])
    np.testing.assert_array_equal(
        dense(contingency(truth, labels)), dense(contingency(truth, [4, 100, 101, 4, 9]))
    )


def test_dropped_noise_shows_in_the_coverage():
    truth, labels = np.array([0, 0, 0, 1, 2]), np.array([4, -1, 4, 4, -1])
    table = contingency(truth, labels, noise="drop")
    np.testing.assert_array_equal(dense(table), [[2], [1]])
    assert table.coverage == 0.6
    assert contingency(truth, labels, noise="drop", weights=[1, 3, 1, 1, 4]).coverage == 0.3
    assert contingency(truth, labels).coverage == 1


def test_noise_can_be_one_cluster_when_asked():
    table = contingency([0, 0, 1], [-1, 5, -1], noise="cluster")
    np.testing.assert_array_equal(dense(table), [[1, 1], [1, 0]])


def test_noise_alone_is_all_singletons():
    assert contingency([0, 0, 1], [-1, -1, -1]).clusters == 3


def test_without_noise_the_rule_changes_nothing():
    truth, labels = random_partition(50, 5, 9)
    tables = [contingency(truth, labels, noise=noise) for noise in ("singletons", "drop", "cluster")]
    for table in tables[1:]:
        np.testing.assert_array_equal(dense(table), dense(tables[0]))


@pytest.mark.parametrize(
    "kind", [np.int8, np.int32, np.int64, np.float32, object, str, "S3", StringDType()], ids=str
)
def test_labels_of_any_type_give_one_table(kind):
    truth, labels = random_partition(60, 7, 9)
    labels[::7] = -1
    as_text = isinstance(kind, StringDType) or kind == "S3"
    table = contingency(truth, (labels.astype(str) if as_text else labels).astype(kind))
    assert sorted(map(tuple, dense(table).T)) == sorted(map(tuple, dense(contingency(truth, labels)).T))


def test_lists_and_names_are_welcome():
    assert contingency(["Ada", "Bo", "Ada"], ("x", "x", "-1")).clusters == 2
    assert contingency(np.array(["Ada", 7, "Ada"], dtype=object), [0, 0, 1]).identities == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 1], [0]), "2 identities but 1 labels"),
        (([], []), "no faces"),
        (([[0, 1]], [0, 1]), r"truth: an array of shape \(1, 2\)"),
        (([0, 1], [[0], [1]]), r"labels: an array of shape \(2, 1\)"),
        (([0, 1], 3), r"labels: an array of shape \(\)"),
        (([0, 1], [0.0, float("nan")]), "labels: .*NaN"),
        (([float("inf"), 1], [0, 1]), "truth: .*infinity"),
        ((["Ada", None], [0, 1]), "truth: missing"),
        (([0, 1], np.array([float("nan"), "x"], dtype=object)), "labels: missing"),
        (([[0], [0, 1]], [0, 1]), "truth: rows of different lengths"),
    ],
)
def test_bad_arrays_are_refused_in_one_line(arguments, message):
    with pytest.raises(InputError, match=message) as refusal:
        contingency(*arguments)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"noise": "ignore"}, "choose one of singletons, drop, cluster"),
        ({"weights": [1, 2]}, "3 faces but 2 weights"),
        ({"weights": [[1], [2], [3]]}, "weights: an array of shape"),
        ({"weights": [[1], [2, 3], [3]]}, "weights: rows"),
        ({"weights": [1.0, 2.0, 3.0]}, "whole numbers"),
        ({"weights": [1, 0, 3]}, "whole numbers"),
        ({"weights": [2**31, 2**31, 1]}, "add up to more than"),
    ],
)
def test_bad_options_are_refused_in_one_line(options, message):
    with pytest.raises(InputError, match=message):
        contingency([0, 0, 1], [0, 1, 1], **options)


def test_dropping_every_face_is_refused():
    with pytest.raises(InputError, match="every face is labelled -1"):
        contingency([0, 1], [-1, -1], noise="drop")


def test_a_person_called_nan_is_a_person():
    assert contingency(np.array(["nan", "None"], dtype=object), [0, 0]).identities == 2


def test_faces_that_nobody_knows_are_not_scored():
    with pytest.raises(InputError, match="the truth is -1 for 2 faces"):
        contingency([-1, 0, -1], [0, 0, 1])


UNKNOWN = {
    "integers": [4, -1, 4, 7, -1],
    "floats": [4, float("nan"), 4, 7, -1],
    "names": ["Ada", "", "Ada", "Bo", "-1"],
    "bytes": np.array([b"Ada", b"", b"Ada", b"Bo", b"-1"]),
    "text of any length": np.array(["Ada", "", "Ada", "Bo", "-1"], StringDType()),
    "objects": ["Ada", None, "Ada", "Bo", -1],
    "numbers as objects": np.array([4.0, None, 4.0, 7.0, -1.0], object),
}


@pytest.mark.parametrize("truth", UNKNOWN.values(), ids=UNKNOWN)
@pytest.mark.parametrize("noise", ["singletons", "drop", "cluster"])
def test_faces_that_nobody_knows_can_be_left_out_knowingly(truth, noise):
    labels, weights = np.array([5, 5, -1, 6, 6]), np.array([1, 2, 3, 4, 5])
    known = [0, 2, 3]
    for times in (None, weights):
        table = contingency(truth, labels, noise=noise, weights=times, ignore_unknown=True)
        alone = contingency(
            ["Ada", "Ada", "Bo"], labels[known], noise=noise, weights=None if times is None else times[known]
        )
        np.testing.assert_array_equal(dense(table), dense(alone))
        assert table.coverage == alone.coverage
        assert table.unknown == (2 if times is None else 7)
        assert alone.unknown == 0
    with pytest.raises(InputError, match="truth"):
        contingency(truth, labels, noise=noise)


@pytest.mark.parametrize("truth", [[-1, -1], ["", "-1"], [None, None], [float("nan"), -1]], ids=repr)
def test_a_truth_of_nobody_is_refused(truth):
    with pytest.raises(InputError, match="the truth is unknown for every face"):
        contingency(truth, [0, 1], ignore_unknown=True)


def test_ignoring_nobody_changes_nothing():
    truth, labels = random_partition(50, 5, 9)
    assert evaluate(truth, labels, ignore_unknown=True) == evaluate(truth, labels)
