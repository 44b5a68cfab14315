"""People handed on to other programs, from the table that a run left."""

import json
from dataclasses import replace

import pytest
from PIL import Image

from personae.export import write_faces_csv
from tests.export.made_people import made_people


@pytest.fixture
def found(tmp_path):
    """Two photos, and what was found in them."""
    (tmp_path / "people").mkdir()
    (tmp_path / "photos" / "older").mkdir(parents=True)
    for file in ("a.jpg", "older/b.jpg"):
        Image.new("RGB", (80, 60)).save(tmp_path / "photos" / file)
    people = made_people([0, 0, 1], ["a.jpg", "older/b.jpg", "older/b.jpg"])
    write_faces_csv(replace(people, called={0: "Ada"}), tmp_path / "people" / "faces.csv")
    return tmp_path


def test_sidecars_go_to_a_folder_of_their_own(run, found):
    code, told, problems = run("export", "xmp", "people", "photos")
    assert code == 0, problems
    assert told == "2 sidecars in sidecars: 3 faces, 2 of them named\n"
    assert "Ada" in (found / "sidecars" / "older" / "b.jpg.xmp").read_text()
    assert sorted(path.name for path in (found / "photos").rglob("*.*")) == ["a.jpg", "b.jpg"]
    code, _, problems = run("export", "xmp", "people", "photos", "--numbers")
    assert code == 0, problems  # the second person is a lone face, without a number
    (found / "sidecars" / "a.jpg.xmp").write_text("somebody's work")
    code, _, problems = run("export", "xmp", "people", "photos")
    assert code == 5
    assert problems.count("\n") == 1


def test_sidecars_may_go_among_the_photos_but_not_into_what_was_found(run, found):
    code, told, problems = run("export", "xmp", "people", "photos", "--out", "photos/../photos")
    assert code == 0, problems
    assert told.startswith("2 sidecars in ")
    names = ["a.jpg", "a.jpg.xmp", "b.jpg", "b.jpg.xmp"]
    assert sorted(path.name for path in (found / "photos").rglob("*.*")) == names
    for words in (["people", "photos", "--out", "people"], ["people", "photos/a.jpg", "--out", "photos/a.jpg"]):
        code, _, problems = run("export", "xmp", *words)
        assert code == 5
        assert "it is what is read" in problems


def test_the_document_is_one_file(run, found):
    code, told, _ = run("export", "json", "people", "--out", "all.json")
    assert code == 0
    assert told == "3 faces in all.json\n"
    assert json.loads((found / "all.json").read_text())["people"][0]["name"] == "Ada"


@pytest.mark.parametrize(
    "words", [("xmp", "nobody", "photos"), ("json", "nobody"), ("xmp", "people", "nowhere")]
)
def test_folders_that_are_not_there_are_told_in_a_line(run, found, words):
    code, _, problems = run("export", *words)
    assert code == 3
    assert "no such file" in problems
    assert problems.count("\n") == 1


@pytest.mark.parametrize("table", ["faces.csv", "people.csv", "corrections.csv"])
def test_the_document_takes_the_place_of_no_table_of_the_folder(run, found, table):
    (found / "people" / table).touch()
    before = (found / "people" / table).read_bytes()
    code, told, problem = run("export", "json", "people", "--out", f"people/{table}")
    assert (code, told) == (5, "")
    assert problem == f"personae: cannot write people/{table}: it is what is read; choose another name\n"
    assert (found / "people" / table).read_bytes() == before
