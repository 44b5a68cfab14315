"""How far long work is: a bar on a terminal, a plain line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Protocol

from personae.heard import Told, heard_by, unheard

LINE_EVERY = 5.0  # seconds between plain lines


class Progress(Protocol):
    """Called with how many are done, of how many."""

    def __call__(self, done: int, total: int) -> None: ...


@contextmanager
def progress(what: str, unit: str) -> Iterator[Progress]:
    """Yields the function to call; rate and time left are those of this run. Nothing else is shown beside."""
    if sys.stderr.isatty():
        with heard_by(unheard), _bar(what, unit) as told:
            yield told
    else:
        yield _Lines(what, unit)


@contextmanager
def one_after_another(shown_by: Callable[[str], AbstractContextManager[Progress]]) -> Iterator[Told]:
    """Yields the function that is told how far some work is; each is shown by its own until it is done."""
    with ExitStack() as stack:
        going: dict[str, Progress] = {}  # the one that is shown
        last = ""

        def told(what: str, done: int, total: int) -> None:
            nonlocal last
            if what not in going and (what != last or done < total):
                stack.close()  # that of the work before
                going.clear()
                going[what], last = stack.enter_context(shown_by(what)), what
            if what in going:
                going[what](done, total)
            if done >= total:
                stack.close()
                going.clear()

        yield told


@contextmanager
def on_terminal() -> Iterator[None]:
    """Shows how far the long work of the library is while it lasts, where there is a terminal to see it."""
    if not sys.stderr.isatty():
        yield
        return
    with one_after_another(lambda what: _bar(what, "faces", transient=True)) as told:
        going = ""

        def outermost(what: str, done: int, total: int) -> None:
            nonlocal going
            if going in ("", what):  # else it is a part of other work
                going = what if done < total else ""
                told(what, done, total)

        with heard_by(outermost):
            yield


class _Rate:
    """How many are done a second, without those that were when it was first asked."""

    def __init__(self) -> None:
        self._begin: tuple[int, float] | None = None

    def __call__(self, done: int) -> float:
        now = time.monotonic()
        if self._begin is None:
            self._begin = done, now
        before, began = self._begin
        return (done - before) / max(now - began, 1e-3)


class _Lines:
    def __init__(self, what: str, unit: str) -> None:
        self.what, self.unit = what, unit
        self.told, self.rate = time.monotonic(), _Rate()

    def __call__(self, done: int, total: int) -> None:
        now, rate = time.monotonic(), self.rate(done)
        if done < total and now - self.told < LINE_EVERY:
            return
        self.told = now
        line = f"{self.what}: {done:,} of {total:,} {self.unit}"
        if rate:
            line += f", {rate:,.1f} a second"
        if rate and done < total:
            line += f", {(total - done) / rate:.0f} s left"
        sys.stderr.write(line + "\n")
        sys.stderr.flush()


@contextmanager
def _bar(what: str, unit: str, *, transient: bool = False) -> Iterator[Progress]:
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
    rate = _Rate()
    with RichProgress(*columns, console=Console(stderr=True), transient=transient) as shown:
        task = shown.add_task(what, total=None, rate=0.0)

        def told(done: int, total: int) -> None:
            shown.update(task, completed=done, total=total, rate=rate(done))

        yield told
