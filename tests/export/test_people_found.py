"""The people in order: who comes first, who stands for them, who is alone."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personae.data import FaceSet
from personae.errors import InputError
from personae.export import People
from tests.export.made_people import made_people


def test_the_person_with_most_faces_comes_first_and_ties_go_by_the_first_face(people_of):
    people = people_of([7, 3, 3, 9, 7, 9, 9, 5])
    assert [person.faces.tolist() for person in people.persons] == [[3, 5, 6], [0, 4], [1, 2]]
    assert [person.name for person in people.persons] == ["Person 1", "Person 2", "Person 3"]
    assert people.lone.tolist() == [7]


def test_the_best_face_is_sure_and_usable(people_of):
    people = people_of([0, 0, 0, 0], confidence=[0.9, 0.5, 0.9, 0.1], quality=[0.5, 1, 0.9, 1])
    assert people.persons[0].faces.tolist() == [2, 1, 0, 3]


def test_lone_faces_go_by_quality(people_of):
    assert people_of([2, 0, 1], quality=[0.1, 0.9, 0.9]).lone.tolist() == [1, 2, 0]


def test_two_faces_in_one_photo_are_one_photo(people_of):
    person = people_of([0, 0, 0], files=["a", "b", "a"]).persons[0]
    assert (len(person.faces), person.photos) == (3, 2)


labelings = st.lists(st.integers(0, 6), max_size=30)


@given(labelings)
def test_persons_and_lone_faces_are_the_clusters(labels):
    rng = np.random.default_rng(len(labels))
    confidence, files = rng.random(len(labels)), [str(i // 2) for i in range(len(labels))]
    people = made_people(labels, files, confidence)
    clusters: dict[int, list[int]] = {}
    for row, label in enumerate(labels):
        clusters.setdefault(label, []).append(row)
    expected = sorted(
        (rows for rows in clusters.values() if len(rows) > 1), key=lambda rows: (-len(rows), rows)
    )
    assert [sorted(person.faces.tolist()) for person in people.persons] == expected
    assert sorted(people.lone.tolist()) == sorted(rows[0] for rows in clusters.values() if len(rows) == 1)
    for person, rows in zip(people.persons, expected, strict=True):
        assert person.photos == len({files[row] for row in rows})
        assert person.confidence == pytest.approx(np.mean(confidence[rows]), abs=1e-6)


@given(labelings)
def test_another_numbering_of_the_labels_gives_the_same_people(labels):
    people, again = made_people(labels), made_people([41 - 3 * label for label in labels])
    assert [p.faces.tolist() for p in people.persons] == [p.faces.tolist() for p in again.persons]


def test_what_does_not_fit_is_refused(people_of):
    people = people_of([0, 0, 1])
    with pytest.raises(InputError, match="one of each a face"):
        People(people.faces, people.labels[:2], people.confidence, people.thumbnails)
    with pytest.raises(InputError, match="one of each a face"):
        People(people.faces, people.labels, people.confidence, people.thumbnails[:2])
    with pytest.raises(InputError, match=r"confidence leaves \[0, 1\]"):
        People(people.faces, people.labels, people.confidence + 1, people.thumbnails)
    with pytest.raises(InputError, match=r"confidence leaves \[0, 1\]"):
        People(people.faces, people.labels, people.confidence * np.float32("nan"), people.thumbnails)
    with pytest.raises(InputError, match="labels hold -1"):
        people_of([0, -1, -1])
    with pytest.raises(InputError, match="don't know their photos"):
        People(FaceSet(people.faces.features), people.labels, people.confidence, people.thumbnails)


@pytest.mark.parametrize("file", ["../x.jpg", "a/../../x.jpg", "/etc/passwd", "..", "", ".", "a\0.jpg"])
def test_a_photo_outside_the_photo_folder_is_refused(people_of, file):
    with pytest.raises(InputError, match="outside the photo folder"):
        people_of([0, 0], files=["fine.jpg", file])


def test_dots_within_a_name_are_fine(people_of, hostile):
    assert people_of([0] * len(hostile), files=hostile).persons[0].photos == len(hostile)


def test_somebody_with_a_name_is_a_person_even_of_one_face(people_of):
    people = replace(people_of([0, 1, 1, 2, 2, 3]), called={0: "Ada", 1: "person 39", 2: "Person 40"})
    assert [person.name for person in people.persons] == ["Person 1", "Person 2", "Ada"]
    assert [person.called for person in people.persons] == ["person 39", "Person 40", "Ada"]
    assert people.lone.tolist() == [5]
