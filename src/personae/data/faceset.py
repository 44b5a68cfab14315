"""The faces: unit features, where each comes from, and who it is if that is known."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personae.errors import InputError, listed

MAPPED_FROM = 1 << 30  # bytes: from here on features stay on disk
BLOCK = 1 << 14  # rows looked at in one go
UNIT_TOLERANCE = 1e-3  # float16 rows are unit to about this


@dataclass(frozen=True)
class Sources:
    """Where each of N faces comes from.

    files:     (M,) paths, relative to the folder that was read, "/" between parts
    file:      (N,) int32, index into `files`
    box:       (N, 4) float32, left, top, width, height in pixels of the upright picture
    quality:   (N,) float32 in [0, 1], how usable the face is; 0 is worst
    """

    files: tuple[str, ...]
    file: NDArray[np.int32]
    box: NDArray[np.float32]
    quality: NDArray[np.float32]

    def __post_init__(self) -> None:
        n = len(self.file)
        if self.file.shape != (n,) or self.box.shape != (n, 4) or self.quality.shape != (n,):
            raise InputError(
                f"sources disagree: file {self.file.shape}, box {self.box.shape}, "
                f"quality {self.quality.shape}; they need (N,), (N, 4) and (N,)"
            )
        if n and (self.file.min() < 0 or self.file.max() >= len(self.files)):
            raise InputError(f"sources name file {self.file.max()}, but there are {len(self.files)} files")

    def take(self, rows: NDArray[Any]) -> "Sources":
        """The sources of these faces; `files` stays whole."""
        return Sources(self.files, self.file[rows], self.box[rows], self.quality[rows])


@dataclass(frozen=True)
class FaceSet:
    """N faces as unit vectors; made by `FaceSet.of`, which checks them, or read by `read_faces`.

    features: (N, d) float32 or float16, unit rows; a memory map when large
    truth:    (N,) int32, the identity of each face, or None where nobody knows
    sources:  where each face comes from, or None for bare features
    """

    features: NDArray[np.floating[Any]]
    truth: NDArray[np.int32] | None = None
    sources: Sources | None = None

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

    def __len__(self) -> int:
        return len(self.features)

    @property
    def dimension(self) -> int:
        """d, the length of one feature."""
        return int(self.features.shape[1])

    @classmethod
    def of(
        cls, features: ArrayLike, truth: ArrayLike | None = None, sources: Sources | None = None
    ) -> "FaceSet":
        """Checks features and labels of any origin and scales each row to unit length.

        features: (N, d) numbers; float16 stays float16, everything else becomes float32
        truth:    (N,) identities, integers or names; they are renumbered 0..A-1 in sorted order

        InputError: not two-dimensional, no faces, not numbers, NaN, infinite or zero rows, labels that
        don't match.

        >>> FaceSet.of([[3, 4], [0, 2]], truth=["Ada", "Bo"]).features
        array([[0.6, 0.8],
               [0. , 1. ]], dtype=float32)
        """
        return cls(unit_rows(as_features(features)), None if truth is None else as_identities(truth), sources)

    def take(self, rows: NDArray[Any]) -> "FaceSet":
        """The faces `rows` (indices or a mask), in that order."""
        return FaceSet(
            self.features[rows],
            None if self.truth is None else self.truth[rows],
            None if self.sources is None else self.sources.take(rows),
        )


def as_features(values: ArrayLike) -> NDArray[np.floating[Any]]:
    """(N, d) float32 or float16 with every value finite and no zero row; not yet unit."""
    array = values if isinstance(values, np.ndarray) else np.asarray(values)
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
        array = array.astype(np.float32)
    refuse_bad_rows(array)
    return array


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
        raise InputError(f"features hold NaN or infinity in {len(bad):,} rows ({listed(bad)}); remove them")
    if zero:
        raise InputError(f"features are all zero in {len(zero):,} rows ({listed(zero)}); remove them")


def unit_rows(features: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """The same rows at length 1, untouched if they are so already; a large array goes to a temporary map."""
    if all(np.abs(np.linalg.norm(block, axis=1) - 1).max() <= UNIT_TOLERANCE for _, block in _blocks(features)):
        return features
    scaled: NDArray[np.floating[Any]]
    if features.nbytes < MAPPED_FROM:
        scaled = np.empty(features.shape, features.dtype)
    else:
        beside = (
            Path(features.filename).parent if isinstance(features, np.memmap) and features.filename else None
        )
        with tempfile.TemporaryFile(dir=beside) as file:
            scaled = np.memmap(file, dtype=features.dtype, mode="w+", shape=features.shape)
    for start, block in _blocks(features):
        tamed = block / np.abs(block).max(axis=1, keepdims=True)  # squares of tiny or huge values stay finite
        scaled[start : start + len(block)] = tamed / np.linalg.norm(tamed, axis=1, keepdims=True)
    return scaled


def as_identities(values: ArrayLike) -> NDArray[np.int32]:
    """(N,) int32 in 0..A-1, numbered in sorted order of the identities given; integers or names."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise InputError(f"labels have shape {array.shape}; they need one dimension, one label a face")
    if array.dtype == object:
        array = array.astype(str)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InputError("labels hold NaN or infinity; give every face an identity")
    return np.unique(array, return_inverse=True)[1].astype(np.int32).reshape(-1)


def _blocks(features: NDArray[np.floating[Any]]) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Successive rows as float64 copies, with the number of the first."""
    for start in range(0, len(features), BLOCK):
        yield start, features[start : start + BLOCK].astype(np.float64)
