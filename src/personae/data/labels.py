"""Labels as files hold them: integers or names, one a face, -1 for a face a method calls noise."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personae.data.faceset import as_array
from personae.errors import InputError, listed


def as_labels(values: ArrayLike) -> NDArray[Any]:
    """(N,) int64 or str, the labels as given: nothing is renumbered.

    Whole floats and truth values become integers; integers beyond int64 become their digits.

    InputError: not one-dimensional, none at all, fractions, NaN, empty names, Python objects.
    """
    array = as_array(values, "labels")
    if array.dtype == object and all(isinstance(cell, str) for cell in array.flat):
        array = array.astype(np.str_)  # as pandas keeps text
    if array.ndim != 1:
        raise InputError(f"labels have shape {array.shape}; they need one dimension, one label a face")
    if len(array) == 0:
        raise InputError("found no labels; give one label a face")
    if array.dtype.kind == "f":
        broken = np.flatnonzero(~np.isfinite(array) | (array != np.round(array)))
        if len(broken):
            raise InputError(f"labels are no whole numbers in rows {listed(broken.tolist())}; give integers")
    if array.dtype.kind == "S":
        array = np.array([cell.decode("utf-8", "surrogateescape") for cell in array.tolist()])
    if array.dtype.kind == "U":
        empty = np.flatnonzero(array == "")
        if len(empty):
            raise InputError(f"labels are empty in rows {listed(empty.tolist())}; give every face one")
        return array
    if array.dtype.kind not in "biuf":
        raise InputError(f"labels are of type {array.dtype}; they need to be integers or names")
    if array.dtype.kind in "uf" and int(np.abs(array).max()) >= 2**63:
        return np.array([str(int(value)) for value in array.tolist()])
    return array.astype(np.int64)


def parsed_labels(texts: Sequence[str]) -> NDArray[Any]:
    """Written labels, int64 if each is a plain integer ("3", "-1", "3.0"), else str as they stand.

    "007" is a name, since it is another than "7".
    """
    written = np.array(texts, dtype=np.str_)
    whole = all(text.endswith(".0") for text in texts)
    digits = np.array([text[:-2] for text in texts], dtype=np.str_) if whole else written
    try:
        numbers = digits.astype(np.int64)
    except (ValueError, OverflowError):
        return as_labels(written)
    return as_labels(numbers if (numbers.astype(np.str_) == digits).all() else written)


def read_lines(path: Path) -> NDArray[Any]:
    """The labels of a text file, one a line: int64 or str; in `.meta` files integers alone.

    InputError: an empty line, or text in a `.meta` file.
    """
    text = path.read_bytes().decode("utf-8-sig", "surrogateescape")
    lines = text.removesuffix("\n").split("\n")
    lines = [line.removesuffix("\r") for line in lines]
    stripped = [line.strip() for line in lines]
    if "" in stripped:
        raise InputError(f"line {stripped.index('') + 1} is empty; give one label a line")
    labels = parsed_labels(stripped)
    if labels.dtype.kind == "i":
        return labels
    if path.suffix.lower() == ".meta":
        for number, line in enumerate(stripped, start=1):
            if not _is_integer(line):
                raise InputError(f"line {number}: {line[:40]!r} is no integer; put names in a .txt instead")
    return parsed_labels(lines)


def write_lines(labels: NDArray[Any], path: Path) -> None:
    """One label a line.

    InputError: names in a `.meta` file, or names that hold a line break or nothing but space.
    """
    lines = labels.tolist()
    if labels.dtype.kind == "U":
        if path.suffix.lower() == ".meta":
            raise InputError("a .meta file holds integers; write names to a .txt, .csv or .npy")
        broken = [i for i, name in enumerate(lines) if "\n" in name or "\r" in name or not name.strip()]
        if broken:
            raise InputError(f"names {listed(broken)} hold a line break or are blank; write them to a .csv")
    with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.writelines(f"{line}\n" for line in lines)


def _is_integer(text: str) -> bool:
    try:
        int(text)
    except ValueError:
        return False
    return True
