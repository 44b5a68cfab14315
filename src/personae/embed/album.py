"""Photos in, faces out: the whole stage, spread over threads and resumable."""

import hashlib
import os
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from personae.data.faceset import FaceSet, Sources
from personae.embed.embedder import Embedder, sface
from personae.embed.faces import Lens, Stopwatch
from personae.embed.photos import Photos, Skipped, photos_in
from personae.embed.picture import BrokenPhotoError, PixelAllowance
from personae.embed.store import Kept, Seen, Stamp, Store, Thumbnails
from personae.embed.yunet import yunet
from personae.errors import InputError, MissingExtraError, OutputError

RECIPE = 1  # one more whenever reading, aligning or describing changes what comes out
PIXELS_IN_MEMORY = 300_000_000  # decoded at a time over all workers, unless one photo alone has more
HANDFUL = 16  # photos handed out, and written to the store, at a time; fewer towards the end
AHEAD = 2  # handfuls for each worker, one at work and one waiting
DIGEST = 20  # bytes


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
    """The faces of a folder of photos.

    faces:      by file in sorted order, then from left to right; no truth; shape (0, d) if nobody was found
    thumbnails: a JPEG a face, read from the store when asked for
    skipped:    photos that could not be used, by file
    photos:     photos there are, skipped ones included
    fresh:      photos looked at in this run, since the store did not know them
    """

    faces: FaceSet
    thumbnails: Sequence[bytes]
    skipped: tuple[Skipped, ...]
    photos: int
    fresh: int
    timings: Timings


def embed_photos(
    folder: Path,
    store: Path,
    *,
    embedder: Embedder | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Album:
    """The faces of all photos in `folder` and below, or of the one photo that `folder` is.

    store:    a file that remembers what was found; photos it knows are not looked at again
    embedder: SFace unless another is given; each has its own place in the store
    workers:  threads, one a processor core unless given; the result does not depend on them
    progress: called with photos done and photos in all, by the calling thread

    An interrupted run loses a handful of photos a worker, and the next one goes on from there. Broken photos
    are listed in `skipped`. What the store knows of photos that are gone stays out.

    InputError: no such folder, no photo in it, a store that is something else or damaged, a model that gives
    no finite features. OutputError: the store cannot be written. Memory: one decoded photo a worker, 300
    megapixels in all or one larger photo.
    """
    start = time.perf_counter()
    threads = cores() if workers is None else workers
    if threads < 1:
        raise InputError(f"{workers} workers; give 1 or more")
    photos = photos_in(Path(folder))
    lens = Lens(yunet(), embedder or sface(), PixelAllowance(PIXELS_IN_MEMORY))
    seconds: Counter[str] = Counter()
    skipped = list(photos.skipped)
    fresh = faces = 0
    with Store(Path(store), fingerprint(lens)) as known:
        contents = unchanged(photos, known)
        if progress is not None:
            progress(len(contents), len(photos.files))
        rest = [file for file in photos.files if file not in contents]
        look, embed = partial(look_at, photos, known, lens), partial(embedded, lens)
        done = len(contents)
        with quiet_pillow(), closing(spread(look, embed, rest, threads)) as seen_files:
            for handful in seen_files:
                known.keep([seen for seen in handful if isinstance(seen, Seen)])
                for seen in handful:
                    if isinstance(seen, Skipped):
                        skipped.append(seen)
                    else:
                        contents[seen.file] = seen.content
                        fresh += seen.faces is not None
                        faces += len(seen.faces or ())
                        seconds.update(seen.seconds)
                    done += 1
                    if progress is not None:
                        progress(done, len(photos.files))
        files = sorted(contents)
        kept = known.faces_of([contents[file] for file in files], lens.embedder.dimension)
    skipped += [Skipped(files[place], reason) for place, reason in kept.broken.items()]
    return Album(
        faces=face_set(files, kept),
        thumbnails=Thumbnails(Path(store), kept.ids),
        skipped=tuple(sorted(skipped, key=lambda one: one.file)),
        photos=len(photos.files) + len(photos.skipped),
        fresh=fresh,
        timings=Timings(dict(seconds), time.perf_counter() - start, faces, threads),
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


def look_at(photos: Photos, known: Store, lens: Lens, file: str) -> Seen | Skipped:
    """What is in a photo, unless the store knows its content; runs in a worker and writes nothing."""
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
    if isinstance(seen, Skipped) or not seen.faces:
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
    look: Callable[[str], Seen | Skipped],
    embed: Callable[[Seen | Skipped], Seen | Skipped],
    files: Sequence[str],
    threads: int,
) -> Generator[list[Seen | Skipped], None, None]:
    """What was seen in the files, a handful at a time as they come; closed early it waits for those at work."""
    pool = ThreadPoolExecutor(threads, thread_name_prefix="embed")
    stopped = threading.Event()

    def look_at_each(handful: Sequence[str]) -> list[Seen | Skipped]:
        seen = [look(file) for file in handful if not stopped.is_set()]
        return [embed(one) for one in seen]  # one after the other, while the network is in the caches

    rest = handfuls(files, threads)
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
    showing, file = np.unique(kept.photo, return_inverse=True)
    sources = Sources(
        files=tuple(files[place] for place in showing),
        file=file.astype(np.int32).reshape(-1),
        box=kept.box,
        quality=kept.quality,
    )
    if not len(kept.features):
        return FaceSet(kept.features, sources=sources)
    return FaceSet.of(kept.features, sources=sources)
