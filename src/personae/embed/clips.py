"""Videos fall into clips of half a minute, each looked at like a photo: by any thread, and never twice."""

import hashlib
import os
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from personae.embed.faces import Lens, Stopwatch
from personae.embed.photos import Photos, Skipped
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


def clips_in(photos: Photos, known: Store, rate: float) -> tuple[list[Clip], list[Skipped]]:
    """The clips of all videos, in order, and those that cannot be read; a new video is read once through."""
    clips: list[Clip] = []
    skipped: list[Skipped] = []
    for file in photos.videos:
        path = photos.path(file)
        try:
            with path.open("rb") as opened:
                seconds = seconds_of(opened)
                stamp = Stamp.of(os.fstat(opened.fileno()))
                content = known.content_of(path, stamp)
                if content is None:
                    opened.seek(0)
                    content = hashlib.file_digest(opened, lambda: hashlib.blake2b(digest_size=DIGEST)).digest()
                    known.remember(path, stamp, content)
        except (BrokenPhotoError, MissingExtraError) as error:
            skipped.append(Skipped(file, str(error)))
        except OutputError:
            raise  # of the store
        except OSError as error:
            skipped.append(Skipped(file, f"cannot be read: {error.strerror or error}"))
        else:
            parts = range(parts_of(seconds))
            clips += [Clip(file, path, content, seconds, part, rate) for part in parts]
    return clips, skipped


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
