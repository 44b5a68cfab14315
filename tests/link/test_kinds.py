"""Kinds of faces that lie far apart."""

import numpy as np
import pytest

from personae import Auto, FaceSet, evaluate, knn_graph
from personae.link import Sample, strangers_of
from personae.link.kinds import halved, kinds_among, widest_gap
from tests.planted import made_faces

AXES = np.eye(64)[:3]


def two_kinds(sizes, offset=1.5, kinds=2, seed=0):
    """Made faces, each moved along one of the first axes by who it is."""
    faces = made_faces(sizes, seed=seed)
    return FaceSet.of(faces.features + offset * AXES[faces.truth % kinds], faces.truth)


def found(faces):
    """The middles of the kinds of some faces."""
    graph = knn_graph(faces, 20)
    sample = Sample.among(faces.features, graph, 1000)
    return kinds_among(sample, graph, 1e-3).kinds


@pytest.mark.parametrize("least", [2, 5])
def test_the_gap_is_where_the_squares_on_both_sides_are_least(least):
    values = np.random.default_rng(least).normal(size=40)
    rising = np.sort(values)
    parts = [(rising[:n], rising[n:]) for n in range(least, 41 - least)]
    squares = [((a - a.mean()) ** 2).sum() + ((b - b.mean()) ** 2).sum() for a, b in parts]
    a, b = parts[int(np.argmin(squares))]
    cut, gap = widest_gap(values, least)
    assert cut == a[-1]
    assert gap == pytest.approx((b.mean() - a.mean()) / np.sqrt(min(squares) / 40))


def test_two_means_are_those_of_the_halves():
    rows = two_kinds([4] * 60).features.astype(np.float64)
    high, gap = halved(rows, 10)
    middles = [rows[~high].mean(axis=0), rows[high].mean(axis=0)]
    nearer = [np.linalg.norm(rows - middle, axis=1) for middle in middles]
    assert (high == (nearer[1] < nearer[0])).all()
    along = rows @ (middles[1] - middles[0])
    spread = np.sqrt((~high).mean() * along[~high].var() + high.mean() * along[high].var())
    assert gap == pytest.approx((along[high].mean() - along[~high].mean()) / spread)


def test_a_face_is_of_the_kind_whose_middle_is_nearest():
    rng = np.random.default_rng(0)
    kinds, rows = rng.normal(size=(3, 8)), rng.normal(size=(50, 8))
    sample = Sample(rows, np.arange(50), kinds)
    distance = ((rows[:, None] - kinds) ** 2).sum(axis=2)
    assert (sample.kind(rows) == distance.argmin(axis=1)).all()


def test_strangers_of_another_kind_are_left_out():
    faces = two_kinds([4] * 60)
    everybody, kind = np.arange(len(faces)), faces.truth % 2
    rows = faces.features.astype(np.float64)
    middles = np.array([rows[kind == one].mean(axis=0) for one in (0, 1)])
    told = strangers_of(rows, Sample(rows, everybody, middles), side="near")
    for one in (0, 1):
        own = kind == one
        alone = strangers_of(rows[own], Sample(rows[own], np.arange(own.sum())), side="near")
        np.testing.assert_allclose(told.level[own], alone.level, atol=1e-6)
        np.testing.assert_allclose(told.spread[own], alone.spread, atol=1e-6)


@pytest.mark.parametrize("sizes", [[4] * 120, [30, 25, *[6] * 30, *[2] * 60]], ids=str)
@pytest.mark.parametrize("kinds", [1, 2, 3])
def test_people_are_found_in_kinds_far_apart(sizes, kinds):
    faces = two_kinds(sizes, kinds=kinds)
    middles = found(faces)
    assert len(middles) == (kinds if kinds > 1 else 0)
    for kind in range(len(middles)):
        made = faces.features[faces.truth % kinds == kind].mean(axis=0)
        assert np.abs(middles - made).sum(axis=1).min() < 0.2
    auto = Auto().fit(faces)
    score = evaluate(faces.truth, auto.labels_)
    assert min(score.pairwise.f, score.bcubed.f) > 0.95


@pytest.mark.parametrize("sizes", [[150, 150], [200, *[1] * 60], [100, 90, 80]], ids=str)
def test_a_person_with_most_of_the_faces_is_no_kind(sizes):
    assert not len(found(made_faces(sizes)))


def test_a_person_seen_in_many_pictures_of_one_moment_is_no_kind():
    rng = np.random.default_rng(1)
    once = made_faces([100, 90])
    rows = np.repeat(once.features, 4, axis=0)
    faces = FaceSet.of(rows + 0.01 * rng.normal(size=rows.shape), np.repeat(once.truth, 4))
    assert halved(faces.features.astype(np.float64), 50)[1] > 7
    assert not len(found(faces))


def test_a_person_with_bursts_of_pictures_among_other_people_is_no_kind():
    rng = np.random.default_rng(0)
    once = made_faces([100, *[4] * 80])
    child = np.repeat(np.flatnonzero(once.truth == 0), 3)
    of = np.r_[child, np.flatnonzero(once.truth > 0)]
    noise = np.where(np.arange(len(of)) < len(child), 0.3 / 8, 0)[:, None]
    faces = FaceSet.of(once.features[of] + noise * rng.normal(size=(len(of), 64)), once.truth[of])
    assert not len(found(faces))
    assert evaluate(faces.truth, Auto().fit_predict(faces)).bcubed.f > 0.97


@pytest.mark.filterwarnings("error")
def test_copies_of_one_face_are_of_one_kind():
    assert Auto().fit(np.repeat(AXES[:1], 120, axis=0)).labels_.max() == 0
