"""Lists of neighbors in files: of a run of faces in a `.npz`, of all faces in tables that can be mapped."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from personae.data.atomic import atomic_write
from personae.graph.threads import Span

TABLES = ("neighbors", "similarities")
Mode = Literal["r", "r+", "c"]


def write_lists(file: Path, neighbors: NDArray[np.int32], cosines: NDArray[np.float32]) -> None:
    """A `.npz` of both."""
    with atomic_write(file) as temporary, temporary.open("wb") as opened:
        np.savez(opened, neighbors=neighbors, similarities=cosines)


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


def put_together(lists: dict[Path, Span], shape: tuple[int, int], folder: Path, of: str = "") -> None:
    """Writes the tables of all faces from the lists of some in each file."""
    for name, file, dtype in zip(TABLES, table_files(folder, of), (np.int32, np.float32), strict=True):
        table = open_memmap(file, "w+", dtype, shape)
        _allocate(file)
        for part, (low, high) in lists.items():
            with np.load(part) as held:
                table[low:high] = held[name]
        table.flush()


def _allocate(file: Path) -> None:
    """OSError if the disk is full, which a write to the map would be killed for."""
    if hasattr(os, "posix_fallocate"):
        with file.open("r+b") as written:
            os.posix_fallocate(written.fileno(), 0, file.stat().st_size)
