import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from personae.embed.faces import Face
from personae.embed.store import Seen, Stamp, Store, Thumbnails
from personae.errors import InputError, OutputError

D = 4
STAMP = Stamp(100, 200)


def made_face(number):
    rng = np.random.default_rng(number)
    return Face(
        box=rng.random(4).astype(np.float32),
        landmarks=rng.random((5, 2)).astype(np.float32),
        score=0.9,
        quality=rng.random(),
        crop=rng.integers(0, 256, (112, 112, 3), np.uint8),
        thumbnail=f"jpeg {number}".encode(),
    )


def seen(file, content, faces=(), broken=None, stamp=STAMP):
    features = np.array([feature_of(face) for face in faces], np.float32)
    return Seen(file, Path("/photos") / file, stamp, content, faces, broken, features=features)


def feature_of(face):
    return face.crop[0, :D, 0] / np.float32(255)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "faces.store"


def test_what_was_kept_comes_back_in_the_order_asked_for(path):
    faces = [made_face(number) for number in range(5)]
    with Store(path, b"setting") as store:
        store.keep([seen("a.jpg", b"a", faces[:2])])
        store.keep([seen("b.jpg", b"b")])
        store.keep([seen("c.jpg", b"c", [], "damaged")])
        store.keep([seen("d.jpg", b"d", faces[2:])])
    with Store(path, b"setting") as store:
        kept = store.faces_of([b"d", b"c", b"unknown", b"a", b"b", b"d"], D)
    order = [2, 3, 4, 0, 1, 2, 3, 4]
    assert kept.photo.tolist() == [0, 0, 0, 3, 3, 5, 5, 5]
    assert kept.broken == {1: "damaged"}
    np.testing.assert_array_equal(kept.features, [feature_of(faces[face]) for face in order])
    np.testing.assert_array_equal(kept.box, [faces[face].box for face in order])
    np.testing.assert_allclose(kept.quality, [faces[face].quality for face in order], rtol=1e-6)
    thumbnails = Thumbnails(path, kept.ids)
    assert list(thumbnails) == [f"jpeg {face}".encode() for face in order]
    assert list(thumbnails[2:4]) == [b"jpeg 4", b"jpeg 0"]
    assert thumbnails[-1] == b"jpeg 4"
    with pytest.raises(IndexError):
        thumbnails[8]


def test_a_content_is_kept_once(path):
    with Store(path, b"setting") as store:
        store.keep([seen("a.jpg", b"a", [made_face(0)])])
        before = store.faces_of([b"a"], D)
        store.keep([seen("copy.jpg", b"a", [made_face(1), made_face(2)])])
        after = store.faces_of([b"a"], D)
    np.testing.assert_array_equal(before.ids, after.ids)
    np.testing.assert_array_equal(before.features, after.features)


def test_settings_do_not_see_each_others_faces(path):
    with Store(path, b"one") as store:
        store.keep([seen("a.jpg", b"a", [made_face(0)])])
    with Store(path, b"two") as store:
        assert not store.holds(b"a")
        assert store.content_of(Path("/photos/a.jpg"), STAMP) == b"a"
        assert len(store.faces_of([b"a"], D).ids) == 0
    with Store(path, b"one") as store:
        assert store.holds(b"a")


def test_a_file_is_remembered_until_its_stamp_changes(path):
    file = Path("/photos/a.jpg")
    with Store(path, b"setting") as store:
        store.keep([seen("a.jpg", b"a", [made_face(0)])])
        assert store.content_of(file, STAMP) == b"a"
        assert store.content_of(file, Stamp(100, 201)) is None
        assert store.content_of(file, Stamp(101, 200)) is None
        assert store.content_of(Path("/other/a.jpg"), STAMP) is None
        store.keep([seen("a.jpg", b"new", stamp=Stamp(101, 201))])
        assert store.content_of(file, STAMP) is None
        assert store.content_of(file, Stamp(101, 201)) == b"new"


def test_what_other_decoders_could_not_read_is_not_held(path):
    looks = [
        seen("a.jpg", b"whole", [made_face(0)]),
        seen("b.jpg", b"nobody"),
        seen("c.jpg", b"broken", [], "damaged"),
        seen("d.mp4", b"cut", [made_face(1)], "cut off"),
    ]
    for decoders, forgotten in (("pillow 1", []), ("pillow 1", []), ("pillow 2", [b"broken"])):
        with Store(path, b"setting", decoders) as store:
            if not store.holds(b"whole"):
                store.keep(looks)
            assert [look.content for look in looks if not store.holds(look.content)] == forgotten
    with Store(path, b"another setting", "pillow 3") as store:
        store.keep(looks)
    with Store(path, b"setting", "pillow 2") as store:
        store.keep(looks)
        assert store.faces_of([b"broken"], D).broken == {0: "damaged"}


def test_an_empty_file_becomes_a_store(path):
    path.parent.mkdir()
    path.touch()
    with Store(path, b"setting") as store:
        assert not store.holds(b"a")


def test_files_of_others_are_refused_and_left_as_they_are(path):
    path.parent.mkdir()
    for content in (b"x", b"Dear diary " * 1000):
        path.write_bytes(content)
        with pytest.raises(InputError, match="no store of faces"):
            Store(path, b"setting")
        assert path.read_bytes() == content
    path.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE songs (title TEXT)")
    other.commit()
    other.close()
    before = path.read_bytes()
    with pytest.raises(InputError, match="a database of another program"):
        Store(path, b"setting")
    assert path.read_bytes() == before


def test_a_store_of_another_version_is_refused(path):
    Store(path, b"setting").__exit__(None, None, None)
    base = sqlite3.connect(path)
    base.execute("PRAGMA user_version = 99")
    base.close()
    with pytest.raises(InputError, match="another version of personae"):
        Store(path, b"setting")


@pytest.mark.parametrize("spoil", ["middle", "end", "table", "feature"])
def test_a_damaged_store_says_so(path, spoil):
    contents = [bytes([number]) for number in range(200)]
    with Store(path, b"setting") as store:
        for number, content in enumerate(contents):
            store.keep([seen(f"{number}.jpg", content, [made_face(number)] * 5)])
    stored = bytearray(path.read_bytes())
    if spoil == "middle":
        stored[8192:-4096] = bytes(len(stored) - 4096 - 8192)
        path.write_bytes(stored)
    elif spoil == "end":
        path.write_bytes(stored[: len(stored) // 3])
    else:
        base = sqlite3.connect(path)
        base.execute("DROP TABLE faces" if spoil == "table" else "UPDATE faces SET feature = x'00'")
        base.commit()
        base.close()
    with (
        pytest.raises(InputError, match="damaged or no store of faces; delete it"),
        Store(path, b"setting") as store,
    ):
        store.faces_of(contents, D)


def test_places_that_cannot_be_written_are_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    for path in (tmp_path, tmp_path / "file" / "faces.store"):
        with pytest.raises(OutputError, match="cannot write"):
            Store(path, b"setting")


def test_a_full_disk_is_no_damage(path):
    faces = [made_face(number) for number in range(200)]
    with Store(path, b"setting") as store:
        store._base.execute("PRAGMA max_page_count = 1")  # that is, no more than there are
        with pytest.raises(OutputError, match="full; make room"):
            store.keep([seen("a.jpg", b"a", faces)])
        assert not store.holds(b"a")
        store._base.execute("PRAGMA max_page_count = 10000")
        store.keep([seen("a.jpg", b"a", faces)])
        assert len(store.faces_of([b"a"], D).ids) == 200


def test_thumbnails_of_a_store_that_is_gone_say_so(path):
    with Store(path, b"setting") as store:
        store.keep([seen("a.jpg", b"a", [made_face(0)])])
        ids = store.faces_of([b"a"], D).ids
    with pytest.raises(InputError, match="damaged"):
        Thumbnails(path, ids + 1)[0]
    path.unlink()
    with pytest.raises(InputError, match="is gone"):
        Thumbnails(path, ids)[0]
    assert not path.exists()


def test_several_runs_may_start_and_write_the_same_store(path):
    problems = []

    def run(number):
        try:
            with Store(path, b"setting") as store:
                for photo in range(10):
                    store.keep(
                        [seen(f"{number}-{photo}.jpg", f"{number} {photo}".encode(), [made_face(photo)])]
                    )
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    with Store(path, b"setting") as store:
        contents = [f"{number} {photo}".encode() for number in range(4) for photo in range(10)]
        assert len(store.faces_of(contents, D).ids) == 40


def test_a_kill_while_writing_leaves_whole_photos(path):
    endless = f"""
import itertools
from tests.embed.test_store import Path, Store, made_face, seen
with Store(Path({str(path)!r}), b"setting") as store:
    for number in itertools.count():
        store.keep([seen(f"{{number}}.jpg", str(number).encode(), [made_face(face) for face in range(3)])])
        print(number, flush=True)
"""
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen([sys.executable, "-c", endless], stdout=subprocess.PIPE, cwd=root) as run:
        written = [int(run.stdout.readline()) for _ in range(50)]
        run.kill()
    with Store(path, b"setting") as store:
        kept = store.faces_of([str(number).encode() for number in written], D)
        assert kept.photo.tolist() == [number for number in written for _ in range(3)]
    base = sqlite3.connect(path)
    assert base.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert base.execute("SELECT DISTINCT count(*) FROM faces GROUP BY photo").fetchall() == [(3,)]
    assert (
        base.execute("SELECT count(*) FROM faces").fetchall()
        == base.execute("SELECT count(*) FROM thumbnails").fetchall()
    )
    base.close()
