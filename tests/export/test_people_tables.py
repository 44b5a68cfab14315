"""The tables: what is written is read back, whatever the names."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from personae.errors import InputError, OutputError
from personae.export import write_faces_csv, write_folders, write_people_csv


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, strict=True))


def test_the_table_of_faces_has_a_row_a_face_in_their_order(people_of, tmp_path):
    write_faces_csv(people_of([4, 1, 1, 4, 1, 9], confidence=[1, 0, 0.5, 0.25, 1, 1]), tmp_path / "faces.csv")
    rows = read(tmp_path / "faces.csv")
    assert [row["photo"] for row in rows] == [f"photo {i}.jpg" for i in range(6)]
    assert [row["person"] for row in rows] == ["Person 2", "Person 1", "Person 1", "Person 2", "Person 1", ""]
    assert [float(row["confidence"]) for row in rows] == [1, 0, 0.5, 0.25, 1, 1]
    assert rows[0] == {
        "photo": "photo 0.jpg",
        "left": "10.2",
        "top": "-2.0",
        "width": "30.0",
        "height": "40.0",
        "quality": "0.500",
        "person": "Person 2",
        "confidence": "1.000",
        "from": "",
        "to": "",
    }


def test_the_table_of_people_names_the_best_photo(people_of, tmp_path):
    people = people_of([0, 1, 1, 0, 1, 2], ["a", "b", "b", "c", "d", "e"], quality=[1, 0.1, 0.2, 0.5, 0.9, 1])
    write_people_csv(people, tmp_path / "people.csv")
    rows = read(tmp_path / "people.csv")
    assert [(r["person"], r["faces"], r["photos"], r["best_photo"], r["confidence"]) for r in rows] == [
        ("Person 1", "3", "2", "d", "0.900"),
        ("Person 2", "2", "2", "a", "0.900"),
    ]
    assert list(rows[0])[-4:] == ["left", "top", "width", "height"]


def test_a_face_with_nobody_but_its_copies_is_a_lone_face(people_of, photos, tmp_path):
    distinct = np.array([0, 1, 1, 2, 2, 3, 4], np.int32)
    people = replace(people_of([0, 1, 1, 0, 0, 2, 1]), distinct=distinct)
    assert [person.faces.tolist() for person in people.persons] == [[0, 3, 4], [1, 2, 6]]
    people = replace(people, distinct=np.array([0, 1, 1, 2, 2, 3, 1], np.int32))
    assert [person.faces.tolist() for person in people.persons] == [[0, 3, 4]]
    assert people.lone.tolist() == [1, 5]
    write_faces_csv(people, tmp_path / "faces.csv")
    named = [row["person"] for row in read(tmp_path / "faces.csv")]
    assert named == ["Person 1", "", "", "Person 1", "Person 1", "", ""]
    write_folders(people, tmp_path / "out", photos=photos(people), how="copy")
    assert len(list((tmp_path / "out" / "Lone faces").iterdir())) == 4
    assert len(replace(people, called={1: "Ada"}).persons) == 2
    with pytest.raises(InputError, match="7 faces, but distinct"):
        replace(people, distinct=distinct[1:])


def test_any_name_comes_back_as_the_same_file(people_of, hostile, tmp_path):
    people = people_of([0] * len(hostile), files=hostile)
    write_faces_csv(people, tmp_path / "faces.csv")
    assert [Path(row["photo"]) for row in read(tmp_path / "faces.csv")] == [Path(name) for name in hostile]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " ", "＝", "＠"])  # noqa: RUF001
def test_no_cell_is_a_formula_to_a_spreadsheet(people_of, tmp_path, start):
    people = people_of([0, 0], files=[f"{start}cmd|' /C calc'!A0.jpg", f"a/{start}1.jpg"])
    write_faces_csv(people, tmp_path / "faces.csv")
    write_people_csv(people, tmp_path / "people.csv")
    first, second = read(tmp_path / "faces.csv")
    assert first["photo"] == f"./{start}cmd|' /C calc'!A0.jpg"
    assert second["photo"] == f"a/{start}1.jpg"
    assert read(tmp_path / "people.csv")[0]["best_photo"].startswith("./")


def test_a_name_that_is_not_utf8_leaves_the_table_readable(people_of, tmp_path):
    write_faces_csv(people_of([0, 0], files=["caf\udce9.jpg", "b.jpg"]), tmp_path / "faces.csv")
    assert [row["photo"] for row in read(tmp_path / "faces.csv")] == ["caf\\udce9.jpg", "b.jpg"]


def test_no_faces_make_a_table_of_headings(people_of, tmp_path):
    write_faces_csv(people_of([]), tmp_path / "faces.csv")
    write_people_csv(people_of([]), tmp_path / "people.csv")
    assert read(tmp_path / "faces.csv") == read(tmp_path / "people.csv") == []
    assert (
        (tmp_path / "faces.csv")
        .read_text(encoding="utf-8")
        .startswith("photo,left,top,width,height,quality,person,confidence,from,to")
    )


def test_a_place_that_cannot_be_written_is_named(people_of, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"):
        write_faces_csv(people_of([0]), tmp_path / "file" / "faces.csv")
