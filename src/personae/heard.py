"""Who hears how far long work in memory is: nobody, unless somebody listens."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Told = Callable[[str, int, int], None]  # the work, how much of it is done, of how much


def unheard(what: str, done: int, total: int) -> None:
    """The listener who is nobody."""


_listener: ContextVar[Told] = ContextVar("listener", default=unheard)


@contextmanager
def heard_by(told: Told) -> Iterator[None]:
    """Until it ends, all that is told in this thread goes to `told`."""
    before = _listener.set(told)
    try:
        yield
    finally:
        _listener.reset(before)


def tell(what: str, done: int, total: int) -> None:
    """Tells whoever listens how much of some work is done, of how much."""
    _listener.get()(what, done, total)
