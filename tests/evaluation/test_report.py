"""What holds for every metric: found through the report, which holds them all."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

import personae.evaluation
from personae.errors import InputError
from personae.evaluation import (
    ari,
    bcubed,
    by_size,
    cluster_ratio,
    contingency,
    evaluate,
    evaluation_of,
    fi,
    information,
    mixtures,
    nmi,
    pairwise,
    purity,
    singleton_ratio,
    splits,
    upper_bound_labels,
)
from personae.graph import component_labels, knn_graph

from .definitions import partitions, random_partition

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"


def flat(value, path=""):
    """Every number of a nested dictionary under its path."""
    if isinstance(value, dict):
        return {key: leaf for name, part in value.items() for key, leaf in flat(part, f"{path}/{name}").items()}
    if isinstance(value, list):
        return {key: leaf for n, part in enumerate(value) for key, leaf in flat(part, f"{path}/{n}").items()}
    return {path: value}


def same(one, other):
    return flat(one.as_dict()) == pytest.approx(flat(other.as_dict()), abs=1e-12)


def test_the_report_holds_what_each_metric_says():
    truth, labels = random_partition(300, 20, 30)
    labels[::10] = -1
    report = evaluate(truth, labels)
    assert report.pairwise == pairwise(truth, labels)
    assert report.bcubed == bcubed(truth, labels)
    assert report.information == information(truth, labels)
    assert report.information.nmi_arithmetic == nmi(truth, labels)
    assert report.ari == ari(truth, labels)
    assert report.purity == purity(truth, labels)
    assert report.cluster_ratio == cluster_ratio(truth, labels)
    assert report.singleton_ratio == singleton_ratio(truth, labels)
    assert report.wrong_singleton_ratio == singleton_ratio(truth, labels, count="wrong")
    assert report.fi == {theta: fi(truth, labels, theta=theta) for theta in (0.5, 0.6, 0.7, 0.8, 0.9)}
    assert report.sizes == by_size(truth, labels)
    assert report.mean_splits == splits(truth, labels).mean()
    assert report.split_identities == (splits(truth, labels) > 1).sum()
    assert report.mean_mixture == mixtures(truth, labels).mean()
    assert report.mixed_clusters == (mixtures(truth, labels) > 1).sum()
    assert (report.faces, report.identities, report.clusters) == (300, 20, len(mixtures(truth, labels)))
    assert report.singletons == singleton_ratio(truth, labels) * report.identities / 100
    assert report == evaluation_of(contingency(truth, labels))


@given(partitions)
def test_perfect_labels_are_perfect_everywhere(partition):
    report = evaluate(partition[0], 100 - 7 * partition[0])
    scores = [report.pairwise, report.bcubed, *report.fi.values()]
    assert all((score.precision, score.recall, score.f) == (1, 1, 1) for score in scores)
    told = report.information
    shares = [told.nmi_arithmetic, told.nmi_geometric, told.homogeneity, told.completeness]
    assert shares == pytest.approx([1] * 4)
    assert report.ari == report.purity == report.mean_splits == report.mean_mixture == 1
    assert (report.cluster_ratio, report.wrong_singleton_ratio) == (100, 0)
    assert report.split_identities == report.mixed_clusters == 0


@given(partitions)
def test_names_of_identities_and_clusters_mean_nothing(partition):
    truth, labels = partition
    renamed = evaluate((5 - truth) * 10, np.array(list("gfedcba"))[labels])
    assert same(evaluate(truth, labels), renamed)


@given(partitions)
def test_the_order_of_the_faces_means_nothing(partition):
    truth, labels = partition
    order = np.random.default_rng(0).permutation(len(truth))
    assert evaluate(truth, labels).as_dict() == evaluate(truth[order], labels[order]).as_dict()


@given(partitions)
def test_strings_score_as_integers(partition):
    truth, labels = partition
    assert evaluate(truth, labels).as_dict() == evaluate(truth.astype(str), labels.astype(str)).as_dict()


def test_swapping_truth_and_labels_swaps_precision_and_recall():
    truth, labels = random_partition(200, 10, 20)
    there, back = evaluate(truth, labels), evaluate(labels, truth)
    assert there.pairwise.precision == back.pairwise.recall
    assert there.bcubed.precision == pytest.approx(back.bcubed.recall)
    assert there.information.homogeneity == pytest.approx(back.information.completeness)
    assert there.fi[0.5].precision == back.fi[0.5].recall


def test_noise_rules_differ_as_they_should():
    truth = np.repeat(np.arange(10), 5)
    labels = np.where(np.arange(50) % 5 < 2, -1, truth)
    alone, dropped, merged = (evaluate(truth, labels, noise=rule) for rule in ("singletons", "drop", "cluster"))
    assert alone.clusters == 10 + 20 and alone.pairwise.precision == 1 and alone.pairwise.recall == 0.3
    assert dropped.pairwise.f == 1 and dropped.coverage == 0.6 and dropped.faces == 30
    assert merged.clusters == 11 and merged.pairwise.precision < 0.3
    assert alone.coverage == merged.coverage == 1


def test_the_report_survives_json():
    report = evaluate(*random_partition(100, 10, 12))
    plain = report.as_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["fi"]["0.9"]["recall"] == report.fi[0.9].recall
    assert plain["sizes"][0]["bcubed"]["f"] == report.sizes[0].bcubed.f


def test_the_table_is_lines_of_text_that_fit_a_terminal():
    labels = np.arange(3000) // 3
    lines = evaluate(np.arange(3000) // 6, labels).table().splitlines()
    assert all(len(line) <= 80 for line in lines)
    words = [line.split() for line in lines]
    assert ["pairwise", "1.0000", "0.4000", "0.5714"] in words
    assert ["BCubed", "1.0000", "0.5000", "0.6667"] in words
    assert ["identities", "500", "500", "split"] in words
    assert ["clusters", "1,000", "0", "mixed,", "0", "of", "one"] in words
    assert ["R#I,", "percent", "200.00"] in words
    assert ["6", "500", "0.5714", "0.6667", "2.000"] in words


EVERY = (
    ari,
    bcubed,
    by_size,
    cluster_ratio,
    evaluate,
    fi,
    information,
    mixtures,
    nmi,
    pairwise,
    purity,
    singleton_ratio,
    splits,
)


@pytest.mark.parametrize("metric", EVERY, ids=lambda metric: metric.__name__)
def test_every_metric_leaves_out_whom_nobody_knows_if_asked(metric):
    truth, labels = random_partition(200, 10, 14)
    known = np.arange(200) % 3 > 0
    partly = np.where(known, truth, -1)
    with pytest.raises(InputError, match=r"the truth is -1 for 67 faces.*ignore_unknown=True"):
        metric(partly, labels)
    told, alone = metric(partly, labels, ignore_unknown=True), metric(truth[known], labels[known])
    if metric is evaluate:
        assert (told.unknown, told.faces, told.coverage) == (67, 133, 1)
        told = replace(told, unknown=0)
    np.testing.assert_array_equal(told, alone)


def test_the_table_tells_of_faces_that_nobody_knows():
    lines = evaluate([0, 0, -1, 1], [0, 0, 0, 1], ignore_unknown=True).table().splitlines()
    assert lines[0].split() == ["faces", "3", "100.0%", "of", "all", "with", "a", "truth"]
    assert lines[1].split() == ["faces", "without", "a", "truth", "1", "left", "out"]
    assert "truth" not in evaluate([0, 0, 1, 1], [0, 0, 0, 1]).table()


def test_the_table_gives_lone_identities_no_pairwise_score():
    words = [line.split() for line in evaluate([0, 1, 2, 2], [0, 1, 1, 2]).table().splitlines()]
    assert ["1", "2", "-", "0.8571", "1.000"] in words


def test_the_public_names_are_sorted_and_there():
    names = personae.evaluation.__all__
    assert names == sorted(names)
    assert all(hasattr(personae.evaluation, name) for name in names)


@pytest.mark.data
def test_real_clusters_score_as_scikit_learn_says_and_below_the_bound_of_their_graph():
    path = SHARED / "data" / "train_small.sface.npz"
    if not path.exists():
        pytest.skip("the embeddings are not here")
    with np.load(path, allow_pickle=False) as file:
        features, truth = file["X"], file["y"]
    graph = knn_graph(features, k=20)
    labels = component_labels(graph.at_least(0.6))
    report, bound = evaluate(truth, labels), evaluate(truth, upper_bound_labels(graph, truth))
    assert report.ari == pytest.approx(adjusted_rand_score(truth, labels))
    assert report.information.nmi_arithmetic == pytest.approx(normalized_mutual_info_score(truth, labels))
    assert bound.bcubed.precision == 1
    assert 0.5 < report.bcubed.f < bound.bcubed.f


@pytest.mark.slow
@pytest.mark.parametrize("case", ["fragments", "scattered", "noise"])
def test_ten_million_faces_take_seconds_and_less_than_two_gigabytes(case):
    command = [sys.executable, ROOT / "benchmarks" / "evaluate.py", "--case", case]
    run = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    assert run["seconds"] < 10
    assert run["peak_mib"] < 2000


def test_an_evaluation_is_shown_as_its_table():
    told = evaluate([0, 0, 1], [0, 1, 1])
    assert str(told) == repr(told) == told.table()
