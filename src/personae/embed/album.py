"""Photos and videos in, faces out: the whole stage, spread over threads and resumable."""

import hashlib
import os
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from personae.data.constraints import Constraints
from personae.data.faceset import FaceSet, Sources
from personae.embed.clips import DIGEST, RATE, Clip, Reel, look_through_clip, refuse_rate
from personae.embed.embedder import Embedder, sface
from personae.embed.faces import Lens, Stopwatch
from personae.embed.photos import Photos, Skipped, photos_in
from personae.embed.picture import BrokenPhotoError, PixelAllowance, decoders
from personae.embed.store import Kept, Seen, Stamp, Store, Thumbnails
from personae.embed.strangers import strangers
from personae.embed.tracks import Likeness
from personae.embed.yunet import yunet
from personae.errors import InputError, MissingExtraError, OutputError

RECIPE = 1  # one more whenever reading, aligning or describing changes what comes out
PIXELS_IN_MEMORY = 300_000_000  # decoded at a time over all workers, unless one photo alone has more
HANDFUL = 16  # photos handed out, and written to the store, at a time; fewer towards the end
AHEAD = 2  # handfuls for each worker, one at work and one waiting


@dataclass(frozen=True)
class Timings:
    """Where the time of a run went.

    seconds: spent by all workers together, by stage: read, detect, align, embed, describe
    elapsed: seconds from start to end
    faces:   faces found in the photos that were looked at in this run
    workers: threads
    """

    seconds: dict[str, float]
    elapsed: float
    faces: int
    workers: int


@dataclass(frozen=True)
class Album:
    """The faces of a folder of photos and videos.

    faces:       by file in sorted order, then from left to right; of a video, one a track, by time: the mean
                 feature of its frames, box and quality of its best one; no truth; shape (0, d) if nobody
                 was found
    thumbnails:  a JPEG a face, read from the store when asked for; `thumbnails.features(row)` are the features
                 of the frames of a track
    skipped:     photos and videos that could not be used, or not to the end, by file
    photos:      photos there are, skipped ones included
    videos:      videos there are, skipped ones included
    fresh:       files looked at in this run, since the store did not know them
    constraints: two faces in one photo are hardly one person; two tracks in one frame never
    contents:    (N,) digest of the photo, or of the half minute of video, that shows each face
    strangers:   (M, d) features of people who are in nobody's photos, as the embedder sees them
    """

    faces: FaceSet
    thumbnails: Thumbnails
    skipped: tuple[Skipped, ...]
    photos: int
    videos: int
    fresh: int
    constraints: Constraints
    contents: tuple[str, ...]
    strangers: NDArray[np.float32]
    timings: Timings

    def frames(self) -> tuple[FaceSet, Constraints]:
        """The face of every look at every track, in the order of time, and one a photo's face; for methods that
        learn from frames. What is one track is one group, in the order of `faces`.

        The span of a look is its moment, twice; box and quality are those of the track.

        InputError: nobody was found, or the store is gone.
        """
        if not len(self.faces):
            raise InputError("there is no face in these photos and videos, and so no frame of one")
        sources = self.faces.sources
        assert sources is not None  # given by every look at photos
        span = sources.span
        filmed = np.zeros(len(self.faces), bool) if span is None else ~np.isnan(span[:, 0])
        features = [
            self.thumbnails.features(row) if filmed[row] else np.asarray(feature, np.float32)[None]
            for row, feature in enumerate(self.faces.features)
        ]
        looks = [len(rows) for rows in features]
        ends = np.cumsum(looks)
        begins = ends - looks
        groups = [np.arange(begin, end) for begin, end in zip(begins, ends, strict=True)]
        held = self.constraints
        apart = Constraints.of(int(ends[-1]), groups, begins[held.apart], held.weight)
        shown = sources.take(np.repeat(np.arange(len(looks)), looks))
        if span is not None:
            moments = [
                self.thumbnails.times(row) if filmed[row] else span[row, :1] for row in range(len(looks))
            ]
            shown = replace(shown, span=np.repeat(np.concatenate(moments)[:, None], 2, axis=1))
        return FaceSet.of(np.concatenate(features), sources=shown), apart


@dataclass
class Found:
    """What a run has seen so far.

    contents: digest of each photo that the store knows by now
    skipped:  files that could not be used
    fresh:    files that were looked at in this run
    faces:    that were found in them
    seconds:  by stage
    """

    contents: dict[str, bytes]
    skipped: list[Skipped]
    fresh: set[str] = field(default_factory=set)
    faces: int = 0
    seconds: Counter[str] = field(default_factory=Counter)

    def take(self, seen: Seen | Skipped) -> None:
        """One more file."""
        if isinstance(seen, Skipped):
            self.skipped.append(seen)
            return
        if seen.stamp is not None:
            self.contents[seen.file] = seen.content
        if seen.faces is not None:
            self.fresh.add(seen.file)
            self.faces += len(seen.faces)
        self.seconds.update(seen.seconds)


def embed_photos(
    folder: Path,
    store: Path,
    *,
    embedder: Embedder | None = None,
    workers: int | None = None,
    rate: float = RATE,
    progress: Callable[[int, int], None] | None = None,
) -> Album:
    """The faces of all photos and videos in `folder` and below, or of the one file that `folder` is.

    store:    a file that remembers what was found; photos it knows are not looked at again
    embedder: SFace unless another is given; each has its own place in the store
    workers:  threads, one a processor core unless given; the result does not depend on them
    rate:     pictures of each second of video that are looked at
    progress: called with photos and half minutes of video done, and in all, by the calling thread

    An interrupted run loses a handful of photos a worker, or half a minute of video, and the next one goes on
    from there. Broken photos are listed in `skipped`. What the store knows of photos that are gone stays out.

    InputError: no such folder, no photo or video in it, a rate not above 0, a store that is something else or
    damaged, a model that gives no finite features. OutputError: the store cannot be written. Memory: one
    decoded picture a worker, 300 megapixels in all or one larger photo; however long the videos are.
    """
    start = time.perf_counter()
    threads = cores() if workers is None else workers
    refuse_rate(rate)
    if threads < 1:
        raise InputError(f"{workers} workers; give 1 or more")
    photos = photos_in(Path(folder))
    lens = Lens(yunet(), embedder or sface(), PixelAllowance(PIXELS_IN_MEMORY))
    with Store(Path(store), fingerprint(lens), decoders()) as known:
        reel = Reel(photos, known, rate)
        found = Found(unchanged(photos, known), list(photos.skipped))
        total = len(photos.files) + reel.total
        done = len(found.contents) + reel.held
        if progress is not None:
            progress(done, total)
        rest = [file for file in photos.files if file not in found.contents]
        work: Iterator[Sequence[str | Clip]] = chain(handfuls(rest, threads), reel.new())
        likeness = Likeness.of(lens.embedder) if reel.held < reel.total else None
        stopped = threading.Event()
        look_here = Looker(photos, known, lens, likeness, stopped)
        with quiet_pillow(), closing(spread(look_here, work, threads, stopped)) as seen_files:
            for handful in seen_files:
                known.keep([seen for seen in handful if isinstance(seen, Seen)])
                for seen in handful:
                    found.take(seen)
                    done += 1
                    if progress is not None:
                        progress(done, total)
        of_clips = [(clip.file, clip.content) for clip in reel.clips if known.holds(clip.content)]
        asked = sorted([*found.contents.items(), *of_clips], key=lambda pair: pair[0])  # clips stay in order
        files = [file for file, _ in asked]
        kept = known.faces_of([content for _, content in asked], lens.embedder.dimension)
    broken = [Skipped(files[place], reason) for place, reason in kept.broken.items()]
    faces = face_set(files, kept)
    return Album(
        faces=faces,
        thumbnails=Thumbnails(Path(store), kept.ids),
        skipped=tuple(sorted({*found.skipped, *reel.skipped, *broken}, key=lambda one: (one.file, one.reason))),
        photos=len(photos.files) + len(photos.skipped),
        videos=len(photos.videos),
        fresh=len(found.fresh),
        constraints=constraints_of(faces, kept),
        contents=tuple(asked[place][1].hex() for place in kept.photo),
        strangers=strangers(lens.embedder),
        timings=Timings(dict(found.seconds), time.perf_counter() - start, found.faces, threads),
    )


def cores() -> int:
    """Processor cores that this program may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def fingerprint(lens: Lens) -> bytes:
    """Changes with whatever could change what is found in a photo."""
    parts = lens.detector.fingerprint + lens.embedder.fingerprint + bytes([RECIPE])
    return hashlib.blake2b(parts, digest_size=DIGEST).digest()


def unchanged(photos: Photos, known: Store) -> dict[str, bytes]:
    """The content of each photo that need not be read: same size, same time of change, and in the store."""
    contents: dict[str, bytes] = {}
    for file in photos.files:
        path = photos.path(file)
        try:
            stamp = Stamp.of(path.stat())
        except OSError:
            continue  # reading it tells why
        content = known.content_of(path, stamp)
        if content is not None and known.holds(content):
            contents[file] = content
    return contents


@dataclass(frozen=True)
class Looker:
    """What is in a photo or clip, unless the store knows its content; runs in workers and writes nothing.

    likeness: for clips, None where there are none
    stopped:  set when nobody waits for the rest any more
    """

    photos: Photos
    known: Store
    lens: Lens
    likeness: Likeness | None
    stopped: threading.Event

    def look(self, file: str | Clip) -> Seen | Skipped:
        """What a look shows; faces of photos are not yet embedded."""
        if isinstance(file, str):
            return look_at_photo(self.photos, self.known, self.lens, file)
        assert self.likeness is not None
        if self.known.holds(file.content):  # of a copy of the video
            return Seen(file.file, file.path, None, file.content)
        return look_through_clip(self.lens, self.likeness, file, self.stopped)

    def embed(self, seen: Seen | Skipped) -> Seen | Skipped:
        """The same with the features of the faces."""
        return embedded(self.lens, seen)


def look_at_photo(photos: Photos, known: Store, lens: Lens, file: str) -> Seen | Skipped:
    """What is in a photo, unless the store knows its content."""
    path, watch = photos.path(file), Stopwatch()
    try:
        with path.open("rb") as opened:
            with watch.measuring("read"):
                stamp = Stamp.of(os.fstat(opened.fileno()))
                content = hashlib.file_digest(opened, lambda: hashlib.blake2b(digest_size=DIGEST)).digest()
            if known.holds(content):
                return Seen(file, path, stamp, content)
            try:
                faces = lens.faces_in(opened, watch)
            except BrokenPhotoError as error:
                return Seen(file, path, stamp, content, [], str(error), watch.seconds)
            return Seen(file, path, stamp, content, faces, None, watch.seconds)
    except MissingExtraError as error:
        return Skipped(file, str(error))
    except MemoryError:
        return Skipped(file, "not enough memory for it; make it smaller or use fewer workers")
    except OutputError:
        raise  # of the store
    except OSError as error:
        return Skipped(file, f"cannot be read: {error.strerror or error}")


def embedded(lens: Lens, seen: Seen | Skipped) -> Seen | Skipped:
    """The same with the features of the faces that were found."""
    if isinstance(seen, Skipped) or not seen.faces or seen.tracks:
        return seen
    watch = Stopwatch()
    features = lens.features_of(seen.faces, watch)
    return replace(seen, features=features, seconds={**seen.seconds, "embed": watch.seconds["embed"]})


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """No warnings of odd metadata, which are no matter of faces."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield


def spread(
    looker: Looker, rest: Iterator[Sequence[str | Clip]], threads: int, stopped: threading.Event
) -> Generator[list[Seen | Skipped], None, None]:
    """What was seen in the files, a handful at a time as they come; closed early it waits for those at work."""
    pool = ThreadPoolExecutor(threads, thread_name_prefix="embed")

    def look_at_each(handful: Sequence[str | Clip]) -> list[Seen | Skipped]:
        seen = [looker.look(file) for file in handful if not stopped.is_set()]
        return [looker.embed(one) for one in seen]  # one after the other, while the network is in the caches

    try:
        waiting = {pool.submit(look_at_each, handful) for handful in islice(rest, AHEAD * threads)}
        while waiting:
            ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            waiting |= {pool.submit(look_at_each, handful) for handful in islice(rest, len(ready))}
            for handful in ready:
                yield handful.result()
    finally:
        stopped.set()
        pool.shutdown(wait=True, cancel_futures=True)


def handfuls(files: Sequence[str], threads: int) -> Iterator[Sequence[str]]:
    """The files in order, ever fewer at a time towards the end, so that no thread is left alone with many."""
    start = 0
    while start < len(files):
        size = max(1, min(HANDFUL, (len(files) - start) // (2 * AHEAD * threads)))
        yield files[start : start + size]
        start += size


def face_set(files: Sequence[str], kept: Kept) -> FaceSet:
    """The faces with their sources; only files that show a face are named."""
    shown = [files[place] for place in kept.photo]
    number = {file: at for at, file in enumerate(dict.fromkeys(shown))}
    span = np.full((len(shown), 2), np.nan)
    for row, times in kept.times.items():
        span[row] = times[0], times[-1]
    sources = Sources(
        files=tuple(number),
        file=np.array([number[file] for file in shown], np.int32),
        box=kept.box,
        quality=kept.quality,
        span=span if kept.times else None,
    )
    if not len(kept.features):
        return FaceSet(kept.features, sources=sources)
    return FaceSet.of(kept.features, sources=sources)


def constraints_of(faces: FaceSet, kept: Kept) -> Constraints:
    """Two faces in one photo are hardly one person; two tracks in one frame are not."""
    assert faces.sources is not None  # just given
    held = Constraints.of_photos(faces.sources)
    if not kept.times:
        return held
    track = np.repeat(list(kept.times), [len(times) for times in kept.times.values()])
    moment = np.stack([faces.sources.file[track], np.concatenate(list(kept.times.values()))], axis=1)
    frame = np.unique(moment, axis=0, return_inverse=True)[1].reshape(-1)
    return held | Constraints.of_moments(track, frame, len(kept.ids))
