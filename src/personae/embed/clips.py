"""Videos fall into clips of half a minute, each looked at like a photo: by any thread, and never twice."""

import hashlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from personae.embed.faces import Lens, Stopwatch
from personae.embed.photos import Photos, Skipped, refused
from personae.embed.picture import BrokenPhotoError, Picture
from personae.embed.store import Seen, Stamp, Store
from personae.embed.tracks import CUT, GAP, OVERLAP, REACH, Likeness, Tracker
from personae.embed.video import PART, frames, parts_of, seconds_of
from personae.errors import InputError, MissingExtraError, OutputError

RECIPE = 1  # one more whenever reading or tracking changes what comes out
RATE = 5.0  # pictures of a second that are looked at
MOST_RATE = 1000
DIGEST = 20  # bytes


@dataclass(frozen=True)
class Clip:
    """A part of a video.

    file:    relative to the folder, "/" between parts
    path:    the same from the root
    video:   digest of the bytes of the whole file
    seconds: how long the video says it is
    part:    0 for the first `PART` seconds
    rate:    pictures a second
    """

    file: str
    path: Path
    video: bytes
    seconds: float
    part: int
    rate: float

    @property
    def content(self) -> bytes:
        """Changes with the video, with the part and with all that decides what is found in it."""
        settings = repr((self.part, self.rate, PART, OVERLAP, REACH, GAP, CUT, RECIPE)).encode()
        return hashlib.blake2b(self.video + settings, digest_size=DIGEST).digest()

    @property
    def end(self) -> float:
        """Seconds; the last part goes on as far as there are pictures."""
        last = self.part + 1 == parts_of(self.seconds)
        return np.inf if last else (self.part + 1) * PART


@dataclass(frozen=True)
class Video:
    """A video that can be read.

    file:    relative to the folder, "/" between parts
    path:    the same from the root
    stamp:   of the file
    content: digest of the bytes of the whole file, or None before it is read through
    seconds: how long the video says it is
    """

    file: str
    path: Path
    stamp: Stamp
    content: bytes | None
    seconds: float

    def clips(self, rate: float) -> list[Clip]:
        """Its clips, in order; none before its content is known."""
        if self.content is None:
            return []
        parts = range(parts_of(self.seconds))
        return [Clip(self.file, self.path, self.content, self.seconds, part, rate) for part in parts]


class Reel:
    """The clips of all videos.

    clips:   of the videos whose content is known by now, in order in each
    skipped: videos that cannot be read
    total:   how many clips there are
    held:    how many of them the store knew at the start
    """

    def __init__(self, photos: Photos, known: Store, rate: float) -> None:
        """Opens each video, and reads none through but those that do not say how long they are."""
        looks = [video_at(file, photos.path(file), known) for file in photos.videos]
        self.skipped = [look for look in looks if isinstance(look, Skipped)]
        self._videos = [look for look in looks if isinstance(look, Video)]
        self._known, self._rate = known, rate
        self.clips = [clip for video in self._videos for clip in video.clips(rate)]
        self._new = [clip for clip in self.clips if not known.holds(clip.content)]
        self.total = sum(parts_of(video.seconds) for video in self._videos)
        self.held = len(self.clips) - len(self._new)

    def new(self) -> Iterator[list[Clip]]:
        """The others, each by itself; a video of which nothing is known is read through when its turn comes."""
        yield from ([clip] for clip in self._new)
        for video in self._videos:
            if video.content is not None:
                continue
            read = read_through(video, self._known)
            if isinstance(read, Skipped):
                self.skipped.append(read)
                continue
            clips = read.clips(self._rate)
            self.clips += clips
            yield from ([clip] for clip in clips)


def video_at(file: str, path: Path, known: Store) -> Video | Skipped:
    """A video, with its content if the store knows the file, or why it cannot be read."""
    try:
        with path.open("rb") as opened:
            stamp = Stamp.of(os.fstat(opened.fileno()))
            content = known.content_of(path, stamp)
            seconds = None if content is None else known.seconds_of(content)
            if seconds is None:
                seconds = seconds_of(opened)
                if content is not None:
                    known.remember(path, stamp, content, seconds)
    except (BrokenPhotoError, MissingExtraError) as error:
        return Skipped(file, str(error))
    except OutputError:
        raise  # of the store
    except OSError as error:
        return refused(file, error)
    return Video(file, path, stamp, content, seconds)


def read_through(video: Video, known: Store) -> Video | Skipped:
    """The same video with its content, or why it cannot be read."""
    try:
        with video.path.open("rb") as opened:
            stamp = Stamp.of(os.fstat(opened.fileno()))
            content = hashlib.file_digest(opened, lambda: hashlib.blake2b(digest_size=DIGEST)).digest()
    except OSError as error:
        return refused(video.file, error)
    if stamp == video.stamp:
        known.remember(video.path, stamp, content, video.seconds)
    return replace(video, content=content)


def refuse_rate(rate: float) -> None:
    """InputError for a rate of pictures that is not above 0, or above any film's."""
    if not 0 < rate <= MOST_RATE:
        raise InputError(f"rate is {rate}; give the pictures of a second to look at, above 0, 5 are usual")


def look_through_clip(lens: Lens, likeness: Likeness, clip: Clip, stopped: threading.Event) -> Seen | Skipped:
    """The tracks in a clip, with features; runs in a worker and writes nothing.

    stopped: ends the look at the next picture, for nobody to see

    Memory: one picture, and 600 bytes and a feature for each face in each picture of half a minute.
    """
    watch, tracker, broken = Stopwatch(), Tracker(likeness), None
    try:
        with clip.path.open("rb") as file:
            pictures = frames(file, clip.rate, clip.part * PART, clip.end, announced=clip.seconds)
            while True:
                with watch.measuring("read"):
                    frame = next(pictures, None)
                if frame is None:
                    break
                if stopped.is_set():
                    return Skipped(clip.file, "interrupted")
                faces = lens.faces_of(Picture(frame.image, frame.image.size), watch)
                tracker.look(frame.time, frame.image, faces, lens.features_of(faces, watch))
    except BrokenPhotoError as error:
        broken = str(error)
    except MissingExtraError as error:
        return Skipped(clip.file, str(error))
    except MemoryError:
        return Skipped(clip.file, "not enough memory for it; make it smaller or use fewer workers")
    except OSError as error:
        return Skipped(clip.file, f"cannot be read: {error.strerror or error}")
    tracks = sorted(tracker.tracks, key=lambda track: (track.times[0], float(track.best.box[0])))
    dimension = lens.embedder.dimension
    return Seen(
        clip.file,
        clip.path,
        None,
        clip.content,
        faces=[track.best for track in tracks],
        broken=broken,
        seconds=watch.seconds,
        features=np.array([track.mean for track in tracks], np.float32).reshape(-1, dimension),
        tracks=tracks,
    )
