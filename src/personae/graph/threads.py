"""Work shared out among threads: compiled code and products that let go of the interpreter."""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from personae.data.pages import let_go

SPANS = 8  # a thread, since some take longer than others

TAKEN = 1 << 12  # rows that a thread reads in one go
Span = tuple[int, int]


class _Place(threading.local):
    inside = False


_place = _Place()


def in_threads(work: Callable[..., Any], items: Iterable[Any], *arguments: Any) -> list[Any]:
    """work(item, *arguments) of each item, by as many threads as numba has; inside of these by the one."""

    def one(item: Any) -> Any:
        _place.inside = True
        return work(item, *arguments)

    if _place.inside:
        return [work(item, *arguments) for item in items]
    with ThreadPoolExecutor(numba.get_num_threads()) as threads:
        return list(threads.map(one, items))


def passed(work: Callable[[slice], Any], count: int, size: int, *arrays: NDArray[Any]) -> list[Any]:
    """work(run) of runs of `size` rows from 0 to `count`, by threads; after each the arrays are let go."""

    def one(start: int) -> Any:
        found = work(slice(start, min(start + size, count)))
        let_go(*arrays)
        return found

    return in_threads(one, range(0, count, size))


def read_rows(array: NDArray[Any], rows: NDArray[np.integer[Any]], into: NDArray[Any]) -> None:
    """into[:] = array[rows], by threads, in the order in which they lie; a map is let go after `TAKEN` each."""
    order = np.argsort(rows, kind="stable")

    def read(start: int) -> None:
        some = order[start : start + TAKEN]
        into[some] = array[rows[some]]
        let_go(array)

    in_threads(read, range(0, len(rows), TAKEN))


def spans(count: int) -> list[Span]:
    """The first and the end of runs of about equal length that `count` items are dealt out in."""
    edges = np.linspace(0, count, SPANS * numba.get_num_threads() + 1).astype(int).tolist()
    return [(low, high) for low, high in pairwise(edges) if low < high]


def shares(starts: NDArray[np.integer[Any]]) -> list[Span]:
    """The first and the end of a run of rows for each thread, with about as many entries in each.

    starts: (N + 1,) where the rows begin
    """
    edges = np.searchsorted(starts, np.linspace(0, starts[-1], numba.get_num_threads() + 1)).tolist()
    return [(low, high) for low, high in pairwise([0, *edges[1:-1], len(starts) - 1]) if low < high]


class _Alone:
    lock = threading.Lock()
    users = 0
    limits: threadpool_limits


@contextmanager
def products_alone() -> Iterator[None]:
    """One BLAS thread a product, for those who multiply in threads; until the last of them is done."""
    with _Alone.lock:
        if _Alone.users == 0:
            _Alone.limits = threadpool_limits(1, "blas")
        _Alone.users += 1
    try:
        yield
    finally:
        with _Alone.lock:
            _Alone.users -= 1
            if _Alone.users == 0:
                _Alone.limits.restore_original_limits()
