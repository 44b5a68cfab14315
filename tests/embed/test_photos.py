import errno
import os
from pathlib import Path

import pytest

from personae.embed.photos import ENDINGS, photos_in
from personae.errors import InputError


def made(root, *files):
    for file in files:
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def test_photos_are_found_at_any_depth_in_sorted_order(tmp_path):
    made(tmp_path, "b.JPG", "a/z.png", "a/b/c/d.heic", "a.webp", "notes.txt", "jpg", "a/movie.mp4")
    found = photos_in(tmp_path)
    assert found.files == ("a.webp", "a/b/c/d.heic", "a/z.png", "b.JPG")
    assert found.folder == tmp_path
    assert found.skipped == ()


def test_every_ending_counts_in_any_case(tmp_path):
    made(tmp_path, *(f"small{ending}" for ending in ENDINGS), *(f"LARGE{ending.upper()}" for ending in ENDINGS))
    assert len(photos_in(tmp_path).files) == 2 * len(ENDINGS)


def test_hidden_files_and_folders_are_left_out(tmp_path):
    made(tmp_path, ".hidden.jpg", "._a.jpg", ".thumbnails/b.jpg", "a/.trash/c.jpg", "seen.jpg")
    assert photos_in(tmp_path).files == ("seen.jpg",)


def test_odd_names_are_kept_as_they_are(tmp_path):
    names = [
        "Zoë 😀.jpg",
        "e\u0301.jpg",
        "new\nline.jpg",
        "a'b\"c;d.jpg",
        "-rf.jpg",
        "100%.jpg",
        "  .jpg",
        "a.b.c.jpg",
    ]
    made(tmp_path, *names)
    assert photos_in(tmp_path).files == tuple(sorted(names))


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_a_name_that_is_not_unicode_is_skipped_with_a_reason(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9.jpg")).write_bytes(b"")
    made(tmp_path, "fine.jpg")
    found = photos_in(tmp_path)
    assert found.files == ("fine.jpg",)
    (skipped,) = found.skipped
    assert "rename" in skipped.reason
    assert skipped.file.encode() == rb"caf\udce9.jpg"


def test_one_photo_is_a_folder_of_one(tmp_path):
    made(tmp_path, "a/one.jpg", "a/two.jpg")
    found = photos_in(tmp_path / "a" / "one.jpg")
    assert (found.folder, found.files) == (tmp_path / "a", ("one.jpg",))
    assert found.path("one.jpg") == tmp_path / "a" / "one.jpg"


def test_the_place_of_a_photo_does_not_depend_on_where_the_program_runs(tmp_path, monkeypatch):
    made(tmp_path, "album/one.jpg")
    monkeypatch.chdir(tmp_path)
    assert photos_in(Path("album")).path("one.jpg") == tmp_path / "album" / "one.jpg"


def test_a_folder_in_a_loop_of_links_is_walked_once(tmp_path):
    made(tmp_path, "a/one.jpg")
    (tmp_path / "a" / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "a" / "here").symlink_to(tmp_path / "a", target_is_directory=True)
    (tmp_path / "same.jpg").symlink_to(tmp_path / "a" / "one.jpg")
    assert photos_in(tmp_path).files == ("a/one.jpg",)


def test_a_link_out_of_the_folder_is_followed_once(tmp_path):
    made(tmp_path, "disk/holiday/two.jpg", "disk/alone.jpg", "album/one.jpg")
    album, disk = tmp_path / "album", tmp_path / "disk"
    (album / "first").symlink_to(disk / "holiday", target_is_directory=True)
    (album / "second").symlink_to(disk / "holiday", target_is_directory=True)
    (disk / "holiday" / "back").symlink_to(album, target_is_directory=True)
    (album / "three.jpg").symlink_to(disk / "alone.jpg")
    assert photos_in(album).files == ("first/two.jpg", "one.jpg", "three.jpg")


def test_a_link_around_the_folder_of_another_link_brings_the_rest_of_it(tmp_path):
    made(tmp_path, "disk/2020/two.jpg", "disk/2021/three.jpg", "album/one.jpg")
    album, disk = tmp_path / "album", tmp_path / "disk"
    (album / "a").symlink_to(disk / "2020", target_is_directory=True)
    (album / "b").symlink_to(disk, target_is_directory=True)
    (disk / "2021" / "back").symlink_to(disk, target_is_directory=True)
    assert photos_in(album).files == ("a/two.jpg", "b/2021/three.jpg", "one.jpg")


def test_a_file_that_several_links_lead_to_comes_once(tmp_path):
    made(tmp_path, "disk/one.jpg", "disk/two.jpg", "album/here.jpg", "album/sub/three.jpg")
    album, disk = tmp_path / "album", tmp_path / "disk"
    for link in ("a.jpg", "b.jpg", "sub/c.jpg"):
        (album / link).symlink_to(disk / "one.jpg")
    (album / "sub" / "disk").symlink_to(disk, target_is_directory=True)
    assert photos_in(album).files == ("a.jpg", "here.jpg", "sub/disk/two.jpg", "sub/three.jpg")


def test_a_link_to_nothing_is_told(tmp_path):
    (tmp_path / "lost.jpg").symlink_to(tmp_path / "away.jpg")
    (skipped,) = photos_in(tmp_path).skipped
    assert (skipped.file, skipped.reason) == ("lost.jpg", "a link to nothing")


def test_links_to_what_lies_hidden_are_followed(tmp_path):
    made(tmp_path, ".objects/9f/3a.jpg", ".objects/blob", "plain.jpg")
    (tmp_path / "one.jpg").symlink_to(tmp_path / ".objects" / "9f" / "3a.jpg")
    (tmp_path / "two.jpg").symlink_to(tmp_path / ".objects" / "blob")
    (tmp_path / "again.jpg").symlink_to(tmp_path / "plain.jpg")
    assert photos_in(tmp_path).files == ("one.jpg", "plain.jpg", "two.jpg")


def test_what_the_system_refuses_is_told_in_its_words(tmp_path, monkeypatch):
    made(tmp_path, "away/private/one.jpg", "album/private/two.jpg", "album/lost.jpg", "album/fine.jpg")
    album = tmp_path / "album"
    (album / "link.jpg").symlink_to(tmp_path / "away" / "private" / "one.jpg")
    status = Path.stat

    def refuses(path, *, follow_symlinks=True):
        if "private" in path.parts[:-1]:
            raise PermissionError(errno.EACCES, "Permission denied")
        if path.name == "lost.jpg" and follow_symlinks:
            raise OSError(errno.ESTALE, "Stale file handle")
        return status(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", refuses)
    found = photos_in(album)
    assert found.files == ("fine.jpg",)
    assert sorted((skipped.file, skipped.reason) for skipped in found.skipped) == [
        ("link.jpg", "cannot be read: Permission denied"),
        ("lost.jpg", "cannot be read: Stale file handle"),
        ("private/two.jpg", "cannot be read: Permission denied"),
    ]
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        photos_in(tmp_path / "away" / "private" / "one.jpg")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes there")
def test_a_pipe_with_the_name_of_a_photo_is_no_photo(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    with pytest.raises(InputError, match="no photo or video in"):
        photos_in(tmp_path)


def test_a_folder_without_photos_says_what_was_looked_for(tmp_path):
    made(tmp_path, "notes.txt")
    with pytest.raises(InputError, match=r"\.jpg, \.jpeg, \.png") as caught:
        photos_in(tmp_path)
    assert str(tmp_path) in str(caught.value)
    with pytest.raises(InputError, match="does not exist"):
        photos_in(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"no photo or video by its name.*\.jpg"):
        photos_in(tmp_path / "notes.txt")
