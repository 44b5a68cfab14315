"""The faces: unit features, where each comes from, and who it is if that is known."""

import math
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personae.data.pages import passing
from personae.errors import InputError, OutputError, counted, listed

if TYPE_CHECKING:
    from personae.data.ids import Ids

MAPPED_FROM = 1 << 30  # bytes: from here on features stay on disk
BLOCK = 1 << 14  # rows looked at in one go
UNIT_TOLERANCE = 1e-3  # float16 rows are unit to about this
MISSING = ("nan", "None", "NaT", "<NA>")  # how objects that stand for nothing print


@dataclass(frozen=True)
class Sources:
    """Where each of N faces comes from.

    files:     (M,) paths, relative to the folder that was read, "/" between parts
    file:      (N,) int32, index into `files`
    box:       (N, 4) float32, left, top, width, height in pixels of the upright picture
    quality:   (N,) float32 in [0, 1], how usable the face is; 0 is worst
    span:      (N, 2) float64, seconds from the start of a video to the first and the last look at the face;
               NaN for a photo; None where there are only photos
    """

    files: tuple[str, ...]
    file: NDArray[np.int32]
    box: NDArray[np.float32]
    quality: NDArray[np.float32]
    span: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        n = len(self.file)
        if self.file.shape != (n,) or self.box.shape != (n, 4) or self.quality.shape != (n,):
            raise InputError(
                f"sources disagree: file {self.file.shape}, box {self.box.shape}, "
                f"quality {self.quality.shape}; they need (N,), (N, 4) and (N,)"
            )
        wrong = self.file[(self.file < 0) | (self.file >= len(self.files))]
        if len(wrong):
            raise InputError(f"sources name file {wrong[0]}, but there are {len(self.files)} files, from 0 on")
        if not (np.isfinite(self.box).all() and np.isfinite(self.quality).all()):
            raise InputError("sources hold NaN or infinity in box or quality; give every face a place")
        if self.span is not None and self.span.shape != (n, 2):
            raise InputError(f"{n:,} faces but spans of shape {self.span.shape}; they need to be (N, 2)")

    def take(self, rows: NDArray[Any]) -> "Sources":
        """The sources of these faces; `files` stays whole."""
        span = None if self.span is None else self.span[rows]
        return Sources(self.files, self.file[rows], self.box[rows], self.quality[rows], span)


@dataclass(frozen=True)
class FaceSet:
    """N faces as unit vectors; made by `FaceSet.of`, which checks them, or read by `read_faces`.

    features: (N, d) float32 or float16, unit rows; a memory map when large
    truth:    (N,) int32, the identity of each face, -1 of those left unknown; or None where nobody knows any
    sources:  where each face comes from, or None for bare features
    ids:      what each face is called where it comes from, or None where faces are known by their place alone
    """

    features: NDArray[np.floating[Any]]
    truth: NDArray[np.int32] | None = None
    sources: Sources | None = None
    ids: "Ids | None" = None

    def __post_init__(self) -> None:
        if self.features.ndim != 2:
            raise InputError(f"features have shape {self.features.shape}; they need to be (faces, d)")
        n = len(self.features)
        if self.truth is not None and self.truth.shape != (n,):
            raise InputError(
                f"{n:,} faces but {len(self.truth):,} labels; give one label a face, in the same order"
            )
        if self.sources is not None and len(self.sources.file) != n:
            raise InputError(f"{n:,} faces but {len(self.sources.file):,} sources; give one source a face")
        if self.ids is not None and len(self.ids) != n:
            raise InputError(f"{n:,} faces but {len(self.ids):,} ids in {self.ids.name}; give one id a face")

    def __len__(self) -> int:
        return len(self.features)

    def __repr__(self) -> str:
        known = "no truth" if self.truth is None else f"{int((self.truth >= 0).sum()):,} with a truth"
        return f"FaceSet({counted(len(self), 'face')} of {counted(self.dimension, 'value')}, {known})"

    @property
    def dimension(self) -> int:
        """d, the length of one feature."""
        return int(self.features.shape[1])

    @classmethod
    def of(
        cls,
        features: ArrayLike,
        truth: ArrayLike | None = None,
        sources: Sources | None = None,
        ids: "Ids | None" = None,
        *,
        gaps: bool = False,
    ) -> "FaceSet":
        """Checks features and labels of any origin and scales each row to unit length.

        features: (N, d) numbers; float16 stays float16, everything else becomes float32
        truth:    (N,) identities, integers or names; they are renumbered 0..A-1 in sorted order
        gaps:     whether faces may be without one: -1, NaN, None or an empty name, which become -1

        InputError: not two-dimensional, no faces, not numbers, NaN, infinite or zero rows, labels that
        don't match.

        >>> FaceSet.of([[3, 4], [0, 2]], truth=["Ada", "Bo"]).features
        array([[0.6, 0.8],
               [0. , 1. ]], dtype=float32)
        """
        known = None if truth is None else as_truth(truth, gaps=gaps)
        return cls(unit_rows(as_features(features)), known, sources, ids)

    def take(self, rows: NDArray[Any]) -> "FaceSet":
        """The faces `rows` (indices or a mask), in that order."""
        return FaceSet(
            self.features[rows],
            None if self.truth is None else self.truth[rows],
            None if self.sources is None else self.sources.take(rows),
            None if self.ids is None else self.ids.take(rows),
        )


def as_features(values: ArrayLike) -> NDArray[np.floating[Any]]:
    """(N, d) float32 or float16 with every value finite and no zero row; not yet unit."""
    if isinstance(values, np.ma.MaskedArray):
        raise InputError("features are a masked array; leave out faces with masked values and give its .data")
    array = values if isinstance(values, np.ndarray) else as_array(values, "features")
    if array.dtype == object or array.dtype.kind not in "fiub":
        raise InputError(f"features are of type {array.dtype}; they need to be numbers, float32 at best")
    if array.ndim != 2:
        raise InputError(
            f"features have shape {array.shape}; they need two dimensions, (faces, d). "
            f"Reshape your data: one face is features.reshape(1, -1)"
        )
    if array.shape[0] == 0:
        raise InputError("found 0 sample(s), no face, while a minimum of 1 is required; give at least one")
    if array.shape[1] == 0:
        raise InputError("found rows of 0 feature(s) while a minimum of 1 is required; give (faces, d)")
    if array.dtype not in (np.float32, np.float16):
        blocks = (array[start : start + BLOCK] for start in range(0, len(array), BLOCK))
        array = filled(array.shape, np.dtype(np.float32), blocks, beside(array))
    refuse_bad_rows(array)
    return array


def as_array(values: ArrayLike, name: str) -> NDArray[Any]:
    """An array of lists and the like; InputError if its rows differ in length."""
    try:
        return np.asarray(values)
    except ValueError as error:
        raise InputError(
            f"{name} make no array: their rows differ in length; give each as many values"
        ) from error


def refuse_bad_rows(features: NDArray[np.floating[Any]]) -> None:
    """InputError naming the rows with NaN, infinite values or nothing but zeros."""
    bad: list[int] = []
    zero: list[int] = []
    for start, block in _blocks(features):
        norm = np.einsum("ij,ij->i", block, block)
        if not np.isfinite(norm).all():
            bad += (start + np.flatnonzero(~np.isfinite(block).all(axis=1))).tolist()
        zero += (start + np.flatnonzero(norm == 0)).tolist()
    if bad:
        raise InputError(
            f"features hold NaN or infinity in {counted(len(bad), 'row')} ({listed(bad)}); remove them"
        )
    if zero:
        raise InputError(f"features are all zero in {counted(len(zero), 'row')} ({listed(zero)}); remove them")


def unit_rows(features: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """The same rows at length 1, untouched if they are so already; a large array goes to a temporary map."""
    if all(np.abs(np.linalg.norm(block, axis=1) - 1).max() <= UNIT_TOLERANCE for _, block in _blocks(features)):
        return features
    return filled(
        features.shape, features.dtype, (_scaled(block) for _, block in _blocks(features)), beside(features)
    )


def _scaled(block: NDArray[np.float64]) -> NDArray[np.float64]:
    tamed = block / np.abs(block).max(axis=1, keepdims=True)  # squares of tiny or huge values stay finite
    return np.asarray(tamed / np.linalg.norm(tamed, axis=1, keepdims=True))


def filled(
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    blocks: Iterable[NDArray[Any]],
    folder: Path | None,
    *,
    mapped: bool = False,
) -> NDArray[Any]:
    """The rows of all blocks in one array; from 1 GB on a map of a temporary file, in `folder` if that can be.

    Where TMPDIR is set it goes before `folder`.

    mapped: whether a smaller one is a map, too

    Values too large for the type become infinite. The file has no name: nothing is left behind.

    OutputError: no room for the temporary file.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        if mapped or math.prod(shape) * dtype.itemsize >= MAPPED_FROM:
            return _filled_on_disk(shape, dtype, blocks, folder)
        array, start = np.empty(shape, dtype), 0
        for block in blocks:
            array[start : start + len(block)] = block
            start += len(block)
    if start != shape[0]:
        raise InputError(f"{shape[0]:,} rows are announced but {start:,} are there; write it again")
    return array


def _filled_on_disk(
    shape: tuple[int, ...], dtype: np.dtype[Any], blocks: Iterable[NDArray[Any]], folder: Path | None
) -> NDArray[Any]:
    with _temporary_file(folder) as file:
        for block in blocks:
            _append(file, block.astype(dtype).tobytes())
        return np.memmap(file, dtype=dtype, mode="r", shape=shape)


def _temporary_file(folder: Path | None) -> FileIO:
    told = os.environ.get("TMPDIR")
    try:
        for place in (Path(told) if told else None, folder):
            with suppress(OSError):  # the data may lie where nothing can be written
                if place is not None:
                    return tempfile.TemporaryFile(dir=place, buffering=0)
        return tempfile.TemporaryFile(buffering=0)
    except OSError as error:
        raise OutputError(f"no place to keep features on disk: {error.strerror}; set TMPDIR to one") from error


def _append(file: FileIO, data: bytes) -> None:
    left = memoryview(data)
    try:
        while left:
            left = left[file.write(left) :]
    except OSError as error:
        raise OutputError(f"no room to keep features on disk: {error.strerror}; set TMPDIR to some") from error


def beside(array: NDArray[Any]) -> Path | None:
    """The folder of the file that a memory map shows."""
    return Path(array.filename).parent if isinstance(array, np.memmap) and array.filename else None


def as_identities(values: ArrayLike) -> NDArray[np.int32]:
    """(N,) int32 in 0..A-1, numbered in sorted order of the identities given; integers or names."""
    array = objects_as_text(as_array(values, "labels"))
    if array.ndim != 1:
        raise InputError(f"labels have shape {array.shape}; they need one dimension, one label a face")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InputError("labels hold NaN or infinity; give every face an identity")
    if is_missing(array).any():
        raise InputError("labels are missing or empty; give every face an identity")
    return np.unique(array, return_inverse=True)[1].astype(np.int32).reshape(-1)


def as_truth(values: ArrayLike, *, gaps: bool = False) -> NDArray[np.int32]:
    """`as_identities` of known people. InputError: -1 among them, which names nobody.

    gaps: whether nobody may know some: -1, NaN, None or an empty name, which become -1
    """
    array = objects_as_text(as_array(values, "labels"))
    nobody = is_nobody(array)
    if not gaps:
        if nobody.any():
            unknown = counted(int(nobody.sum()), "face")
            raise InputError(f"the truth is -1 for {unknown}; leave out those that nobody knows")
        return as_identities(array)
    nobody |= is_missing(array)
    truth = np.full(array.shape, -1, np.int32)
    truth[~nobody] = as_identities(array[~nobody])
    return truth


def objects_as_text(array: NDArray[Any]) -> NDArray[Any]:
    """Objects as text: "" where they stand for nothing, "-1" also for -1.0; any other array as it is."""
    if array.dtype != object:
        return array
    text = array.astype(str)
    number = np.array([not isinstance(value, str) for value in array.flat], dtype=bool).reshape(array.shape)
    text[number & np.isin(text, MISSING)] = ""
    text[number & (text == "-1.0")] = "-1"
    return text


def is_nobody(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """(N,) True where a label is -1, read from numbers or from text."""
    nobody: dict[str, str | bytes] = {"U": "-1", "T": "-1", "S": b"-1"}  # by kind of dtype
    marks: NDArray[np.bool_] = labels == nobody.get(labels.dtype.kind, -1)
    return marks


def is_missing(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """(N,) True where a label is NaN or an empty name."""
    missing: NDArray[np.bool_] = np.zeros(labels.shape, np.bool_)
    if labels.dtype.kind == "f":
        missing = np.isnan(labels)
    elif labels.dtype.kind in "UST":
        missing = labels == labels.dtype.type()
    return missing


def _blocks(features: NDArray[np.floating[Any]]) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Successive rows as float64 copies, with the number of the first."""
    for here in passing(len(features), BLOCK, features):
        with np.errstate(invalid="ignore"):  # a signalling NaN
            block = features[here].astype(np.float64)
        yield here.start, block
