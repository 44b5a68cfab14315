"""Videos among photos: looked at half a minute at a time, once each, and kept."""

import errno
import sys
import threading

import numpy as np
import pytest

from personae.embed import clips, embed_photos, video
from personae.embed.photos import Skipped
from personae.embed.store import Store
from personae.embed.tracks import Likeness
from personae.errors import InputError


def test_photos_and_videos_lie_side_by_side(two_shots, tmp_path, folder):
    film, _ = two_shots
    photos = folder(first=2)
    (photos / "A film.MP4").write_bytes((film / "film.mp4").read_bytes())
    (photos / "broken.mov").write_bytes(b"no video")
    album = embed_photos(photos, tmp_path / "faces.store")
    assert album.faces.sources.files[0] == "A film.MP4"
    assert (album.photos, album.videos, album.fresh) == (2, 2, 3)
    assert [skipped.file for skipped in album.skipped] == ["broken.mov"]
    assert np.isnan(album.faces.sources.span[4:]).all()
    frames, held = album.frames()
    assert len(frames) == 4 * 6 + len(album.faces) - 4
    assert held.group.max() + 1 == len(album.faces)
    np.testing.assert_allclose(frames.features[24:], album.faces.features[4:], atol=1e-6)
    assert np.isnan(frames.sources.span[24:]).all()
    np.testing.assert_array_equal(frames.sources.box[24:], album.faces.sources.box[4:])
    again = embed_photos(photos, tmp_path / "faces.store")
    assert again.fresh == 0
    np.testing.assert_array_equal(again.faces.features, album.faces.features)
    np.testing.assert_array_equal(again.constraints.apart, album.constraints.apart)


def test_another_rate_looks_anew(two_shots, tmp_path):
    film, _ = two_shots
    few, many = (embed_photos(film, tmp_path / "faces.store", rate=rate) for rate in (3, 10))
    assert many.fresh == 1
    assert len(few.thumbnails.features(0)) < len(many.thumbnails.features(0))
    with pytest.raises(InputError, match="rate is 0"):
        embed_photos(film, tmp_path / "faces.store", rate=0)


def test_an_interrupted_run_goes_on_with_the_clip_it_was_at(two_shots, tmp_path, monkeypatch):
    film, _ = two_shots
    for module in (video, clips):
        monkeypatch.setattr(module, "PART", 0.8)
    whole = embed_photos(film, tmp_path / "whole.store")
    looked = []
    look = clips.look_through_clip

    def stops(lens, likeness, clip, stopped):
        if len(looked) == 2:
            raise KeyboardInterrupt
        looked.append(clip.part)
        return look(lens, likeness, clip, stopped)

    with monkeypatch.context() as patch:
        patch.setattr("personae.embed.album.look_through_clip", stops)
        with pytest.raises(KeyboardInterrupt):
            embed_photos(film, tmp_path / "faces.store", workers=1)
    monkeypatch.setattr(
        "personae.embed.album.look_through_clip", lambda *a: looked.append(a[2].part) or look(*a)
    )
    resumed = embed_photos(film, tmp_path / "faces.store", workers=1)
    assert 2 in looked
    assert len(looked) < 2 * 3  # something was kept of the first run
    np.testing.assert_array_equal(resumed.faces.features, whole.faces.features)
    np.testing.assert_array_equal(resumed.faces.sources.span, whole.faces.sources.span)


def test_a_stopped_look_at_a_clip_ends_at_the_next_picture(two_shots, tmp_path):
    film, _ = two_shots
    stopped = threading.Event()
    stopped.set()
    clip = clips.Clip("film.mp4", film / "film.mp4", b"", 2.4, 0, 5.0)
    seen = clips.look_through_clip(None, Likeness(0.4, 0.56), clip, stopped)  # without a lens nothing is found
    assert seen.reason == "interrupted"


def test_without_pyav_a_video_is_skipped_with_the_command(two_shots, tmp_path, monkeypatch, folder):
    film, _ = two_shots
    photos = folder(first=1)
    (photos / "film.mp4").write_bytes((film / "film.mp4").read_bytes())
    monkeypatch.setitem(sys.modules, "av", None)
    album = embed_photos(photos, tmp_path / "faces.store")
    assert "pip install 'personae[video]'" in album.skipped[0].reason
    assert len(album.faces) > 0


def test_a_known_video_is_not_opened_again_wherever_it_lies(two_shots, tmp_path, monkeypatch):
    film, _ = two_shots
    films = tmp_path / "films"
    films.mkdir()
    (films / "film.mp4").write_bytes((film / "film.mp4").read_bytes())
    first = embed_photos(films, tmp_path / "faces.store")
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "av", None)
        again = embed_photos(films, tmp_path / "faces.store")
    (films / "film.mp4").rename(films / "other.mp4")
    moved = embed_photos(films, tmp_path / "faces.store")
    for album in (again, moved):
        assert (album.fresh, album.skipped) == (0, ())
        np.testing.assert_array_equal(album.faces.features, first.faces.features)
    assert moved.faces.sources.files == ("other.mp4",)


def test_photos_are_looked_at_before_a_new_video_is_read_through(two_shots, tmp_path, monkeypatch, folder):
    film, _ = two_shots
    photos = folder(first=6)
    (photos / "A film.mp4").write_bytes((film / "film.mp4").read_bytes())
    told, then = [], []
    read_through = clips.read_through

    def noted(video, known):
        then.append(told[-1])
        return read_through(video, known)

    monkeypatch.setattr(clips, "read_through", noted)
    embed_photos(photos, tmp_path / "faces.store", workers=1, progress=lambda *numbers: told.append(numbers))
    ((done, total),) = then
    assert done >= 3
    assert total == 7
    assert told == [(done, 7) for done in range(8)]


def test_a_video_that_cannot_be_read_through_is_skipped(two_shots, tmp_path, monkeypatch):
    film, _ = two_shots

    def fails(*_arguments):
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("hashlib.file_digest", fails)
        album = embed_photos(film, tmp_path / "faces.store")
    assert album.skipped == (Skipped("film.mp4", "cannot be read: Input/output error"),)
    assert embed_photos(film, tmp_path / "faces.store").fresh == 1


def test_a_store_from_before_videos_takes_them(two_shots, tmp_path):
    film, _ = two_shots
    with Store(tmp_path / "faces.store", b"x" * 20) as store:
        store._base.execute("DROP TABLE tracks")
        store._base.execute("DROP TABLE videos")
    assert len(embed_photos(film, tmp_path / "faces.store").faces) == 4
