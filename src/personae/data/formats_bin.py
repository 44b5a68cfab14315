"""The files of the learned clustering literature: `.bin`, float32 rows and nothing else, labels in `.meta`."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personae.data import faceset
from personae.data.faceset import BLOCK
from personae.data.ids import Ids, Labelled, ids_told
from personae.data.labels import read_lines
from personae.data.names import ID_NAMES, Choice
from personae.errors import InputError

NUMBER = np.dtype("<f4")
TRUTH, IDS = ".meta", f".{ID_NAMES[0]}"  # what is beside features alone
USUAL = (64, 96, 128, 160, 192, 256, 320, 384, 512, 768, 1024, 2048)


def read_bin(path: Path, dimension: int | None, labels: int | None) -> NDArray[np.floating[Any]]:
    """(N, d) float32; d is `dimension`, or what gives one row to each of so many labels; mapped from 1 GB on.

    InputError: d is not told, or it does not divide the file.
    """
    size = path.stat().st_size
    if size % NUMBER.itemsize:
        raise InputError(
            f"{size:,} bytes are no whole number of float32; it is cut off or another kind of file"
        )
    numbers = size // NUMBER.itemsize
    if dimension is None and labels is None:
        possible = ", ".join(str(d) for d in USUAL if numbers % d == 0) or "none of the usual ones"
        raise InputError(
            "without labels its dimension is unknown; give the dimension, as in --dimension 512 or "
            f"dimension=512 (possible: {possible})"
        )
    if dimension is None:
        if numbers % (labels or 1):
            raise InputError(
                f"{numbers:,} numbers do not divide among {labels:,} labels; give the labels that "
                f"belong to it, or the dimension"
            )
        dimension = numbers // (labels or 1)
    if dimension < 1 or numbers % dimension:
        raise InputError(
            f"{numbers:,} numbers do not make rows of dimension {dimension:,}; it is cut off or has another"
        )
    shape = (numbers // dimension, dimension)
    if size >= faceset.MAPPED_FROM:
        return np.memmap(path, NUMBER, mode="r", shape=shape)
    return np.fromfile(path, NUMBER).reshape(shape)


def read_bin_labels(path: Path, choice: Choice) -> Labelled:
    """The labels in the `.meta` beside a file of features alone, and the ids; InputError if there is none."""
    meta = path.with_suffix(TRUTH)
    if not meta.exists():
        raise InputError(f"holds features alone and no {meta.name} is beside it; give the file of the labels")
    try:
        labels = read_lines(meta, gaps=choice.gaps)
    except InputError as error:
        raise InputError(f"{meta.name} beside it: {error}") from error
    ids = ids_beside(path, len(labels)) if choice.ids else None
    return Labelled(labels, ids, column=meta.name, embeddings=True)


def ids_beside(path: Path, faces: int) -> Ids | None:
    """What so many faces are called, an id a line in the `.face_id` beside their features, if it is there."""
    file = path.with_suffix(IDS)
    if not file.exists():
        return None
    try:
        return ids_told(lambda: read_lines(file), ID_NAMES[0], faces)[0]
    except InputError as error:
        raise InputError(f"{file.name} beside it: {error}") from error


def write_bin(features: NDArray[np.floating[Any]], path: Path) -> None:
    """The rows as float32, block by block."""
    with path.open("wb") as file:
        for start in range(0, len(features), BLOCK):
            file.write(features[start : start + BLOCK].astype(NUMBER).tobytes())
