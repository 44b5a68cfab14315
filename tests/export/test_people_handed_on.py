"""The table of faces read back, and the JSON document."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

from personae.data import FaceSet, Sources
from personae.errors import InputError, OutputError
from personae.export import (
    FoundFace,
    People,
    read_faces_csv,
    write_faces_csv,
    write_people_csv,
    write_people_json,
)

FORMATS = Path(__file__).resolve().parents[2] / "docs" / "formats.md"
HEAD = "photo,left,top,width,height,quality,person,confidence,from,to\n"


def test_what_was_written_is_read_back_whatever_the_names(people_of, hostile, tmp_path):
    people = people_of([0] * len(hostile), files=hostile, confidence=0.25)
    write_faces_csv(people, tmp_path / "faces.csv")
    faces = read_faces_csv(tmp_path / "faces.csv")
    assert [face.photo for face in faces] == list(hostile)
    assert {face.box for face in faces} == {(10.2, -2, 30, 40)}
    assert {(face.quality, face.confidence, face.person, face.name, face.span) for face in faces} == {
        (0.5, 0.25, "Person 1", "", None)
    }


@pytest.fixture
def people():
    """Bo with three faces and a number with three before; a named lone face, a lone face, one in a video."""
    labels = np.array([4, 2, 7, 2, 4, 2, 4, 9, 5, 5], np.int32)
    span = np.full((10, 2), np.nan)
    span[8] = 1.5, 3.25
    files = (*(f"{i}.jpg" for i in range(8)), "v.mp4", "9.jpg")
    box = np.tile(np.float32([1, 2, 3, 4.5]), (10, 1))
    sources = Sources(files, np.arange(10, dtype=np.int32), box, np.full(10, 0.5, np.float32), span)
    found = FaceSet(np.ones((10, 1), np.float32), sources=sources)
    confidence = np.full(10, 0.75, np.float32)
    called = {2: "Bo", 7: "Zoë"}
    return People(found, labels, confidence, [b""] * 10, called=called)


def test_the_document_holds_people_by_number_and_all_faces(people, tmp_path):
    write_faces_csv(people, tmp_path / "faces.csv")
    write_people_json(read_faces_csv(tmp_path / "faces.csv"), tmp_path / "people.json")
    document = json.loads((tmp_path / "people.json").read_text(encoding="utf-8"))
    assert document["format"] == 1
    assert document["people"] == [
        {"number": 1, "name": None, "faces": [0, 4, 6]},
        {"number": 2, "name": "Bo", "faces": [1, 3, 5]},
        {"number": 3, "name": None, "faces": [8, 9]},
        {"number": 4, "name": "Zoë", "faces": [2]},
    ]
    assert document["people"] == [
        {"number": person.number, "name": person.called or None, "faces": sorted(person.faces.tolist())}
        for person in people.persons
    ]
    one = {"photo": "0.jpg", "box": [1, 2, 3, 4.5], "quality": 0.5, "confidence": 0.75, "person": 1}
    assert document["faces"][0] == {**one, "seconds": None}
    assert document["faces"][8] == {**one, "photo": "v.mp4", "person": 3, "seconds": [1.5, 3.25]}
    assert [face["person"] for face in document["faces"]] == [1, 2, 4, 2, 1, 2, 1, None, 3, 3]


def test_the_document_in_the_docs_is_what_is_written(tmp_path):
    document = json.loads(re.search(r"```json\n(.*?)```", FORMATS.read_text(), re.DOTALL)[1])
    names = {None: "", **{person["number"]: person["name"] for person in document["people"]}}
    faces = [
        FoundFace(f["photo"], f["box"], f["quality"], f["confidence"], names[f["person"]], f["seconds"])
        for f in document["faces"]
    ]
    write_people_json(faces, tmp_path / "people.json")
    assert json.loads((tmp_path / "people.json").read_text()) == document


def test_numbers_are_those_of_the_table_of_people(people, tmp_path):
    write_faces_csv(people, tmp_path / "faces.csv")
    write_people_csv(people, tmp_path / "people.csv")
    write_people_json(read_faces_csv(tmp_path / "faces.csv"), tmp_path / "people.json")
    document = json.loads((tmp_path / "people.json").read_text(encoding="utf-8"))
    with (tmp_path / "people.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert [one["name"] or f"Person {one['number']}" for one in document["people"]] == [
        row["person"] for row in table
    ]


def test_a_table_saved_by_a_spreadsheet_is_the_same_table(people, tmp_path):
    write_faces_csv(people, tmp_path / "faces.csv")
    found = read_faces_csv(tmp_path / "faces.csv")
    text = (tmp_path / "faces.csv").read_text(encoding="utf-8")
    saved = re.sub(r"(\d)\.(\d)", r"\1,\2", text.replace(",", ";")).replace("Zo\u00eb", "Zoe\u0308")
    (tmp_path / "faces.csv").write_text(saved, encoding="utf-8-sig")
    assert read_faces_csv(tmp_path / "faces.csv") == found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("photo,person\na.jpg,Ada\n", "no column confidence, from, height"),
        (HEAD + "../a.jpg,1,1,1,1,1,Ada,1,,\n", "line 2: '../a.jpg' is outside"),
        (HEAD + "/a.jpg,1,1,1,1,1,Ada,1,,\n", "outside"),
        (HEAD + ",1,1,1,1,1,Ada,1,,\n", "outside"),
        (HEAD + "a.jpg,1,1,1,1,1,Ada,1,,\nb.jpg,1,x,1,1,1,Ada,1,,\n", "line 3, column top: 'x' is no number"),
        (HEAD + "a.jpg,1,1,1,nan,1,Ada,1,,\n", "column height: 'nan'"),
        (HEAD + "a.jpg,1,1,1,1,1,Ada,1,soon,2\n", "column from: 'soon'"),
        (HEAD + "a.jpg,1,1,1,1,1,Ada,1,2,\n", "line 2, column to: '' is no number"),
        (HEAD + "a.jpg,1,1,1,1,1,Zo\xeb,1,,\n", "line 2 is not in UTF-8"),
    ],
)
def test_a_table_that_is_none_of_ours_is_told_in_one_line(tmp_path, text, told):
    (tmp_path / "faces.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=rf"faces\.csv: .*{told}") as error:
        read_faces_csv(tmp_path / "faces.csv")
    assert "\n" not in str(error.value)


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"):
        write_people_json([], tmp_path / "file" / "people.json")
