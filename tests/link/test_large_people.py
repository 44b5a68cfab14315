"""People with so many of the faces that a face sees more of its own person than of strangers."""

import numpy as np
import pytest
from scipy.stats import norm

from personae import FaceSet, evaluate
from personae.link import Sample
from personae.link.large_people import apart, large_people, valley
from tests.planted import made_faces


def found(faces):
    everybody = np.arange(len(faces))
    return large_people(faces.features, Sample(faces.features.astype(np.float64), everybody))


@pytest.mark.parametrize("others", [3, 10, 40])
def test_a_person_with_most_of_the_faces_is_found(others):
    faces = made_faces([100, *[1] * others], seed=others)
    assert ((found(faces) == 0) == (faces.truth == 0)).all()


def test_people_with_half_of_the_faces_each_are_both_found():
    faces = made_faces([40, 40], seed=1)
    assert evaluate(faces.truth, found(faces) + 1).bcubed.f > 0.95


@pytest.mark.parametrize("sizes", [[1] * 60, [5] * 20, [60]], ids=str)
def test_nobody_is_large_among_people_of_few_faces_or_where_nobody_else_is(sizes):
    assert (found(made_faces(sizes, seed=2)) == -1).all()


def test_copies_do_not_hide_a_person():
    faces = made_faces([26, 1, 1, 1, 1], seed=3)
    copied = FaceSet(faces.features[np.r_[np.arange(30), np.repeat(np.flatnonzero(faces.truth == 0)[:2], 4)]])
    assert (found(copied)[:30] == np.where(faces.truth == 0, 0, -1)).all()


def test_faces_outside_of_the_sample_are_found_too():
    faces = made_faces([300, *[1] * 40], seed=4)
    some = np.arange(0, 340, 4)
    person = large_people(faces.features, Sample(faces.features[some].astype(np.float64), some))
    assert ((person == 0) == (faces.truth == 0)).all()


def test_the_valley_is_where_two_normal_curves_fit_best():
    rng = np.random.default_rng(5)
    values = np.r_[rng.normal(size=30), rng.normal(6, 0.5, size=8)]
    rising = np.sort(values)

    def surprise(parts):
        return sum(len(part) * (np.log(part.std()) - np.log(len(part))) for part in parts)

    cuts = [(rising[:n], rising[n:]) for n in range(2, 37)]
    low, high = min(cuts, key=surprise)
    assert low[-1] < valley(values) < high[0]
    assert valley(values + 100) == pytest.approx(valley(values) + 100)


@pytest.mark.parametrize("values", [np.zeros(9), np.arange(3.0), norm.ppf((np.arange(50) + 0.5) / 50)], ids=len)
def test_there_is_no_valley_in_one_heap(values):
    assert valley(values) == np.inf


def test_of_few_rows_more_widths_are_asked_for():
    faces = made_faces([30, *[1] * 30], spread=1.1, seed=6)
    rows, near = faces.features.astype(np.float64), faces.truth == 0
    few = np.r_[np.flatnonzero(near)[:3], np.flatnonzero(~near)]
    assert apart(rows, near)
    assert not apart(rows[few], near[few])


def test_one_row_that_is_near_nobody_is_no_person():
    assert not apart(np.eye(3), np.array([True, False, False]))
