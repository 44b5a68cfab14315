"""What a training learns from: no checkpoint of other faces or settings is taken for its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personae.data.faceset import BLOCK
from personae.data.pages import passing

Part = str | NDArray[Any]

_parts: ContextVar[tuple[Part, ...]] = ContextVar("parts", default=())


@contextmanager
def learning_from(*parts: Part) -> Iterator[None]:
    """Until it ends, what is trained in this thread learns from these arrays by these settings, and from what
    was said around it.
    """
    before = _parts.set((*_parts.get(), *parts))
    try:
        yield
    finally:
        _parts.reset(before)


def lesson_digest() -> str:
    """Of all that this thread learns from now, the same only for the same; O(its bytes)."""
    found = blake2b(digest_size=16)
    for part in _parts.get():
        if isinstance(part, str):
            found.update(part.encode())
            continue
        found.update(f"{part.dtype} {part.shape}".encode())
        for here in passing(len(part), BLOCK, part):
            found.update(np.ascontiguousarray(part[here]).data)
    return found.hexdigest()
