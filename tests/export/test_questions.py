"""What the page asks: likeliest to be wrong first, of those who are on it."""

from dataclasses import replace

import numpy as np
import pytest

from personae.clustering.suggestions import Suggestions
from personae.export import Corrigible, page, questions, write_page
from tests.export.made_people import made_people
from tests.export.test_people_page import Page

LABELS = [0] * 5 + [1] * 4 + [2] * 3 + [3, 4]  # three people and two lone faces


def suggested(pairs=(), strays=()):
    """(label, label, share) and (face, share)."""
    return Suggestions(
        np.array([pair[:2] for pair in pairs], np.int32).reshape(-1, 2),
        np.array([pair[2] for pair in pairs]),
        np.array([face for face, _ in strays], np.int64),
        np.array([share for _, share in strays]),
    )


def asking(*about, labels=LABELS, **more):
    return replace(made_people(labels), suggested=suggested(*about), **more)


def test_pairs_and_strays_stand_in_one_order_and_lone_faces_apart():
    first, lone = questions.questions(
        asking([(0, 2, 0.6), (1, 3, 0.5), (0, 3, 0.4), (1, 2, 0.3)], [(2, 0.45), (7, 0.35), (3, 0.3)])
    )
    told = [([person.number for person in q.persons], q.faces, q.percent) for q in first]
    assert told == [([1, 3], (), 60), ([1], (2, 3), 55), ([2], (7,), 65), ([2, 3], (), 30)]
    assert [([person.number for person in q.persons], q.faces, q.percent) for q in lone] == [([2], (12,), 50)]


def test_an_estimate_is_never_certain_and_so_many_strays_of_one_are_asked_about_at_once():
    first, _ = questions.questions(asking([(0, 2, 0.9999)], [(face, 0.9999 - face / 100) for face in range(5)]))
    assert [(q.percent, q.faces) for q in first] == [(99, ()), (1, (0, 1, 2, 3))]
    first, _ = questions.questions(asking([], [(face, 0.5) for face in (9, 10, 11)]))
    assert [q.faces for q in first] == [(9, 10)]  # somebody has to stand for the person


def test_a_lone_face_with_a_name_is_a_person():
    first, lone = questions.questions(asking([(0, 3, 0.6)], called={3: "Ada"}))
    assert [[person.name for person in q.persons] for q in first] == [["Person 1", "Ada"]]
    assert lone == []


def test_a_face_and_its_copies_are_asked_about_as_one_lone_face():
    distinct = np.array([*range(10), 9, 9, 10, 11], np.int32)
    people = asking([(0, 2, 0.6), (2, 3, 0.5)], [(9, 0.4)], distinct=distinct)
    first, lone = questions.questions(people)
    assert first == []
    assert [([person.number for person in q.persons], q.faces) for q in lone] == [([1], (9,))]


def test_nothing_suggested_asks_nothing():
    assert questions.questions(made_people(LABELS)) == ([], [])


def test_so_many_at_once(monkeypatch):
    monkeypatch.setattr(questions, "MOST", 2)
    people = asking([(0, 1, 0.9), (0, 2, 0.8), (1, 2, 0.7), (0, 3, 0.6), (0, 4, 0.5)])
    assert [len(asked) for asked in questions.questions(people)] == [2, 2]


@pytest.fixture
def written(tmp_path, photos):
    def write(people, corrigible=True):
        path = tmp_path / "out" / "index.html"
        more = Corrigible(["0" * 40] * len(people.faces)) if corrigible else None
        write_page(people, path, photos=photos(people), corrigible=more)
        return Page(path)

    return write


def test_a_question_names_faces_and_people_that_are_on_the_page(written):
    found = written(asking([(0, 2, 0.6), (1, 3, 0.5)], [(2, 0.45)]))
    cards = found.all("li", "question")
    assert [(card["data-rows"], card["data-faces"]) for card in cards] == [
        ("person-1 person-3", ""),
        ("person-1", "face-2"),
        ("person-2", "face-12"),
    ]
    ids = {attributes["id"] for _, attributes in found.tags if "id" in attributes}
    assert ids >= {"person-1", "person-2", "person-3", "face-2", "face-12"}
    words = " ".join(found.text.split())
    assert "Are Person 1 and Person 3 one person? 60 % likely" in words
    assert "Is this Person 1? 55 % likely" in words
    assert "Is this Person 2? 50 % likely" in words
    assert "Look here first" in words


def test_nothing_is_asked_where_nothing_can_be_answered(written):
    about = asking([(0, 2, 0.6), (1, 3, 0.5)], [(2, 0.45)])
    assert not written(about, corrigible=False).all("li", "question")
    assert '<h2 id="first">' not in written(made_people(LABELS)).path.read_text()


def test_faces_that_are_asked_about_find_room_before_others(written, monkeypatch):
    monkeypatch.setattr(page, "MOST_FACES", 3)
    monkeypatch.setattr(page, "MOST_LONE", 0)
    found = written(asking([(1, 3, 0.5)], [(4, 0.45)]))
    assert {"face-4", "face-12"} <= {face.get("id") for face in found.all("a", "face")}
    assert len(found.all("a", "face")) == (3 + 1) + 3 + 3 + 1
    people = asking([(1, 3, 0.5)], [(4, 0.45)])
    monkeypatch.setattr(page, "ROOM", 5 * (page.PERSON_BYTES + page.FACE_BYTES))
    thumbnails = [b"\xff\xd8" + b"0" * 300] * len(LABELS)
    found = written(replace(people, thumbnails=thumbnails))
    assert {"face-4", "face-12"} <= {face.get("id") for face in found.all("a", "face")}
    assert len(found.all("a", "face")) < 11


def test_who_has_no_room_on_the_page_is_not_asked_about(written, monkeypatch):
    monkeypatch.setattr(page, "ROOM", 2 * (page.PERSON_BYTES + page.FACE_BYTES + 200))
    found = written(asking([(0, 2, 0.6), (0, 1, 0.5)]))
    assert [row["id"] for row in found.all("article")] == ["person-1", "person-2"]
    assert [card["data-rows"] for card in found.all("li", "question")] == ["person-1 person-2"]


def test_hostile_names_stay_text_in_questions(written):
    found = written(asking([(0, 2, 0.6)], called={2: "</script><b>\"Ada'"}))
    assert "one person? 60 %" in " ".join(found.text.split())
    assert not found.all("b")
    assert len(found.all("script")) == 1
