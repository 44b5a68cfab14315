"""Labels as files hold them: integers or names, one a face, -1 for a face a method calls noise."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personae.data.faceset import as_array, is_missing
from personae.data.pages import passing
from personae.errors import InputError, counted, listed

NOBODY = -1
BLOCK = 1 << 16


def as_labels(values: ArrayLike) -> NDArray[Any]:
    """(N,) int64 or str, the labels as given: nothing is renumbered.

    Whole floats and truth values become integers; integers beyond int64 become their digits.

    InputError: not one-dimensional, none at all, fractions, NaN, empty names, Python objects.
    """
    array = values if isinstance(values, np.memmap) else as_array(values, "labels")  # names stay on disk
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
        empty = np.concatenate(
            [here.start + np.flatnonzero(array[here] == "") for here in passing(len(array), BLOCK, array)]
        )
        if len(empty):
            raise InputError(f"labels are empty in rows {listed(empty.tolist())}; give every face one")
        return array
    if array.dtype.kind not in "biuf":
        raise InputError(f"labels are of type {array.dtype}; they need to be integers or names")
    if array.dtype.kind in "uf" and int(np.abs(array).max()) >= 2**63:
        return np.array([str(int(value)) for value in array.tolist()])
    return array.astype(np.int64)


def with_gaps(values: NDArray[Any]) -> NDArray[Any]:
    """`as_labels`, but -1 where there is none: a NaN or an empty name."""
    if values.ndim != 1:
        return as_labels(values)
    known = ~is_missing(values)
    if known.all():
        return as_labels(values)
    return spread(as_labels(values[known]), known) if known.any() else np.full(len(values), NOBODY)


def spread(labels: NDArray[Any], known: NDArray[np.bool_]) -> NDArray[Any]:
    """(N,) the labels at the faces that are known, -1 or "-1" at all others."""
    kind = np.dtype(np.int64) if labels.dtype.kind == "i" else np.promote_types(labels.dtype, "U2")
    every = np.full(len(known), NOBODY if kind.kind == "i" else str(NOBODY), kind)
    every[known] = labels
    return every


def parsed_labels(texts: Sequence[str], *, gaps: bool = False) -> NDArray[Any]:
    """Written labels, int64 if each is a plain integer ("3", "-1", "3.0"), else str as they stand.

    gaps: whether labels may be missing: blank, or nan among integers; they become -1

    "007" is a name, since it is another than "7".
    """
    known = np.array([text.strip() != "" for text in texts], dtype=np.bool_)
    if gaps and not known.any():
        return np.full(len(texts), NOBODY)
    if gaps and not known.all():
        found = [text for text, is_known in zip(texts, known, strict=True) if is_known]
        return spread(parsed_labels(found, gaps=True), known)
    written = np.array(texts, dtype=np.str_)
    numbers = _integers(written)
    if numbers is not None:
        return numbers
    known = np.char.lower(written) != "nan"
    others = None if known.all() else _integers(written[known])
    if others is None:
        return as_labels(written)
    if not gaps:
        raise InputError(f"labels are nan in rows {listed(np.flatnonzero(~known).tolist())}; give integers")
    return spread(others, known)


def _integers(written: NDArray[Any]) -> NDArray[np.int64] | None:
    """The numbers, if there are any and each text is plainly one."""
    whole = np.strings.endswith(written, ".0").all()
    digits = np.array([text[:-2] for text in written.tolist()]) if whole else written
    try:
        numbers = digits.astype(np.int64)
    except (ValueError, OverflowError):
        return None
    return numbers if len(numbers) and (numbers.astype(np.str_) == digits).all() else None


def people_and_lone(labels: NDArray[np.integer[Any]], new: str = "") -> str:
    """How many people there are among distinct faces, (N,), and how many faces that belong with no other."""
    sizes = np.unique(labels, return_counts=True)[1]
    people, lone = int((sizes > 1).sum()), int((sizes == 1).sum())
    return f"{counted(people, f'{new}person', f'{new}people')} and {counted(lone, 'lone face')}"


def read_lines(path: Path, *, gaps: bool = False) -> NDArray[Any]:
    """The labels of a text file, one a line: int64 or str; in `.meta` files integers alone.

    gaps: whether blank lines stand for faces without a label, which get -1

    InputError: an empty line, or text in a `.meta` file.
    """
    text = path.read_bytes().decode("utf-8-sig", "surrogateescape")
    lines = text.removesuffix("\n").split("\n")
    lines = [line.removesuffix("\r") for line in lines]
    stripped = [line.strip() for line in lines]
    if "" in stripped and not gaps:
        raise InputError(f"line {stripped.index('') + 1} is empty; give one label a line")
    labels = parsed_labels(stripped, gaps=gaps)
    if labels.dtype.kind == "i":
        return labels
    if path.suffix.lower() == ".meta":
        for number, line in enumerate(stripped, start=1):
            if line and not _is_integer(line):
                raise InputError(f"line {number}: {line[:40]!r} is no integer; put names in a .txt instead")
    return parsed_labels(lines, gaps=gaps)


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
