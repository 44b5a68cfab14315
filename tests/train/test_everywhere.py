"""The exams that a threshold has to stand."""

import numpy as np
import pytest

from personae.train.everywhere import album, thinned
from personae.train.exam import Exam
from tests.planted import made_faces

FACES = made_faces([1, 1, 4, 9, 16, 2] * 10, d=16)
EXAM = Exam.of(FACES, FACES.truth, 10, 0)


def rows_of(faces):
    return np.array([np.flatnonzero((FACES.features == row).all(axis=1))[0] for row in faces.features])


@pytest.mark.parametrize("share", [1.0, 0.4])
def test_an_album_is_some_of_the_held_out_people_with_few_faces_each_and_nobody_else(share):
    small = album(EXAM, share, np.random.default_rng(0))
    rows = rows_of(small.faces)
    people = EXAM.truth[rows]
    held = np.unique(EXAM.truth[EXAM.held])
    assert small.held.all()
    assert np.isin(people, held).all()
    assert len(np.unique(people)) == max(2, round(share * len(held)))
    assert len(rows) < np.isin(EXAM.truth, people).sum()
    assert ((small.truth[:, None] == small.truth) == (people[:, None] == people)).all()


def test_a_thin_exam_grades_the_held_out_people_with_fewer_faces_each():
    thin = thinned(EXAM, np.random.default_rng(0))
    held = EXAM.truth[EXAM.held]
    assert len(np.unique(thin.truth[thin.held])) == len(np.unique(held))
    assert thin.held.sum() < len(held)
    assert (~thin.held).sum() > thin.held.sum()
    rows = rows_of(type(FACES)(thin.faces.features[thin.held]))
    named = EXAM.truth[rows]
    truth = thin.truth[thin.held]
    assert ((truth[:, None] == truth) == (named[:, None] == named)).all()
