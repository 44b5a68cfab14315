"""How far long work is: a bar on a terminal, a plain line now and then elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

LINE_EVERY = 5.0  # seconds between plain lines


class Progress(Protocol):
    """Called with how many are done, of how many."""

    def __call__(self, done: int, total: int) -> None: ...


@contextmanager
def progress(what: str, unit: str) -> Iterator[Progress]:
    """Yields the function to call; rate and time left are those of this run."""
    if sys.stderr.isatty():
        with _bar(what, unit) as told:
            yield told
    else:
        yield _Lines(what, unit)


class _Lines:
    def __init__(self, what: str, unit: str) -> None:
        self.what, self.unit = what, unit
        self.began = self.told = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if done < total and now - self.told < LINE_EVERY:
            return
        self.told = now
        rate = done / max(now - self.began, 1e-3)
        left = f", {(total - done) / rate:.0f} s left" if 0 < done < total else ""
        line = f"{self.what}: {done:,} of {total:,} {self.unit}, {rate:,.1f} a second{left}"
        sys.stderr.write(line + "\n")
        sys.stderr.flush()


@contextmanager
def _bar(what: str, unit: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit + "  {task.fields[rate]:,.1f} a second"),
        TimeRemainingColumn(),
    )
    began = time.monotonic()
    with RichProgress(*columns, console=Console(stderr=True)) as shown:
        task = shown.add_task(what, total=None, rate=0.0)

        def told(done: int, total: int) -> None:
            rate = done / max(time.monotonic() - began, 1e-3)
            shown.update(task, completed=done, total=total, rate=rate)

        yield told
