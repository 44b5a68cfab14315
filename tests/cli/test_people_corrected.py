"""Names and corrections that hold from run to run."""

import csv
import os
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from personae.data.one_writer import one_writer_in
from tests.cli.sample_album import ALBUM, rows


def corrections(path, faces):
    """A table of corrections from lines of `faces.csv`, some with what they are said not to be."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*faces[0], "not"])
        writer.writeheader()
        writer.writerows(faces)
    return path


@pytest.fixture
def corrected(run, tmp_path):
    """Photos of three people; the second person's first face is said to be Bo, the first one's to be no Ada."""
    photos, out = tmp_path / "photos", tmp_path / "out"
    table = rows(ALBUM / "truth.csv")
    count = Counter(row["person"] for row in table)
    often = sorted(count, key=lambda who: (-count[who], who))[:3]
    photos.mkdir()
    for row in table:
        if row["person"] in often:
            shutil.copy(ALBUM / "photos" / row["photo"], photos)
    assert run("people", photos, "--out", out)[0] == 0
    faces = alone(rows(out / "faces.csv"))
    ada, bo = ([face for face in faces if face["person"] == f"Person {number}"] for number in (1, 2))
    said = [{**face, "person": "Ada"} for face in ada[1:4]]
    said += [{**face, "person": "Person 99"} for face in bo[1:4]]
    said += [{**bo[0], "person": "Bo"}, {**ada[0], "person": "", "not": "ada"}]
    given = corrections(tmp_path / "given.csv", said)
    code, told, _ = run("people", photos, "--out", out, "--corrections", given, "--folders", "copy")
    assert code == 0
    assert "8 corrections from" in told
    return photos, out, ada, bo


def alone(faces):
    """Those who are alone in their photo."""
    count = Counter(face["photo"] for face in faces)
    return [face for face in faces if count[face["photo"]] == 1]


def named(out):
    """The person of each photo that shows one."""
    return {Path(face["photo"]).name: face["person"] for face in alone(rows(out / "faces.csv"))}


def test_names_and_corrections_hold(corrected):
    _, out, ada, bo = corrected
    found = named(out)
    assert {found[face["photo"]] for face in ada[1:4]} == {"Ada"}
    assert found[ada[0]["photo"]] != "Ada"
    assert found[bo[0]["photo"]] == "Bo"
    assert re.fullmatch(r"Person \d", *{found[face["photo"]] for face in bo[1:4]})
    assert {row["person"] for row in rows(out / "people.csv")} > {"Ada", "Bo"}
    assert (out / "folders" / "Ada").is_dir()


def test_names_and_corrections_hold_when_photos_are_moved_and_removed(run, corrected):
    photos, out, ada, bo = corrected
    before = named(out)
    (photos / "sub").mkdir()
    for face in (bo[0], *ada[1:3]):
        (photos / face["photo"]).rename(photos / "sub" / face["photo"])
    assert run("people", photos, "--out", out)[0] == 0
    assert named(out) == before
    (photos / ada[0]["photo"]).unlink()
    code, told, _ = run("people", photos, "--out", out)
    assert code == 0
    assert "1 fits no face here" in told
    assert told.count(ada[0]["photo"]) == 1
    assert "line" not in told
    found = named(out)
    assert {found[face["photo"]] for face in ada[1:4]} == {"Ada"}
    assert found[bo[0]["photo"]] == "Bo"


def test_other_corrections_take_the_place_of_the_first_which_are_kept(run, corrected, tmp_path):
    photos, out, ada, bo = corrected
    first = (out / "corrections.csv").read_bytes()
    again = corrections(tmp_path / "again.csv", [{**face, "person": "Ada"} for face in (*ada, *bo)])
    assert run("people", photos, "--out", out, "--corrections", again)[0] == 0
    found = named(out)
    assert {found[face["photo"]] for face in (*ada, *bo)} == {"Ada"}
    assert (out / "corrections.before.csv").read_bytes() == first
    told = run("people", photos, "--out", out)[1]
    assert f"{len(ada) + len(bo)} corrections from" in told
    assert (out / "corrections.before.csv").read_bytes() == first
    nothing = corrections(tmp_path / "nothing.csv", [{**ada[0], "person": ""}])
    for _ in range(2):
        assert run("people", photos, "--out", out, "--corrections", nothing)[0] == 0
        assert "Ada" not in named(out).values()
    assert "corrections from" not in run("people", photos, "--out", out)[1]
    assert "Ada" not in named(out).values()


def test_a_table_saved_over_the_first_leaves_it_kept(run, corrected):
    photos, out, ada, _ = corrected
    first = (out / "corrections.csv").read_bytes()
    corrections(out / "corrections.csv", [{**face, "person": "Eve"} for face in ada])
    for _ in range(2):
        assert run("people", photos, "--out", out)[0] == 0
        assert {named(out)[face["photo"]] for face in ada} == {"Eve"}
        assert (out / "corrections.before.csv").read_bytes() == first


def test_folders_that_cannot_be_made_leave_the_page_and_the_tables_of_one_run(run, corrected):
    photos, out, ada, _ = corrected
    corrections(out / "corrections.csv", [{**face, "person": "Eve"} for face in ada])
    (out / "folders" / "Eve").touch()
    assert run("people", photos, "--out", out, "--folders", "copy")[0] == 5
    assert "Eve" in {row["person"] for row in rows(out / "people.csv")}
    assert 'data-called="Eve"' in (out / "index.html").read_text()


def test_corrections_that_a_browser_saved_under_another_name_are_told(run, corrected):
    photos, out, _, _ = corrected
    other = shutil.copy(out / "corrections.csv", out / "corrections (1).csv")
    began = (out / "corrections.csv").stat().st_mtime
    command = ["people", photos, "--out", out]
    for later, words, told in ((9, [], True), (-9, [], False), (9, ["--corrections", other], False)):
        os.utime(other, (began + later, began + later))
        code, _, problems = run(*command, *words)
        assert code == 0
        assert ("corrections.csv alone, not from corrections (1).csv, saved later;" in problems) == told
    (out / "corrections.csv").unlink()
    assert "not from corrections (1).csv" in run(*command)[2]


def test_of_two_runs_on_one_folder_the_second_is_refused_and_changes_nothing(run, corrected, tmp_path):
    photos, out, ada, _ = corrected
    again = corrections(tmp_path / "again.csv", [{**face, "person": "Bo"} for face in ada])
    before = {path: path.read_bytes() for path in out.glob("[!.]*.*")}
    with one_writer_in(out):
        code, _, line = run("people", photos, "--out", out, "--corrections", again)
    assert code == 5
    assert "out is in use by process" in line
    assert {path: path.read_bytes() for path in out.glob("[!.]*.*")} == before
