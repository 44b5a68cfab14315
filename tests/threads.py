"""As many threads as a test says, whatever the machine and the command that runs it have."""

from collections.abc import Iterator
from contextlib import contextmanager

import numba
from threadpoolctl import threadpool_limits


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Products and compiled code with `count` threads, or as many as numba has if that is fewer."""
    before = numba.get_num_threads()
    with threadpool_limits(count):
        numba.set_num_threads(min(count, numba.config.NUMBA_NUM_THREADS))
        try:
            yield
        finally:
            numba.set_num_threads(before)
