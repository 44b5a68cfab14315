import numpy as np
import pytest

from personae.link import expected_people as module
from personae.link.expected_people import expected_people
from tests.planted import made_faces


@pytest.mark.parametrize(
    "sizes",
    [[1] * 200, [5] * 60, [20] * 15, [60, 40, *[3] * 30, *[1] * 100]],
    ids=["lone", "fives", "twenties", "mixed"],
)
def test_planted_people_are_counted(sizes):
    assert expected_people(made_faces(sizes, seed=4).features) == pytest.approx(len(sizes), rel=0.12)


def test_a_person_who_is_half_of_all_faces_is_no_stranger_to_itself():
    faces = made_faces([150, *[1] * 100], seed=4)
    assert expected_people(faces.features) < 150


def test_some_faces_stand_for_all(monkeypatch):
    faces = made_faces([10] * 60, seed=2)
    monkeypatch.setattr(module, "ASKED", 150)
    assert expected_people(faces.features) == pytest.approx(60, rel=0.1)


def test_the_count_does_not_depend_on_the_order(planted):
    order = np.random.default_rng(0).permutation(len(planted))
    assert expected_people(planted.features[order]) == expected_people(planted.features)


def test_one_face_is_one_person():
    assert expected_people(np.eye(1, 4, dtype=np.float32)) == 1
