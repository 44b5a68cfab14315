"""Faces and labels on disk: which file holds what, chosen by the suffix.

| suffix   | faces: what it keeps                                  | labels                             |
| -------- | ----------------------------------------------------- | ---------------------------------- |
| .npz     | everything, float16 too                               | one array, `labels`                |
| .parquet | everything, float16 too; not files without a face     | `face`, `cluster`                  |
| .csv     | everything as float32; not files without a face       | `face,cluster`                     |
| .npy     | features, float16 too; truth and ids beside it        | one array                          |
| .bin     | features as float32; truth and ids beside it          | –                                  |
| .meta    | –                                                     | an integer a line                  |
| .txt     | –                                                     | an integer or a name a line        |

What is beside them is a line a face: the truth in a `.meta`, the ids in a `.face_id`.

A `.npz` from elsewhere has its features under features, X, embeddings, embedding, feats, feat, vectors or
arr_0, and its identities under truth, y, labels, label, identities, identity, targets, target or arr_1. What
tables from elsewhere may look like stands in `formats_csv` and `formats_parquet`.
"""

import lzma
import os
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike, NDArray

from personae.data.atomic import atomic_write
from personae.data.faceset import FaceSet, as_truth
from personae.data.formats_bin import IDS, TRUTH, ids_beside, read_bin, read_bin_labels, write_bin
from personae.data.formats_csv import read_csv, read_csv_labels, write_csv, write_csv_labels
from personae.data.formats_numpy import (
    read_npy,
    read_npy_labels,
    read_npz,
    read_npz_labels,
    write_npy,
    write_npz,
    write_npz_labels,
)
from personae.data.formats_parquet import (
    arrow,
    read_parquet,
    read_parquet_labels,
    write_parquet,
    write_parquet_labels,
)
from personae.data.formats_tracks import read_track_labels
from personae.data.ids import Ids, Labelled, rows_by_id
from personae.data.labels import as_labels, read_lines, spread, write_lines
from personae.data.names import Choice, refuse_outside
from personae.errors import InputError, OutputError, PersonaeError

FACE_READERS: dict[str, Callable[[Path, bool], FaceSet]] = {
    ".npz": read_npz,
    ".parquet": read_parquet,
    ".csv": read_csv,
    ".npy": lambda path, _: FaceSet.of(read_npy(path)),
}
FACE_WRITERS: dict[str, Callable[[FaceSet, Path], None]] = {
    ".npz": write_npz,
    ".parquet": write_parquet,
    ".csv": write_csv,
    ".npy": lambda faces, path: write_npy(faces.features, path),
    ".bin": lambda faces, path: write_bin(faces.features, path),
}
LABEL_READERS: dict[str, Callable[[Path, Choice], Labelled]] = {
    ".npz": read_npz_labels,
    ".parquet": read_parquet_labels,
    ".csv": read_csv_labels,
    ".npy": read_npy_labels,
    ".bin": read_bin_labels,
    ".meta": lambda path, choice: Labelled(read_lines(path, gaps=choice.gaps)),
    ".txt": lambda path, choice: Labelled(read_lines(path, gaps=choice.gaps)),
    ".ids": lambda path, _: Labelled(as_labels(read_track_labels(path)[1])),
}
LABEL_WRITERS: dict[str, Callable[[Labelled, Path], None]] = {
    ".npz": write_npz_labels,
    ".parquet": write_parquet_labels,
    ".csv": write_csv_labels,
    ".npy": lambda labelled, path: write_npy(labelled.labels, path),
    ".meta": lambda labelled, path: write_lines(labelled.labels, path),
    ".txt": lambda labelled, path: write_lines(labelled.labels, path),
}
WITH_IDS = (".csv", ".npz", ".parquet")  # labels: the others have the order of the faces alone
BARE = (".npy", ".bin")  # features alone: truth and ids are beside them
DAMAGED = (
    ValueError,
    EOFError,
    KeyError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    RuntimeError,
    MemoryError,
)

StrPath = str | os.PathLike[str]


def read_faces(
    path: StrPath, *, labels: StrPath | None = None, dimension: int | None = None, gaps: bool = False
) -> FaceSet:
    """The faces of a file, checked and scaled to unit rows; from 1 GB on the features stay on disk.

    labels:    a file of labels, as `read_labels` reads; it goes before any truth in or beside the file. Its
               rows are found by the ids of the faces where both files have them, else they are in order
    dimension: d; needed by a `.bin` without labels, checked in any other
    gaps:      whether faces may be without an identity, -1 in the truth, or an id that `labels` lacks: for what
               does not learn or score by them

    InputError: no such file, an unknown suffix, damaged or cut off, another dimension, labels that don't
    match, NaN, infinite or zero rows. MissingExtraError: a `.parquet` without pyarrow.
    """
    path = existing(path, [*FACE_READERS, ".bin"])
    bare = path.suffix.lower() in BARE
    meta = path.with_suffix(TRUTH)
    if labels is None and bare and meta.exists():
        labels = meta
    told = None if labels is None else read_labelled(labels, Choice(gaps=gaps, ids=True))
    truth = None if told is None else told.labels
    with naming(path):
        if path.suffix.lower() == ".bin":
            faces = FaceSet.of(read_bin(path, dimension, None if truth is None else len(truth)))
        else:
            faces = FACE_READERS[path.suffix.lower()](path, gaps)
        if dimension is not None and faces.dimension != dimension:
            raise InputError(f"features have dimension {faces.dimension}, but {dimension} was asked for")
        if bare:
            faces = replace(faces, ids=ids_beside(path, len(faces)))
        if told is None or truth is None:
            return faces
        if told.aside is not None and faces.ids is not None:
            raise InputError(f"the ids in {labels} find no faces: {told.aside}")
        if told.ids is not None and faces.ids is not None:
            mend = None if gaps else "tell who they are, or leave them out"
            rows = rows_by_id(faces.ids, told.ids, (path.name, labels), mend)
            truth = spread(truth[rows[rows >= 0]], rows >= 0)
        if len(truth) != len(faces):
            raise InputError(
                f"{len(faces):,} faces but {len(truth):,} labels in {labels}; give one label a face, in order"
            )
        return replace(faces, truth=as_truth(truth, gaps=gaps))


def write_faces(faces: FaceSet, path: StrPath) -> None:
    """Writes the faces as the suffix says; the file is whole or what it was before. Large ones go in blocks.

    `.npy` and `.bin` hold features alone: truth goes to a `.meta` beside them and ids to a `.face_id`, sources
    are left out.

    InputError: an unknown suffix, sources outside their folder. OutputError: no space, no permission, or a
    `.meta` or `.face_id` of other faces in the way.
    """
    path = Path(path)
    suffix = known_suffix(path, list(FACE_WRITERS))
    if faces.sources is not None:
        refuse_outside(faces.sources.files)
    truth = None if faces.truth is None else as_labels(faces.truth)
    ids = None if faces.ids is None else faces.ids.values
    beside = {path.with_suffix(TRUTH): truth, path.with_suffix(IDS): ids} if suffix in BARE else {}
    for file, lines in beside.items():
        if lines is None and file.exists():
            kind = "labels" if file.suffix == TRUTH else "ids"
            raise OutputError(f"{file} holds {kind} that would be taken for those of {path.name}; move it away")
    with ExitStack() as written:
        for file, lines in beside.items():
            if lines is not None:
                write_lines(lines, written.enter_context(atomic_write(file)))
        FACE_WRITERS[suffix](faces, written.enter_context(atomic_write(path)))


def read_labels(path: StrPath) -> NDArray[Any]:
    """The labels of a file as they are: (N,) int64, where -1 stays -1, or (N,) str if they are names.

    A table has them in a column identity, label, person, truth or cluster, or has no other column; a column
    `face` of numbers 0..N-1 gives their order. Names that are all plain integers are read as integers. Those of
    features alone are in a `.meta` beside them.

    InputError: no such file, an unknown suffix, damaged, no labels in it, or several that could be meant.
    """
    return read_labelled(path, Choice()).labels


def read_labelled(path: StrPath, choice: Choice) -> Labelled:
    """The labels of a file as `read_labels`, by choice those of one kind, with gaps, or with the ids.

    InputError: as there; as `ids_told`.
    """
    path = existing(path, list(LABEL_READERS))
    with naming(path):
        return LABEL_READERS[path.suffix.lower()](path, choice)


def write_labels(labels: ArrayLike, path: StrPath, ids: Ids | None = None) -> None:
    """Writes one label a face, integers or names, as the suffix says; whole or what it was before.

    ids: what the faces are called; kept in `.npz`, `.parquet` and `.csv`, the others have the order alone

    InputError: an unknown suffix, not one label a face, names that the format cannot hold. OutputError: no
    space, no permission.
    """
    path = Path(path)
    suffix = known_suffix(path, list(LABEL_WRITERS))
    checked = as_labels(labels)
    if ids is not None and len(ids) != len(checked):
        raise InputError(f"{len(checked):,} labels but {len(ids):,} ids; give one of each a face")
    with atomic_write(path) as temporary:
        LABEL_WRITERS[suffix](Labelled(checked, ids), temporary)


def refuse_other_labels(path: Path) -> None:
    """What `write_labels` would refuse about the name, to be asked before the work that finds the labels.

    InputError: an unknown suffix. MissingExtraError: a `.parquet` without pyarrow.
    """
    if known_suffix(path, list(LABEL_WRITERS)) == ".parquet":
        arrow()


def refuse_other_faces(path: Path) -> None:
    """The same for `write_faces`."""
    if known_suffix(path, list(FACE_WRITERS)) == ".parquet":
        arrow()


def refuse_overwriting(path: Path, read: Iterable[Path]) -> None:
    """OutputError where the result would replace a file that is read; to be asked before any work.

    Of features alone the `.meta` and the `.face_id` beside them are read as well.
    """
    files = [*read]
    bare = [file for file in files if file.suffix.lower() in BARE]
    beside = [file.with_suffix(suffix) for file in bare for suffix in (TRUTH, IDS)]
    files += [file for file in beside if file.exists()]
    if path.resolve() in [file.resolve() for file in files]:
        raise OutputError(f"cannot write {path}: it is what is read; choose another name")


def existing(path: StrPath, suffixes: list[str]) -> Path:
    """The path, if a file is there that is not empty and that we know by its suffix."""
    path = Path(path)
    with naming(path):
        if path.is_dir():
            raise InputError("is a folder; give one file")
        if not path.exists():
            raise InputError("no such file")
        if not path.is_file():
            raise InputError("is no regular file; save it to one first")
    known_suffix(path, suffixes)
    if path.stat().st_size == 0:
        raise InputError(f"{path}: is empty; write it again")
    return path


def known_suffix(path: Path, suffixes: list[str]) -> str:
    """The suffix in lower case; InputError lists those that we know."""
    suffix = path.suffix.lower()
    if suffix not in suffixes:
        raise InputError(f"{path}: unknown suffix {path.suffix!r}; known are {', '.join(suffixes)}")
    return suffix


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Any trouble in reading becomes one line that begins with the file."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except PersonaeError:
        raise
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or first_line(error)}") from error
    except DAMAGED as error:
        reason = first_line(error)
        raise InputError(f"{path}: is damaged or another kind of file ({reason}); write it again") from error


def first_line(error: Exception) -> str:
    """What a foreign error says, in one line."""
    return next(iter(str(error).splitlines()), type(error).__name__)
