import os
import shutil
import sqlite3
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from personae.embed import Embedder, Preprocessing, embed_photos, sface
from personae.embed.session import WEIGHTS
from personae.embed.strangers import strangers
from personae.errors import InputError, OutputError


@pytest.fixture
def store(tmp_path):
    return tmp_path / "faces.store"


def same(one, other):
    np.testing.assert_array_equal(one.faces.features, other.faces.features)
    np.testing.assert_array_equal(one.faces.sources.box, other.faces.sources.box)
    np.testing.assert_array_equal(one.faces.sources.quality, other.faces.sources.quality)
    np.testing.assert_array_equal(one.faces.sources.file, other.faces.sources.file)
    assert one.faces.sources.files == other.faces.sources.files
    assert list(one.thumbnails) == list(other.thumbnails)
    assert one.skipped == other.skipped
    return True


def test_photos_in_faces_out(folder, store, people_in):
    photos = folder(first=8)
    album = embed_photos(photos, store)
    names = sorted(path.name for path in photos.iterdir())
    shown = [name for name in names for _ in people_in[name]]
    assert [album.faces.sources.files[file] for file in album.faces.sources.file] == shown
    assert album.faces.features.shape == (len(shown), sface().dimension)
    np.testing.assert_array_equal(album.strangers, strangers(sface()))
    assert album.faces.features.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(album.faces.features, axis=1), 1, atol=1e-5)
    assert album.faces.truth is None
    assert (album.photos, album.fresh, album.skipped) == (8, 8, ())
    assert album.timings.faces == len(shown)
    assert all(album.timings.seconds[stage] > 0 for stage in ("read", "detect", "align", "embed", "describe"))
    for name, box, quality in zip(shown, album.faces.sources.box, album.faces.sources.quality, strict=True):
        with Image.open(photos / name) as picture:
            width, height = picture.size
        assert box[0] >= 0 and box[1] >= 0 and box[0] + box[2] <= width and box[1] + box[3] <= height
        assert 0 < quality <= 1
    for thumbnail in album.thumbnails:
        assert max(Image.open(BytesIO(thumbnail)).size) == 112


def test_people_side_by_side_come_from_left_to_right(folder, store, two_faces):
    album = embed_photos(folder(*two_faces), store)
    assert np.bincount(album.faces.sources.file).tolist() == [2] * len(two_faces)
    left = album.faces.sources.box[:, 0].reshape(-1, 2)
    assert (left[:, 0] < left[:, 1]).all()


def test_photos_of_one_person_are_alike(folder, store, people_in):
    alone = [photo for photo, people in people_in.items() if len(people) == 1]
    chosen = {}
    for photo in alone:
        chosen.setdefault(people_in[photo][0], []).append(photo)
    people = sorted(chosen, key=lambda person: -len(chosen[person]))[:4]
    album = embed_photos(folder(*(photo for person in people for photo in chosen[person][:5])), store)
    who = np.array([people_in[album.faces.sources.files[file]][0] for file in album.faces.sources.file])
    similarity = album.faces.features @ album.faces.features.T
    np.fill_diagonal(similarity, -1)
    assert (who[similarity.argmax(axis=1)] == who).all()


def test_a_second_run_embeds_nothing(folder, store):
    photos = folder(first=4)
    first, second = embed_photos(photos, store), embed_photos(photos, store)
    assert (first.fresh, second.fresh) == (4, 0)
    assert second.timings.faces == 0
    assert same(first, second)


def test_unchanged_photos_are_not_even_read(folder, store, monkeypatch):
    photos = folder(first=3)
    first = embed_photos(photos, store)

    def refuses(*_arguments, **_options):
        raise AssertionError("a photo was opened")

    monkeypatch.setattr("hashlib.file_digest", refuses)
    assert same(first, embed_photos(photos, store))


def test_a_touched_photo_is_read_and_known(folder, store):
    photos = folder(first=3)
    first = embed_photos(photos, store)
    for path in photos.iterdir():
        os.utime(path, (1, 1))
    second = embed_photos(photos, store)
    assert second.fresh == 0
    assert same(first, second)


def test_a_renamed_photo_is_known_and_a_changed_one_is_not(folder, store, sample):
    photos = folder(first=4)
    names = sorted(path.name for path in photos.iterdir())
    first = embed_photos(photos, store)
    (photos / "new folder").mkdir()
    (photos / names[0]).rename(photos / "new folder" / "z.jpg")
    renamed = embed_photos(photos, store)
    assert renamed.fresh == 0
    assert renamed.faces.sources.files == (*names[1:], "new folder/z.jpg")
    np.testing.assert_array_equal(np.roll(first.faces.features, -1, axis=0), renamed.faces.features)
    replaced = sorted(path.name for path in sample.iterdir())[20]
    shutil.copy(sample / replaced, photos / names[1])
    changed = embed_photos(photos, store)
    assert changed.fresh == 1
    assert not np.array_equal(changed.faces.features[0], renamed.faces.features[0])
    np.testing.assert_array_equal(changed.faces.features[1:], renamed.faces.features[1:])


def test_photos_that_are_gone_are_gone_from_the_album(folder, store):
    photos = folder(first=4)
    embed_photos(photos, store)
    names = sorted(path.name for path in photos.iterdir())
    (photos / names[2]).unlink()
    album = embed_photos(photos, store)
    assert album.faces.sources.files == (*names[:2], names[3])
    assert (album.photos, album.fresh) == (3, 0)


def test_two_copies_of_a_photo_are_two_photos(folder, store):
    photos = folder(first=1)
    shutil.copy(next(photos.iterdir()), photos / "copy.jpg")
    album = embed_photos(photos, store)
    assert len(album.faces) == len(album.faces.sources.files) == 2
    np.testing.assert_array_equal(album.faces.features[0], album.faces.features[1])


def test_another_embedder_starts_afresh_and_takes_nothing_from_the_first(folder, store):
    photos = folder(first=3)
    first = embed_photos(photos, store)
    other = Embedder.load(WEIGHTS / "sface.onnx", Preprocessing(mean=0, scale=1, color="bgr"))
    second = embed_photos(photos, store, embedder=other)
    assert second.fresh == 3
    assert not np.allclose(first.faces.features, second.faces.features, atol=1e-3)
    again = embed_photos(photos, store)
    assert again.fresh == 0
    assert same(first, again)


@pytest.mark.parametrize("workers", [1, 3, 8])
def test_the_result_does_not_depend_on_the_workers(folder, tmp_path, workers):
    photos = folder(first=9)
    assert same(
        embed_photos(photos, tmp_path / "one.store", workers=1),
        embed_photos(photos, tmp_path / f"{workers}.store", workers=workers),
    )


def test_a_turned_photo_gives_the_same_face(tmp_path, store, portrait):
    photos = tmp_path / "photos"
    photos.mkdir()
    large = portrait.resize((portrait.width * 8, portrait.height * 8), Image.Resampling.BICUBIC)
    for orientation, turn in ((1, None), (3, Image.Transpose.ROTATE_180), (6, Image.Transpose.ROTATE_90)):
        exif = Image.Exif()
        exif[0x0112] = orientation
        for name, picture in (("small", portrait), ("large", large)):
            stored = picture if turn is None else picture.transpose(turn)
            stored.save(photos / f"{name}{orientation}.jpg", quality=95, exif=exif)
    album = embed_photos(photos, store)
    assert len(album.faces) == 6
    assert (album.faces.features @ album.faces.features.T).min() > 0.9
    large_boxes, small_boxes = album.faces.sources.box[:3], album.faces.sources.box[3:]
    np.testing.assert_allclose(large_boxes / 8, small_boxes, atol=0.1 * small_boxes[0, 2])


def test_broken_photos_are_listed_once_looked_at_and_remembered(folder, store, sample):
    photos = folder(first=2)
    whole = next(sample.iterdir()).read_bytes()
    (photos / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (photos / "empty.png").touch()
    (photos / "sub").mkdir()
    (photos / "sub" / "text.jpg").write_text("not a photo")
    album = embed_photos(photos, store)
    assert [skipped.file for skipped in album.skipped] == ["cut.jpg", "empty.png", "sub/text.jpg"]
    assert "truncated" in album.skipped[0].reason
    assert len(album.faces) == 2
    assert (album.photos, album.fresh) == (5, 5)
    again = embed_photos(photos, store)
    assert again.fresh == 0
    assert same(album, again)


def test_what_could_not_be_read_is_tried_again(folder, store, monkeypatch):
    photos = folder(first=2)
    (photos / "photo.heic").write_bytes(b"\x00\x00\x00\x18ftypheic" + bytes(100))
    for _ in range(2):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, "pillow_heif", None)
            album = embed_photos(photos, store)
        assert "pip install 'personae[heif]'" in album.skipped[0].reason
    pytest.importorskip("pillow_heif")
    album = embed_photos(photos, store)
    assert album.fresh == 1
    assert "pip install" not in album.skipped[0].reason


def test_other_decoders_try_the_broken_photos_again_and_no_others(folder, store, monkeypatch):
    photos = folder(first=2)
    (photos / "text.jpg").write_text("not a photo")
    assert embed_photos(photos, store).fresh == 3
    monkeypatch.setattr("personae.embed.album.decoders", lambda: "pillow 99")
    for fresh in (1, 0):
        album = embed_photos(photos, store)
        assert album.fresh == fresh
        assert [skipped.file for skipped in album.skipped] == ["text.jpg"]


def test_odd_metadata_is_no_matter(folder, store, portrait):
    photos = folder(first=1)
    portrait.save(photos / "odd.jpg", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")
    album = embed_photos(photos, store)
    assert len(album.faces) == 2
    assert not album.skipped


def test_photos_without_a_face_give_an_empty_album(tmp_path, store):
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.new("RGB", (300, 200), "green").save(photos / "meadow.png")
    Image.new("RGB", (12_000, 600), "blue").save(photos / "panorama.png")
    for _ in range(2):
        album = embed_photos(photos, store)
        assert album.faces.features.shape == (0, 128)
        assert len(album.thumbnails) == len(album.faces.sources.files) == 0
        assert album.photos == 2


def test_a_small_face_in_a_wide_picture_is_found_and_taken_from_all_its_pixels(tmp_path, store, portrait):
    wide = Image.new("RGB", (6000, 2000), "gray")
    wide.paste(portrait, (5000, 700))
    wide.save(tmp_path / "wide.jpg", quality=95)
    portrait.save(tmp_path / "close.jpg", quality=95)
    album = embed_photos(tmp_path, store)
    assert album.faces.sources.files == ("close.jpg", "wide.jpg")
    close, far = album.faces.features
    assert close @ far > 0.9
    np.testing.assert_allclose(
        album.faces.sources.box[1], album.faces.sources.box[0] + [5000, 700, 0, 0], atol=25
    )


def test_one_photo_is_an_album(sample, store):
    photo = sorted(sample.iterdir())[0]
    album = embed_photos(photo, store)
    assert album.faces.sources.files == (photo.name,)


def test_progress_is_told_from_what_is_known_to_the_end(folder, store):
    photos = folder(first=5)
    told = []
    embed_photos(photos, store, progress=lambda *numbers: told.append(numbers))
    assert told == [(done, 5) for done in range(6)]
    told.clear()
    embed_photos(photos, store, progress=lambda *numbers: told.append(numbers))
    assert told == [(5, 5)]


def test_an_interrupt_keeps_what_was_done(folder, store):
    photos = folder(first=12)

    def interrupts(done, _total):
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed_photos(photos, store, workers=2, progress=interrupts)
    album = embed_photos(photos, store)
    assert 4 <= album.fresh <= 8
    assert album.photos == 12


def test_a_killed_run_goes_on_where_it_was(folder, store, tmp_path):
    photos = folder(first=30)
    run = f"""
from pathlib import Path
from personae.embed import embed_photos
embed_photos(Path({str(photos)!r}), Path({str(store)!r}), workers=2, progress=lambda *n: print(*n, flush=True))
"""
    with subprocess.Popen([sys.executable, "-c", run], stdout=subprocess.PIPE) as process:
        done = 0
        while done < 8:
            done = int(process.stdout.readline().split()[0])
        process.kill()
    base = sqlite3.connect(store)
    assert base.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    base.close()
    resumed = embed_photos(photos, store)
    assert 0 <= resumed.fresh <= 30 - 8
    assert same(resumed, embed_photos(photos, tmp_path / "whole.store"))


def test_what_cannot_be_worked_with_is_said_in_one_line(tmp_path, store, folder):
    photos = folder(first=1)
    with pytest.raises(InputError, match="does not exist"):
        embed_photos(tmp_path / "nowhere", store)
    with pytest.raises(InputError, match="0 workers"):
        embed_photos(photos, store, workers=0)
    (tmp_path / "text").write_text("in the way of a store")
    with pytest.raises(InputError, match="no store of faces"):
        embed_photos(photos, tmp_path / "text")
    with pytest.raises(OutputError, match="cannot write"):
        embed_photos(photos, photos)


def test_importing_the_stage_does_not_load_onnx_runtime():
    look = "import sys, personae.embed; sys.exit('onnxruntime' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0


@pytest.mark.data
def test_real_people_are_found_and_told_apart(shared: Path, store, tmp_path):
    lines = (shared / "album" / "truth.csv").read_text().splitlines()[1:]
    photos_of = {}
    for line in lines:
        photo, person = line.split(",")
        photos_of.setdefault(person, []).append(photo)
    people = sorted(photos_of, key=lambda person: (-len(photos_of[person]), person))[:8]
    chosen = {Path(photo).name: person for person in people for photo in photos_of[person][:6]}
    photos = tmp_path / "photos"
    photos.mkdir()
    for photo in chosen:
        shutil.copy(shared / "album" / "photos" / photo, photos / photo)
    album = embed_photos(photos, store)
    sources = album.faces.sources
    middle = sources.box[:, :2] + sources.box[:, 2:] / 2 - 125
    main = [
        min(np.flatnonzero(sources.file == file), key=lambda face: np.abs(middle[face]).max())
        for file in range(len(sources.files))
    ]
    assert sources.files == tuple(sorted(chosen))
    who = np.array([chosen[photo] for photo in sources.files])
    similarity = album.faces.features[main] @ album.faces.features[main].T
    mates = (who[:, None] == who) & ~np.eye(len(who), dtype=bool)
    strangers = who[:, None] != who
    assert np.median(similarity[mates]) > 0.6
    assert np.quantile(similarity[strangers], 0.99) < 0.4
    assert (similarity[mates] > 0.36).mean() > 0.97
