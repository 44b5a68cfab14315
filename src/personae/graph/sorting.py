"""A sort for compiled code: numba's own are compiled anew by every process, which takes longer than sorting."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def sort_both(keys: NDArray[np.integer[Any]], values: NDArray[Any]) -> None:
    """Puts the keys in rising order, in place, and the values with them; equal keys in any order.

    Shell's sort with the steps 1, 4, 13, ... of Knuth, The Art of Computer Programming 3, section 5.2.1.
    """
    step = 1
    while step < len(keys) // 3:
        step = 3 * step + 1
    while step > 0:
        for at in range(step, len(keys)):
            key, value, hole = keys[at], values[at], at
            while hole >= step and keys[hole - step] > key:
                keys[hole], values[hole] = keys[hole - step], values[hole - step]
                hole -= step
            keys[hole], values[hole] = key, value
        step //= 3
