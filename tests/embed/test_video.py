import errno
import io
import math
import os
import threading
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from personae.data import FaceSet
from personae.embed import clips, embed_photos, video
from personae.embed.photos import Skipped
from personae.embed.picture import BrokenPhotoError
from personae.embed.tracks import Likeness, Tracker, histogram, overlap
from personae.embed.video import decoded_from, frames, seconds_of
from personae.errors import InputError
from tests.embed.made_video import RATE, Shot, drawn, play, truth_of, write_video

ALBUM = Path(__file__).resolve().parents[2] / "examples" / "sample_album"
EMPTY = Shot([], (200, 60, 30), 50)


@pytest.fixture(scope="module")
def album(two_shots, tmp_path_factory):
    return embed_photos(two_shots[0], tmp_path_factory.mktemp("store") / "faces.store", rate=10)


def times_of(path, rate, *part, **more):
    with path.open("rb") as file:
        return [frame.time for frame in frames(file, rate, *part, **more)]


@pytest.mark.parametrize("rate", [0.7, 5, 25, 100])
@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_the_first_picture_of_each_cell_is_taken_at_its_own_time(tmp_path, rate, ending):
    times = np.round(np.cumsum(0.005 + np.random.default_rng(0).exponential(0.08, 50)), 3)
    times -= times[0]
    write_video(tmp_path / f"odd.{ending}", [EMPTY], times=times)
    cells = [math.floor(time * rate + 1e-6) for time in times]
    expected = [time for at, time in enumerate(times) if at == 0 or cells[at] > cells[at - 1]]
    assert times_of(tmp_path / f"odd.{ending}", rate) == pytest.approx(expected, abs=2e-3)


def test_parts_together_give_what_the_whole_gives(tmp_path):
    write_video(tmp_path / "film.mp4", [Shot([], (90, 90, 30), 110)])
    whole = times_of(tmp_path / "film.mp4", 5)
    bounds = [0, 1.3, 2, 3.9, math.inf]
    parts = [times_of(tmp_path / "film.mp4", 5, *part) for part in pairwise(bounds)]
    assert len(whole) == 22
    assert [time for part in parts for time in part] == whole


def test_a_part_that_begins_within_a_cell_leaves_its_picture_to_the_part_before(tmp_path):
    write_video(tmp_path / "film.mp4", [Shot([], (90, 90, 30), 110)])
    whole = times_of(tmp_path / "film.mp4", 0.5)
    assert len(whole) == 3
    parts = [times_of(tmp_path / "film.mp4", 0.5, *part) for part in pairwise([0, 1, 3, math.inf])]
    assert [time for part in parts for time in part] == whole


def test_damage_within_a_part_is_told_by_that_part(tmp_path):
    write_video(tmp_path / "film.mp4", [Shot([], (90, 90, 30), 110)])
    troubled = iter([True])

    def decoded(packet):
        pictures, reason = decoded_from(packet)
        return pictures, "a bad slice" if next(troubled, False) else reason

    with (tmp_path / "film.mp4").open("rb") as file, pytest.MonkeyPatch.context() as patch:
        patch.setattr(video, "decoded_from", decoded)
        with pytest.raises(BrokenPhotoError, match="damaged: a bad slice"):
            list(frames(file, 5, 0, 2))
    assert list(troubled) == []


@pytest.mark.parametrize("turn", [0, 90, 180, -90])
def test_a_turned_video_gives_upright_pictures(tmp_path, turn):
    write_video(tmp_path / "turned.mp4", [Shot([], (200, 60, 30), 3)], rotation=turn)
    with (tmp_path / "turned.mp4").open("rb") as file:
        picture = next(frames(file, 5)).image
    expected = drawn(Shot([], (200, 60, 30), 1), 0)
    assert picture.size == expected.size
    small = [np.asarray(one.resize((64, 36))).astype(int) for one in (picture, expected)]
    assert np.abs(small[0] - small[1]).mean() < 8


def test_what_cannot_be_read_says_why(tmp_path):
    write_video(tmp_path / "whole.mp4", [EMPTY])
    content = (tmp_path / "whole.mp4").read_bytes()
    files = {
        "text.mp4": (b"no video", "not a video"),
        "empty.mp4": (b"", "the file is empty"),
        "cut.mp4": (content[: len(content) // 2], "or cut off too early"),
    }
    for name, (data, reason) in files.items():
        (tmp_path / name).write_bytes(data)
        with (tmp_path / name).open("rb") as file, pytest.raises(BrokenPhotoError, match=reason) as told:
            seconds_of(file)
        assert "\n" not in str(told.value)


def test_a_playlist_opens_no_other_file(tmp_path):
    write_video(tmp_path / "whole.mkv", [EMPTY])
    for name, text in {
        "list.mp4": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:2,\n{tmp_path}/whole.mkv\n#EXT-X-ENDLIST\n",
        "concat.mp4": f"ffconcat version 1.0\nfile {tmp_path}/whole.mkv\n",
    }.items():
        (tmp_path / name).write_text(text)
        with (tmp_path / name).open("rb") as file, pytest.raises(BrokenPhotoError):
            seconds_of(file)


def test_a_video_that_ends_too_early_gives_what_it_has_and_says_so(tmp_path):
    write_video(tmp_path / "film.mkv", [Shot([], (90, 90, 30), 200)])
    content = (tmp_path / "film.mkv").read_bytes()
    (tmp_path / "film.mkv").write_bytes(content[: len(content) // 2])
    with (tmp_path / "film.mkv").open("rb") as file:
        seconds = seconds_of(file)
    got = []
    with (tmp_path / "film.mkv").open("rb") as file, pytest.raises(BrokenPhotoError, match="cut off"):
        got.extend(frame.time for frame in frames(file, 5, announced=seconds))
    assert seconds == pytest.approx(8, abs=0.1)
    assert 10 < len(got) < 30


class FailingDisk(io.BytesIO):
    """A video of which only the first bytes can be read."""

    def __init__(self, content, good=math.inf, trouble=errno.EIO):
        super().__init__(content)
        self.good, self.trouble = good, trouble

    def read(self, size=-1):
        if self.tell() >= self.good:
            raise OSError(self.trouble, os.strerror(self.trouble))
        return super().read(min(size, 1000))


def test_a_disk_that_fails_is_no_fault_of_the_video(tmp_path):
    write_video(tmp_path / "film.mkv", [Shot([], (90, 90, 30), 200)])
    content = (tmp_path / "film.mkv").read_bytes()
    with pytest.raises(OSError, match="Input/output"):
        seconds_of(FailingDisk(content, good=1))
    for trouble, told in ((errno.EIO, OSError), (errno.EINVAL, BrokenPhotoError)):
        file = FailingDisk(content, trouble=trouble)
        pictures = frames(file, 5, announced=8)
        next(pictures)
        file.good = 0
        with pytest.raises(told, match=r"Input/output|cut off"):
            list(pictures)


def test_a_clip_on_a_disk_that_fails_is_skipped_and_not_kept_as_cut_off(two_shots, monkeypatch):
    film, _ = two_shots

    def failing(file, *part, **more):
        return frames(FailingDisk(file.read(), good=1), *part, **more)

    monkeypatch.setattr(clips, "frames", failing)
    clip = clips.Clip("film.mp4", film / "film.mp4", b"", 2.4, 0, 5.0)
    seen = clips.look_through_clip(None, Likeness(0.4, 0.56), clip, threading.Event())
    assert seen == Skipped("film.mp4", "cannot be read: Input/output error")


def test_overlap_is_the_shared_part_of_the_joined_area():
    one = np.array([[0, 0, 10, 10]], np.float32)
    others = np.array([[0, 0, 10, 10], [5, 0, 10, 10], [20, 20, 5, 5]], np.float32)
    assert overlap(one, others)[0].tolist() == pytest.approx([1, 1 / 3, 0])


def test_colours_of_a_frame_add_up():
    assert histogram(Image.new("RGB", (64, 36), (255, 0, 0)))[3 * 16] == 1
    assert histogram(drawn(EMPTY, 0)).sum() == pytest.approx(1)


def test_a_cut_ends_every_track(two_shots, album):
    _, shots = two_shots
    assert len(album.faces) == 4
    np.testing.assert_allclose(album.faces.sources.span, [[0, 1.12]] * 2 + [[1.2, 2.32]] * 2, atol=0.1)
    truth = truth_of(album.faces.sources, shots)
    assert sorted(truth[:2]) == sorted(actor.person for actor in shots[0].actors)
    assert sorted(truth[2:]) == sorted(actor.person for actor in shots[1].actors)
    assert album.constraints.hard.tolist() == [[0, 1], [2, 3]]


def test_a_track_misses_its_face_for_two_looks_at_most(album):
    face, feature = made_face(album), np.asarray(album.faces.features[:1])
    picture = drawn(EMPTY, 0)
    for gap, tracks in ((2, 1), (3, 2)):
        tracker = Tracker(Likeness(0.4, 0.56))
        tracker.look(0.0, picture, [face], feature)
        for step in range(gap):
            tracker.look(1.0 + step, picture, [], feature[:0])
        tracker.look(9.0, picture, [face], feature)
        assert len(tracker.tracks) == tracks
    assert tracker.tracks[0].times == [0.0]


def made_face(album):
    from personae.embed.faces import Face

    crop = np.zeros((112, 112, 3), np.uint8)
    return Face(album.faces.sources.box[0], np.zeros((5, 2), np.float32), 1.0, 0.5, crop, b"")


def test_a_track_carries_its_frames_and_their_mean(album):
    for row in range(4):
        of_frames = album.thumbnails.features(row)
        assert of_frames.shape == (12, 128)
        mean = of_frames.mean(axis=0)
        np.testing.assert_allclose(album.faces.features[row], mean / np.linalg.norm(mean), atol=1e-5)
    assert all(len(jpeg) > 500 for jpeg in album.thumbnails)


def test_the_frames_of_tracks_are_what_some_methods_learn_from(album):
    frames, held = album.frames()
    assert len(frames) == 4 * 12
    assert held.group.tolist() == np.repeat(range(4), 12).tolist()
    for row in range(4):
        np.testing.assert_allclose(
            frames.features[held.group == row], album.thumbnails.features(row), atol=1e-6
        )
    ours, theirs = frames.sources, album.faces.sources
    assert ours.files == theirs.files
    for name in ("file", "box", "quality"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name)[held.group])
    assert (ours.span[:, 0] == ours.span[:, 1]).all()
    moments = ours.span[:, 0].reshape(4, 12)
    assert (np.diff(moments) > 0).all()
    np.testing.assert_array_equal(moments[:, [0, -1]], theirs.span)
    assert held.group[held.apart].tolist() == album.constraints.apart.tolist()
    assert (held.weight == album.constraints.weight).all()
    nobody = replace(album, faces=FaceSet(np.empty((0, 128), np.float32)))
    with pytest.raises(InputError, match="no face in these"):
        nobody.frames()


def test_twelve_people_in_sixty_tracks_are_twelve_people(tmp_path):
    from personae.embed import sface
    from personae.embed.strangers import strangers
    from personae.methods import Auto

    shots = play(ALBUM, people=12, tracks=60, pictures=10)
    write_video(tmp_path / "film.mp4", shots)
    album = embed_photos(tmp_path, tmp_path / "faces.store", rate=RATE / 4)
    truth = truth_of(album.faces.sources, shots)
    labels = Auto(strangers=strangers(sface())).fit(album.faces, constraints=album.constraints).labels_
    right = sum(np.unique(truth[labels == one], return_counts=True)[1].max() for one in set(labels.tolist()))
    assert (truth != "").all()
    assert len(album.faces) >= 60
    assert right / len(labels) >= 0.98
    assert labels.max() + 1 <= 14


def test_sound_is_no_matter(tmp_path):
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        picture, sound = container.add_stream("libx264", rate=RATE), container.add_stream("aac", rate=44100)
        picture.width, picture.height, picture.pix_fmt = 64, 36, "yuv420p"
        for _ in range(RATE):
            frame = av.VideoFrame.from_image(Image.new("RGB", (64, 36), "green"))
            container.mux(picture.encode(frame))
        silence = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
        silence.sample_rate = 44100
        container.mux(sound.encode(silence))
        for stream in (picture, sound):
            container.mux(stream.encode())
    assert times_of(tmp_path / "sound.mp4", 5) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])


def test_a_video_of_too_many_pixels_is_refused(tmp_path, monkeypatch):
    write_video(tmp_path / "film.mp4", [EMPTY])
    monkeypatch.setattr(video, "MOST_PIXELS", 640 * 360 - 1)
    with (tmp_path / "film.mp4").open("rb") as file, pytest.raises(BrokenPhotoError, match="make it smaller"):
        seconds_of(file)


def test_a_video_that_never_ends_is_refused(tmp_path, monkeypatch):
    write_video(tmp_path / "film.mp4", [EMPTY])
    monkeypatch.setattr(video, "LONGEST", 1.9)
    with (tmp_path / "film.mp4").open("rb") as file, pytest.raises(BrokenPhotoError, match="cut it into"):
        seconds_of(file)


def test_without_a_length_the_last_picture_tells_it(tmp_path):
    write_video(tmp_path / "film.mp4", [EMPTY])
    with (
        av.open(str(tmp_path / "film.mp4")) as source,
        av.open(str(tmp_path / "film.mpg"), "w", "mpegts") as copy,
    ):
        pictures = source.streams.video[0]
        stream = copy.add_stream_from_template(pictures)
        for packet in source.demux(pictures):
            if packet.dts is not None:
                packet.stream = stream
                copy.mux(packet)
    with (tmp_path / "film.mpg").open("rb") as file:
        assert seconds_of(file) == pytest.approx(2, abs=0.1)
    assert times_of(tmp_path / "film.mpg", 5) == pytest.approx(np.arange(10) / 5, abs=2e-3)
