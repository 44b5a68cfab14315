"""What the columns of a table and the keys of an archive are called, ours and other people's."""

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from personae.data.faceset import FaceSet, Sources
from personae.errors import InputError, listed

FEATURE_NAMES = ("features", "x", "embeddings", "embedding", "feats", "feat", "vectors", "arr_0")
TRUTH_KEYS = ("truth", "y", "labels", "label", "identities", "identity", "targets", "target", "arr_1")
TRUTH_COLUMNS = ("identity", "label", "person", "truth")
IDENTITY_NAMES = ("identity", "identities", "person", "truth")  # of the truth and nothing else
FOUND_NAMES = ("cluster", "clusters")
VALUES_OF_A_FACE = 8  # so many more columns of numbers beside labels are embeddings
SOURCE_KEYS = ("files", "file", "box", "quality")
SOURCE_COLUMNS = ("file", "left", "top", "width", "height", "quality")
SPAN_COLUMNS = ("from", "to")  # seconds into a video; empty for a photo
LOOSE_NAMES = ("ids", "id")  # of faces where there is one a face, else of anything
ID_NAMES = ("face_id", "faceid", "face_ids", *LOOSE_NAMES)  # those before others
ROW_NUMBERS = ("", "face", "index")  # of a table: neither features nor labels
OUR_TABLES = ("photo", "confidence", "faces", "photos", "best_photo", "other", "apart", "not", "content")
ABOUT_FACES = ("age", "score")  # of a face, as other programs tell them
FORMULA = "=+-@＝＋－＠"  # noqa: RUF001 some spreadsheets take the wide forms too
OF_ROWS = ("_id", "-id", " id")  # ends of names of such columns
NOT_FEATURES = (
    *TRUTH_COLUMNS,
    *FOUND_NAMES,
    *SOURCE_COLUMNS,
    *SPAN_COLUMNS,
    *ID_NAMES,
    *ROW_NUMBERS,
    *OUR_TABLES,
    *ABOUT_FACES,
)


class Choice(NamedTuple):
    """What is wanted of a file of labels.

    first: what a column of labels is called that goes before others
    gaps:  whether faces may be without a label; they get -1
    ids:   whether the ids of the faces are wanted, too
    """

    first: Sequence[str] = ()
    gaps: bool = False
    ids: bool = False


def is_feature(name: str) -> bool:
    """Whether a column of numbers is taken for one of the values of a face.

    >>> is_feature("e17"), is_feature("image_id")
    (True, False)
    """
    return plain(name) not in NOT_FEATURES and not plain(name).endswith(OF_ROWS)


def plain(name: str) -> str:
    """A column or key as it is compared: lower case, no spaces around."""
    return name.strip().lower()


def only_one(found: Iterable[str], known: Sequence[str]) -> str | None:
    """The one of the names found that is known, as it stands in the file, or None.

    InputError: several are known, and nobody can say which is meant.
    """
    fitting = [name for name in found if plain(name) in known]
    if len(fitting) > 1:
        raise InputError(f"{' and '.join(fitting)} could each be meant; keep one and rename the others")
    return fitting[0] if fitting else None


def id_name(found: Iterable[str]) -> str | None:
    """The one of the names found that ids of faces have, as it stands in the file, or None.

    InputError: two are that name in other letters.

    >>> id_name(["id", "image_id", "Face ID", "f0"])
    'Face ID'
    """
    names = list(found)
    spelled = ((known, known.replace("_", " "), known.replace("_", "-")) for known in ID_NAMES)
    return next((name for spellings in spelled if (name := only_one(names, spellings)) is not None), None)


def label_name(found: Sequence[str], known: Sequence[str], first: Sequence[str]) -> str | None:
    """`only_one` of those known; of the `first` of them if there is one."""
    name = only_one(found, [name for name in known if name in first])
    return only_one(found, known) if name is None else name


def checked_sources(
    files: Sequence[str],
    file: NDArray[Any],
    box: NDArray[Any],
    quality: NDArray[Any],
    span: NDArray[Any] | None = None,
) -> Sources:
    """Sources from arrays of unknown origin; the types of `Sources`.

    InputError: not numbers, shapes that disagree, a path that leaves the folder of the pictures.
    """
    arrays = [("file", file, "iu"), ("box", box, "fiu"), ("quality", quality, "fiu")]
    arrays += [] if span is None else [("span", span, "fiu")]
    for name, array, kinds in arrays:
        if array.dtype.kind not in kinds:
            raise InputError(f"{name} is of type {array.dtype}; it needs to be numbers")
    refuse_outside(files)
    return Sources(
        tuple(files),
        file.astype(np.int32),
        box.astype(np.float32),
        quality.astype(np.float32),
        None if span is None else span.astype(np.float64),
    )


def named_sources(
    names: Sequence[str], box: NDArray[Any], quality: NDArray[Any], span: NDArray[Any] | None
) -> Sources:
    """Sources of a table, which has the name of a picture in each row; numbered as they come."""
    number = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return checked_sources(list(number), np.array([number[name] for name in names]), box, quality, span)


def refuse_outside(files: Sequence[str]) -> None:
    """InputError naming the paths that are absolute or climb out of the folder they are relative to."""
    outside = [f for f in files if PurePosixPath(f).is_absolute() or ".." in PurePosixPath(f).parts]
    if outside:
        shown = listed([repr(name) for name in outside])
        raise InputError(f"sources lie outside the folder of the pictures: {shown}; give paths relative to it")


def source_columns(faces: FaceSet, rows: slice) -> tuple[list[str], NDArray[np.float32]]:
    """The name of the picture, and left, top, width, height and quality (n, 5), of these faces."""
    if faces.sources is None:
        return [], np.empty((0, 5), np.float32)
    sources = faces.sources
    names = [sources.files[i] for i in sources.file[rows].tolist()]
    return names, np.column_stack([sources.box[rows], sources.quality[rows]])


def in_face_order(face: NDArray[Any] | None, rows: int) -> NDArray[np.int64] | None:
    """The rows of a table in the order of its face numbers, if it has them.

    InputError: the numbers are not 0..N-1, each once.
    """
    if face is None:
        return None
    if not np.array_equal(np.sort(face), np.arange(rows)):
        raise InputError(
            f"the column face does not hold each of 0..{rows - 1} once; "
            f"mend it, or remove it if the rows are in the order of the faces"
        )
    return np.argsort(face)


def as_cell(file: str) -> str:
    """The same path, written so that no spreadsheet takes it for a formula.

    >>> as_cell("a/1.jpg"), as_cell("=1+1.jpg")
    ('a/1.jpg', './=1+1.jpg')
    """
    return f"./{file}" if file[:1].isspace() or file[:1] in FORMULA else file
