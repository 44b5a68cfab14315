"""Lists of neighbors in files: of a run of faces in one file, of all faces in tables that can be mapped.

What is read once is not held: the features, which are read again and again, take most of what can be.
"""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from personae.data.atomic import atomic_write
from personae.graph.threads import Span, in_threads

TABLES = ("neighbors", "similarities")
Mode = Literal["r", "r+", "c"]


def write_lists(file: Path, neighbors: NDArray[np.int32], cosines: NDArray[np.float32]) -> None:
    """A `.npy` of both, one after the other; of the cosines the bits."""
    with atomic_write(file) as temporary:
        np.save(temporary, np.stack([neighbors, cosines.view(np.int32)]))
    unneeded(file)


def tables(folder: Path, mode: Mode = "r", of: str = "") -> tuple[Any, Any]:
    """Maps of the neighbors and the similarities of all faces."""
    neighbors, similarities = (np.load(file, mmap_mode=mode) for file in table_files(folder, of))
    return neighbors, similarities


def table_files(folder: Path, of: str = "") -> list[Path]:
    """Where both are; `of` goes before their names."""
    return [folder / f"{of}{name}.npy" for name in TABLES]


def mapped(file: Path) -> NDArray[Any]:
    """A map that stays with this process until `forget`, so that what was read once is not looked up again."""
    return _mapped(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=3)  # the features and both tables
def _mapped(file: Path, written: int) -> NDArray[Any]:
    found: NDArray[Any] = np.load(file, mmap_mode="c")  # as numba knows arrays
    return found


forget = _mapped.cache_clear


def rows_once(file: Path, rows: Span) -> NDArray[Any]:
    """Some rows of a table that are not read again."""
    table = np.load(file, mmap_mode="r")
    first, found = table.offset + rows[0] * table.strides[0], np.array(table[slice(*rows)])
    del table
    unneeded(file, first, found.nbytes)
    return found


def put_together(lists: dict[Path, Span], shape: tuple[int, int], folder: Path, of: str = "") -> None:
    """Writes the tables of all faces from the lists of some in each file."""
    made = []
    for file, dtype in zip(table_files(folder, of), (np.int32, np.float32), strict=True):
        made.append(open_memmap(file, "w+", dtype, shape))
        _allocate(file)

    def put(part: Path) -> None:
        for table, numbers in zip(made, np.load(part), strict=True):
            table[slice(*lists[part])] = numbers.view(table.dtype)
        unneeded(part)

    in_threads(put, lists)
    for table in made:
        table.flush()


def unneeded(file: Path, first: int = 0, count: int = 0) -> None:
    """The system need not hold so many bytes of a file, all by default, which are read once more or never."""
    if hasattr(os, "posix_fadvise"):
        with file.open("rb") as opened:
            os.posix_fadvise(opened.fileno(), first, count, os.POSIX_FADV_DONTNEED)


def _allocate(file: Path) -> None:
    """OSError if the disk is full, which a write to the map would be killed for."""
    if hasattr(os, "posix_fallocate"):
        with file.open("r+b") as written:
            os.posix_fallocate(written.fileno(), 0, file.stat().st_size)
