"""What was found in each photo, kept in one SQLite file, so that no photo is looked at twice.

A photo is known by its content, wherever it lies and whatever it is called; the faces of one content are kept
for each setting of detector and embedder. A handful of photos is one transaction in a write-ahead log: a run
that is killed at any point loses the photos it was looking at and nothing else.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import overload

import numpy as np
from numpy.typing import NDArray

from personae.embed.faces import Face
from personae.embed.tracks import Track
from personae.errors import InputError, OutputError

MAGIC = b"SQLite format 3\0"
APPLICATION = 0x70657273  # "pers", in the header of the file
VERSION = 1
WAIT = 30.0  # seconds for another run that writes
SCHEMA = (
    "CREATE TABLE settings (id INTEGER PRIMARY KEY, fingerprint BLOB NOT NULL UNIQUE)",
    """CREATE TABLE photos (
        id INTEGER PRIMARY KEY, content BLOB NOT NULL, settings INTEGER NOT NULL REFERENCES settings,
        broken TEXT, UNIQUE (content, settings))""",
    """CREATE TABLE faces (
        id INTEGER PRIMARY KEY, photo INTEGER NOT NULL REFERENCES photos,
        x REAL NOT NULL, y REAL NOT NULL, width REAL NOT NULL, height REAL NOT NULL,
        landmarks BLOB NOT NULL, score REAL NOT NULL, quality REAL NOT NULL, feature BLOB NOT NULL)""",
    "CREATE INDEX faces_of_photo ON faces (photo)",
    "CREATE TABLE thumbnails (face INTEGER PRIMARY KEY REFERENCES faces, jpeg BLOB NOT NULL)",
    """CREATE TABLE files (
        path BLOB PRIMARY KEY, size INTEGER NOT NULL, modified INTEGER NOT NULL,
        content BLOB NOT NULL) WITHOUT ROWID""",
    f"PRAGMA application_id = {APPLICATION}",
    f"PRAGMA user_version = {VERSION}",
)
TRACKS = """CREATE TABLE IF NOT EXISTS tracks (
    face INTEGER PRIMARY KEY REFERENCES faces, times BLOB NOT NULL, features BLOB NOT NULL)"""
DECODERS = """CREATE TABLE IF NOT EXISTS decoders (
    settings INTEGER PRIMARY KEY REFERENCES settings, versions TEXT NOT NULL)"""
VIDEOS = """CREATE TABLE IF NOT EXISTS videos (
    content BLOB PRIMARY KEY, seconds REAL NOT NULL) WITHOUT ROWID"""
DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)  # the last: a table is missing


@dataclass(frozen=True)
class Stamp:
    """What tells without reading a file that it has not changed: its size in bytes and time of change in ns."""

    size: int
    modified: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Stamp":
        return cls(status.st_size, status.st_mtime_ns)


@dataclass(frozen=True)
class Seen:
    """What one look at a file has shown.

    file:     relative to the folder, "/" between parts
    path:     the same from the root
    stamp:    of the file; None for a part of a video
    content:  digest of the bytes
    faces:    from left to right, or the best one of each track; None if the store knew the content
    broken:   why no picture could be read, or not all, or None
    seconds:  by stage
    features: (F, d) float32, unit, of the faces; empty until they are embedded
    tracks:   of a part of a video, one a face
    """

    file: str
    path: Path
    stamp: Stamp | None
    content: bytes
    faces: Sequence[Face] | None = None
    broken: str | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    features: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), np.float32))
    tracks: Sequence[Track] = ()


@dataclass(frozen=True)
class Kept:
    """F faces of several photos, photo after photo, from left to right in each; of videos, tracks.

    ids:      (F,) int64, for `Thumbnails`
    photo:    (F,) int32, which of the photos asked for
    box:      (F, 4) float32, left, top, width, height, pixels
    quality:  (F,) float32 in [0, 1]
    features: (F, d) float32, unit
    broken:   why there is nothing of a photo, by its place among those asked for
    times:    seconds at which each track shows its face, by row; photos have no entry
    """

    ids: NDArray[np.int64]
    photo: NDArray[np.int32]
    box: NDArray[np.float32]
    quality: NDArray[np.float32]
    features: NDArray[np.float32]
    broken: dict[int, str]
    times: dict[int, NDArray[np.float64]]


class Store:
    """The faces known so far, for one setting of detector and embedder.

    Any thread may call `holds`, which looks at digests in memory, about 100 bytes a photo.
    """

    def __init__(self, path: Path, fingerprint: bytes, decoders: str = "") -> None:
        """Opens the store, or starts one.

        decoders: versions of what reads photos; what other ones could not read is not held

        InputError: the file is something else, or damaged. OutputError: it cannot be written.
        """
        self.path = Path(path)
        with explained(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path.is_file() and self._head() not in (b"", MAGIC):
                raise InputError(damaged(self.path))  # SQLite would write over a file of a few bytes
            self._base = sqlite3.connect(self.path, timeout=WAIT, isolation_level=None)
            try:
                self._settings = self._begin(fingerprint, decoders)
                query = "SELECT content FROM photos WHERE settings = ?"
                self._contents = {content for (content,) in self._base.execute(query, (self._settings,))}
            except BaseException:
                self._base.close()
                raise

    def _head(self) -> bytes:
        with self.path.open("rb") as file:
            return file.read(len(MAGIC))

    def _begin(self, fingerprint: bytes, decoders: str) -> int:
        """Row of this setting, in a store that is ours for sure."""
        with self._transaction():  # another run may be starting the same store
            if self._one("PRAGMA application_id") != APPLICATION:
                if self._one("SELECT count(*) FROM sqlite_master"):
                    raise InputError(f"{self.path} is a database of another program; choose another file")
                for statement in SCHEMA:
                    self._base.execute(statement)
            for table in (TRACKS, DECODERS, VIDEOS):  # of which older stores do not know
                self._base.execute(table)
        with suppress(sqlite3.OperationalError):  # without it the store is slower, no less safe
            self._base.execute("PRAGMA journal_mode = WAL")
        if self._one("PRAGMA user_version") != VERSION:
            raise InputError(
                f"{self.path} was made by another version of personae; delete it or choose another file"
            )
        self._base.execute("PRAGMA synchronous = NORMAL")
        with self._transaction():
            self._base.execute("INSERT OR IGNORE INTO settings (fingerprint) VALUES (?)", (fingerprint,))
            settings = self._one("SELECT id FROM settings WHERE fingerprint = ?", fingerprint)
            self._forget_broken(settings, decoders)
        return settings

    def _forget_broken(self, settings: int, decoders: str) -> None:
        """What could not be read at all is to be looked at again, if the decoders are others than before."""
        row = settings, decoders
        if not self._base.execute("SELECT 1 FROM decoders WHERE settings = ? AND versions = ?", row).fetchone():
            self._base.execute(FORGET_BROKEN, (settings,))
            self._base.execute("INSERT OR REPLACE INTO decoders VALUES (?, ?)", row)

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._base.close()

    def content_of(self, path: Path, stamp: Stamp) -> bytes | None:
        """The content of a file that has not changed since it was remembered; else None."""
        with explained(self.path):
            row = self._base.execute(
                "SELECT content FROM files WHERE path = ? AND size = ? AND modified = ?",
                (os.fsencode(path), stamp.size, stamp.modified),
            ).fetchone()
        return None if row is None else bytes(row[0])

    def holds(self, content: bytes) -> bool:
        """Whether a photo of this content was looked at before."""
        return content in self._contents

    def keep(self, looks: Sequence[Seen]) -> None:
        """What was seen in some files, all or nothing; what is kept of a content already stays."""
        with explained(self.path), self._transaction():
            for seen in looks:
                if seen.stamp is not None:
                    self._keep_file(seen.path, seen.stamp, seen.content)
                if seen.faces is not None:
                    self._keep_faces(seen, seen.faces, seen.features)
        self._contents |= {seen.content for seen in looks if seen.faces is not None}

    def remember(self, path: Path, stamp: Stamp, content: bytes, seconds: float) -> None:
        """That this is the content of a video as long as the file does not change, and how long it is."""
        with explained(self.path), self._transaction():
            self._keep_file(path, stamp, content)
            self._base.execute("INSERT OR REPLACE INTO videos VALUES (?, ?)", (content, seconds))

    def seconds_of(self, video: bytes) -> float | None:
        """How long a video of this content is, if that was remembered."""
        with explained(self.path):
            row = self._base.execute("SELECT seconds FROM videos WHERE content = ?", (video,)).fetchone()
        return None if row is None else float(row[0])

    def _keep_file(self, path: Path, stamp: Stamp, content: bytes) -> None:
        row = os.fsencode(path), stamp.size, stamp.modified, content
        self._base.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", row)

    def _keep_faces(self, seen: Seen, faces: Sequence[Face], features: NDArray[np.float32]) -> None:
        cursor = self._base.execute(
            "INSERT OR IGNORE INTO photos (content, settings, broken) VALUES (?, ?, ?)",
            (seen.content, self._settings, seen.broken),
        )
        if not cursor.rowcount:
            return
        photo = cursor.lastrowid
        for place, (face, feature) in enumerate(zip(faces, features, strict=True)):
            row = (face.score, face.quality, blob(feature))
            cursor.execute(INSERT_FACE, (photo, *face.box.tolist(), blob(face.landmarks), *row))
            number = cursor.lastrowid
            cursor.execute("INSERT INTO thumbnails VALUES (?, ?)", (number, face.thumbnail))
            if seen.tracks:
                track = seen.tracks[place]
                times = np.array(track.times, "<f8").tobytes()
                frames = blob(np.array(track.features, np.float32))
                cursor.execute("INSERT INTO tracks VALUES (?, ?, ?)", (number, times, frames))

    def faces_of(self, contents: Sequence[bytes], dimension: int) -> Kept:
        """All faces of these photos, in the order given. InputError: the store is damaged."""
        with explained(self.path):
            self._base.execute("CREATE TEMP TABLE asked (place INTEGER PRIMARY KEY, photo INTEGER NOT NULL)")
            try:
                self._base.executemany(
                    "INSERT INTO asked SELECT ?, id FROM photos WHERE content = ? AND settings = ?",
                    ((place, content, self._settings) for place, content in enumerate(contents)),
                )
                broken = dict(self._base.execute(BROKEN_OF_ASKED))
                n = self._one("SELECT count(*) FROM asked JOIN faces USING (photo)")
                kept = Kept(
                    np.empty(n, np.int64), np.empty(n, np.int32), np.empty((n, 4), np.float32),
                    np.empty(n, np.float32), np.empty((n, dimension), np.float32), broken, {},
                )  # fmt: skip
                for row, (place, face, *box, quality, feature, times) in enumerate(
                    self._base.execute(FACES_OF_ASKED)
                ):
                    if len(feature) != 4 * dimension:
                        raise InputError(damaged(self.path))
                    kept.ids[row], kept.photo[row], kept.quality[row] = face, place, quality
                    kept.box[row], kept.features[row] = box, np.frombuffer(feature, "<f4")
                    if times is not None:
                        kept.times[row] = np.frombuffer(times, "<f8")
                return kept
            finally:
                self._base.execute("DROP TABLE asked")

    def _one(self, query: str, *values: bytes) -> int:
        return int(self._base.execute(query, values).fetchone()[0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All of the block, or nothing of it."""
        self._base.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._base.in_transaction:  # else SQLite has undone it, as on a full disk
                self._base.execute("ROLLBACK")
            raise
        self._base.execute("COMMIT")


class Thumbnails(Sequence[bytes]):
    """A JPEG a face, read from the store when asked for."""

    def __init__(self, path: Path, ids: NDArray[np.int64]) -> None:
        self._path = path
        self._ids = ids
        self._lock = threading.Lock()
        self._base: sqlite3.Connection | None = None

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, row: int) -> bytes: ...

    @overload
    def __getitem__(self, row: slice) -> "Thumbnails": ...

    def __getitem__(self, row: int | slice) -> "bytes | Thumbnails":
        """The JPEG of a face, or the thumbnails of several. InputError: the store is gone or damaged."""
        if isinstance(row, slice):
            return Thumbnails(self._path, self._ids[row])
        return self._blob("SELECT jpeg FROM thumbnails WHERE face = ?", row)

    def features(self, row: int) -> NDArray[np.float32]:
        """(m, d) float32, unit, of the frames of a track, by time. InputError: no track, as above."""
        features = np.frombuffer(self._blob("SELECT features FROM tracks WHERE face = ?", row), "<f4")
        return features.reshape(len(self.times(row)), -1)

    def times(self, row: int) -> NDArray[np.float64]:
        """(m,) seconds at which a track shows its face, rising. InputError: as above."""
        return np.frombuffer(self._blob("SELECT times FROM tracks WHERE face = ?", row), "<f8")

    def _blob(self, query: str, row: int) -> bytes:
        face = int(self._ids[row])
        with self._lock, explained(self._path):
            if self._base is None:
                if not self._path.is_file():
                    raise InputError(
                        f"{self._path} is gone, and the thumbnails with it; embed the photos again"
                    )
                self._base = sqlite3.connect(self._path, timeout=WAIT, check_same_thread=False)
            found = self._base.execute(query, (face,)).fetchone()
        if found is None:
            raise InputError(damaged(self._path))
        return bytes(found[0])

    def __del__(self) -> None:
        if self._base is not None:
            self._base.close()


INSERT_FACE = """
INSERT INTO faces (photo, x, y, width, height, landmarks, score, quality, feature)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
FACES_OF_ASKED = """
SELECT place, faces.id, x, y, width, height, quality, feature, times
FROM asked JOIN faces USING (photo) LEFT JOIN tracks ON tracks.face = faces.id ORDER BY place, faces.id"""
FORGET_BROKEN = """
DELETE FROM photos WHERE settings = ? AND broken IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM faces WHERE faces.photo = photos.id)"""
BROKEN_OF_ASKED = """
SELECT place, broken FROM asked JOIN photos ON photos.id = asked.photo WHERE broken IS NOT NULL"""


def blob(values: NDArray[np.float32]) -> bytes:
    """The values as float32, little end first, row after row."""
    return values.astype("<f4").tobytes()


def damaged(path: Path) -> str:
    """The message for a store that cannot be read to the end."""
    return f"{path} is damaged or no store of faces; delete it to begin anew, or choose another file"


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turns SQLite's errors into InputError for a bad file and OutputError for a bad place."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        if code is None or code & 0xFF in DAMAGE or not isinstance(error, sqlite3.OperationalError):
            raise InputError(damaged(path)) from error
        if code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise OutputError(f"{path} is in use by another run; wait for it or choose another file") from error
        raise OutputError(f"cannot write {path}: {error}; make room or choose another place") from error
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"cannot write {path}: {error.strerror}; choose another place") from error
