"""Maps of files hold what was read of them in memory until they are let go."""

import mmap
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

READ = 1 << 17  # rows at least that are read from disk in one go,
READS = 16  # in so many goes at most


def passing(count: int, size: int, *arrays: NDArray[Any]) -> Iterator[slice]:
    """Runs of `size` rows from 0 to `count`; after each the arrays are let go."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))
        let_go(*arrays)


def is_map(array: NDArray[Any]) -> bool:
    """Whether rows stay on disk until they are asked for."""
    return isinstance(array, np.memmap)


def read_at_once(array: NDArray[Any]) -> int:
    """Rows that others are looked up among: all, or a share of those that stay on disk."""
    return max(READ, -(-len(array) // READS)) if is_map(array) else max(len(array), 1)


def let_go(*arrays: NDArray[Any]) -> None:
    """Gives back the memory of maps that are only read; what is needed again is read again.

    Other arrays, and systems that know no such thing, stay as they are.
    """
    for array in arrays:
        if isinstance(array, np.memmap) and array.mode == "r" and hasattr(mmap.mmap, "madvise"):
            mapped: Any = getattr(array, "_mmap", None)
            if mapped is not None:
                mapped.madvise(mmap.MADV_DONTNEED)
