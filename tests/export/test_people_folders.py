"""The folders: complete, the same on a second run, and never at the cost of what the user put there."""

import errno
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from personae.errors import InputError, OutputError
from personae.export import FoldersWritten, folders, write_folders


def tree(out: Path) -> dict[str, bytes]:
    """Every file below, with what it shows."""
    files = (path for path in out.rglob("*") if not path.is_dir() and path.name != folders.FOLDERS_MANIFEST)
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def album(people_of, photos, tmp_path):
    """Two people, both in one photo, one name twice, a lone face; the photos; a place for the folders."""
    people = people_of(
        [0, 0, 1, 1, 0, 2], ["both.jpg", "a/IMG.jpg", "both.jpg", "b/IMG.jpg", "b/IMG.jpg", "c.jpg"]
    )
    return people, photos(people), tmp_path / "out"


@pytest.mark.parametrize("how", ["link", "copy"])
def test_each_person_has_a_folder_of_their_photos(album, how):
    people, photos, out = album
    assert write_folders(people, out, photos=photos, how=how) == FoldersWritten(6, 0, 0, 0)
    assert tree(out) == {
        "Person 1/IMG.jpg": b"photo 'a/IMG.jpg'",
        "Person 1/IMG (2).jpg": b"photo 'b/IMG.jpg'",
        "Person 1/both.jpg": b"photo 'both.jpg'",
        "Person 2/IMG.jpg": b"photo 'b/IMG.jpg'",
        "Person 2/both.jpg": b"photo 'both.jpg'",
        "Lone faces/c.jpg": b"photo 'c.jpg'",
    }
    links = [path.is_symlink() for path in out.glob("*/*.jpg")]
    assert all(links) if how == "link" else not any(links)


def test_links_are_relative_and_move_with_the_photos(album, tmp_path):
    people, photos, out = album
    write_folders(people, out, photos=photos, how="link")
    before = tree(out)
    tmp_path.joinpath("elsewhere").mkdir()
    shutil.move(photos, tmp_path / "elsewhere" / "photos")
    shutil.move(out, tmp_path / "elsewhere" / "out")
    photos, out = tmp_path / "elsewhere" / "photos", tmp_path / "elsewhere" / "out"
    assert tree(out) == before
    assert write_folders(people, out, photos=photos, how="link") == FoldersWritten(0, 6, 0, 0)
    assert tree(out) == before


def test_links_hold_when_the_place_is_reached_through_a_link(album, tmp_path):
    people, photos, _ = album
    (tmp_path / "deep" / "down").mkdir(parents=True)
    (tmp_path / "short").symlink_to(tmp_path / "deep" / "down")
    write_folders(people, tmp_path / "short" / "out", photos=photos, how="link")
    assert len(tree(tmp_path / "deep" / "down" / "out")) == 6


@pytest.mark.parametrize("how", ["link", "copy"])
def test_a_second_run_changes_nothing(album, how):
    people, photos, out = album
    write_folders(people, out, photos=photos, how=how)
    before = {path: path.lstat().st_ino for path in out.rglob("*.jpg")}
    assert write_folders(people, out, photos=photos, how=how) == FoldersWritten(0, 6, 0, 0)
    assert {path: path.lstat().st_ino for path in out.rglob("*.jpg")} == before


@pytest.mark.parametrize("how", ["link", "copy"])
@pytest.mark.parametrize("then", ["link", "copy"])
def test_other_people_replace_the_earlier_ones(album, people_of, how, then):
    people, photos, out = album
    write_folders(people, out, photos=photos, how=how)
    fewer = people_of([0, 0], ["c.jpg", "b/IMG.jpg"])
    assert write_folders(fewer, out, photos=photos, how=then).removed == 5
    assert tree(out) == {"Person 1/IMG.jpg": b"photo 'b/IMG.jpg'", "Person 1/c.jpg": b"photo 'c.jpg'"}
    assert sorted(path.name for path in out.iterdir()) == [folders.FOLDERS_MANIFEST, "Person 1"]
    assert {path.is_symlink() for path in out.glob("*/*.jpg")} == {then == "link"}


@pytest.mark.parametrize("how", ["link", "copy"])
def test_what_the_user_put_there_stays(album, people_of, how):
    people, photos, out = album
    (out / "Person 1").mkdir(parents=True)
    (out / "Person 1" / "img.JPG").write_bytes(b"mine")
    (out / "Person 1" / "both.jpg").write_bytes(b"mine too")
    (out / "notes.txt").write_bytes(b"mine as well")
    write_folders(people, out, photos=photos, how=how)
    assert tree(out)["Person 1/both (2).jpg"] == b"photo 'both.jpg'"
    assert tree(out)["Person 1/IMG (2).jpg"] == b"photo 'a/IMG.jpg'"
    assert write_folders(people, out, photos=photos, how=how).made == 0
    write_folders(people_of([]), out, photos=photos, how=how)
    assert tree(out) == {
        "Person 1/img.JPG": b"mine",
        "Person 1/both.jpg": b"mine too",
        "notes.txt": b"mine as well",
    }


@pytest.mark.parametrize("how", ["link", "copy"])
def test_what_the_user_changed_stays(album, people_of, how):
    people, photos, out = album
    write_folders(people, out, photos=photos, how=how)
    changed = out / "Person 1" / "both.jpg"
    changed.unlink()
    changed.write_bytes(b"retouched")
    (out / "Person 2" / "both.jpg").unlink()
    (out / "Person 2" / "both.jpg").symlink_to("nowhere")
    write_folders(people, out, photos=photos, how=how)
    assert changed.read_bytes() == b"retouched"
    assert (out / "Person 1" / "both (2).jpg").read_bytes() == b"photo 'both.jpg'"
    write_folders(people_of([]), out, photos=photos, how=how)
    assert sorted(path.name for path in out.glob("*/*")) == ["both.jpg", "both.jpg"]


def test_a_copy_that_may_be_the_last_stays(album, people_of):
    people, photos, out = album
    write_folders(people, out, photos=photos, how="copy")
    (photos / "c.jpg").unlink()
    assert write_folders(people_of([]), out, photos=photos, how="copy") == FoldersWritten(0, 0, 5, 1)
    assert tree(out) == {"Lone faces/c.jpg": b"photo 'c.jpg'"}
    (photos / "c.jpg").write_bytes(b"back")
    assert write_folders(people_of([]), out, photos=photos, how="copy") == FoldersWritten(0, 0, 1, 0)


def test_a_copy_of_a_photo_that_changed_is_made_anew(album):
    people, photos, out = album
    write_folders(people, out, photos=photos, how="copy")
    (photos / "c.jpg").write_bytes(b"a new version")
    assert write_folders(people, out, photos=photos, how="copy") == FoldersWritten(1, 5, 0, 0)
    assert tree(out)["Lone faces/c.jpg"] == b"a new version"


@pytest.mark.parametrize("hard_links", [True, False])
def test_where_links_are_refused_there_are_hard_links_or_copies(album, people_of, monkeypatch, hard_links):
    def refuse(*_arguments, **_named):
        raise PermissionError(errno.EPERM, "not permitted")

    monkeypatch.setattr(os, "symlink", refuse)
    if not hard_links:
        monkeypatch.setattr(os, "link", refuse)
    people, photos, out = album
    write_folders(people, out, photos=photos, how="link")
    assert len(tree(out)) == 6
    assert (out / "Lone faces" / "c.jpg").samefile(photos / "c.jpg") == hard_links
    assert write_folders(people, out, photos=photos, how="link").made == 0
    if hard_links:
        with (photos / "c.jpg").open("ab") as photo:
            photo.write(b", edited in place")
    assert write_folders(people_of([]), out, photos=photos, how="link").removed == 6
    assert tree(out) == {} and (photos / "c.jpg").is_file()


def test_a_run_that_was_stopped_is_completed_by_the_next(album, people_of, monkeypatch):
    people, photos, out = album
    write_folders(people_of([0, 0], ["c.jpg", "a/IMG.jpg"]), out, photos=photos, how="copy")
    make, calls = folders._make, []

    def stop(*arguments):
        calls.append(arguments)
        if len(calls) == 4:
            raise KeyboardInterrupt
        make(*arguments)

    monkeypatch.setattr(folders, "_make", stop)
    with pytest.raises(KeyboardInterrupt):
        write_folders(people, out, photos=photos, how="link")
    monkeypatch.undo()
    (out / "Person 1" / ".writing-1-both.jpg").touch()
    write_folders(people, out, photos=photos, how="link")
    assert len(tree(out)) == 6 and all(path.is_symlink() for path in out.glob("*/*.jpg"))
    write_folders(people_of([]), out, photos=photos, how="link")
    assert tree(out) == {}


def test_hostile_names_stay_in_their_folder(people_of, photos, hostile, tmp_path):
    people = people_of([0] * len(hostile), files=hostile)
    where = photos(people)
    write_folders(people, tmp_path / "out", photos=where, how="copy")
    assert set(tree(tmp_path / "out")) == {f"Person 1/{Path(name).name}" for name in hostile}
    assert {path.name for path in tmp_path.iterdir()} == {"photos", "out"}
    assert write_folders(people, tmp_path / "out", photos=where, how="copy").made == 0


def test_names_that_differ_in_case_or_accent_spelling_do_not_meet(people_of, photos, tmp_path):
    people = people_of([0] * 4, files=["a/É.jpg", "b/e\u0301.jpg", "c/É (2).jpg", "d/x.jpg"])
    write_folders(people, tmp_path / "out", photos=photos(people), how="link")
    names = [path.stem for path in (tmp_path / "out" / "Person 1").iterdir()]
    assert len({folders._as_one_name(name) for name in names}) == 4


@pytest.mark.parametrize("obstacle", ["file", "link"])
def test_something_in_place_of_a_folder_is_refused(album, tmp_path, obstacle):
    people, photos, out = album
    out.mkdir()
    (tmp_path / "other").mkdir()
    if obstacle == "file":
        (out / "Person 2").touch()
    else:
        (out / "Person 2").symlink_to(tmp_path / "other")
    with pytest.raises(OutputError, match="Person 2 is in the way"):
        write_folders(people, out, photos=photos, how="link")
    assert not any((tmp_path / "other").iterdir()) and not (out / "Person 1").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"folder": ".."},
        {"folder": "Person 1/.."},
        {"folder": "."},
        {"folder": ".git"},
        {"folder": "a\\b"},
        {"name": "../../photos/c.jpg"},
        {"name": ".."},
        {"name": ""},
        {"name": 3},
        {"photo": "../secret"},
        {"size": "1"},
        {"more": 1},
    ],
)
def test_a_manifest_that_reaches_elsewhere_is_refused(album, change):
    people, photos, out = album
    write_folders(people, out, photos=photos, how="copy")
    manifest = json.loads((out / folders.FOLDERS_MANIFEST).read_text())
    manifest["entries"][0] |= change
    (out / folders.FOLDERS_MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(InputError, match="is damaged"):
        write_folders(people, out, photos=photos, how="copy")
    assert len(tree(out)) == 6


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2}', "\udcff"])
def test_a_damaged_manifest_is_refused(album, text):
    people, photos, out = album
    out.mkdir()
    (out / folders.FOLDERS_MANIFEST).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match="is damaged"):
        write_folders(people, out, photos=photos, how="link")


def test_missing_photos_are_named_before_anything_is_made(album):
    people, photos, out = album
    (photos / "c.jpg").unlink()
    with pytest.raises(InputError, match=r"photos are missing in .*: c\.jpg; give"):
        write_folders(people, out, photos=photos, how="link")
    assert not out.exists()


def test_a_way_that_does_not_exist_is_refused(album):
    people, photos, out = album
    with pytest.raises(InputError, match="by 'link' or by 'copy'"):
        write_folders(people, out, photos=photos, how="move")


def test_a_place_that_cannot_be_written_is_named(album):
    people, photos, out = album
    out.write_text("a file")
    with pytest.raises(OutputError, match="cannot write"):
        write_folders(people, out / "below", photos=photos, how="link")


def test_no_faces_make_no_folders(people_of, photos, tmp_path):
    nobody = people_of([])
    assert write_folders(nobody, tmp_path / "out", photos=photos(nobody), how="link") == FoldersWritten(
        0, 0, 0, 0
    )
    assert tree(tmp_path / "out") == {}


def test_people_with_names_have_folders_of_these_names_on_any_system(people_of, photos, tmp_path):
    names = ["Ada", "ADA", "a/b", "a?b", "..", "con", "Lone faces", "x" * 300]
    people = people_of([row // 2 for row in range(2 * len(names) + 1)])
    named = replace(people, called=dict(enumerate(names)))
    out = tmp_path / "out"
    where = photos(people)
    write_folders(named, out, photos=where, how="copy")
    made = ["Ada", "ADA (2)", "a_b", "a_b (2)", "_", "_con", "Lone faces (2)", "x" * 120, "Lone faces"]
    assert {path.name for path in out.iterdir() if path.is_dir()} == {*made}
    assert write_folders(named, out, photos=where, how="copy") == FoldersWritten(0, 17, 0, 0)
    assert write_folders(people, out, photos=where, how="copy").removed == 16
    assert not (out / "Ada").exists()
