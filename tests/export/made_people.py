"""People made up from labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from personae.data import FaceSet, Sources
from personae.export import People

HOSTILE = (
    "<script>alert(1)</script>.jpg",
    "'><img src=x onerror=alert(1)>.jpg",
    '"quoted" & {{ 7*7 }}.jpg',
    "two\nlines\r.jpg",
    "javascript:alert(1).jpg",
    "http:/example.org/x.jpg",
    "=1+1.jpg",
    "@SUM(A1), +1.jpg",
    "50% off #1?.jpg",
    "été/日本 👩‍👧.jpg",
    "\u202egpj.exe.jpg",
    "..jpg",
    "a...b/..c.jpg",
)


def made_people(
    labels: Sequence[int],
    files: Sequence[str] | None = None,
    confidence: Any = 0.9,
    quality: Any = 0.5,
    thumbnails: Sequence[bytes] | None = None,
) -> People:
    """One face a file unless `files` says otherwise; the same file twice is one photo."""
    n = len(labels)
    named = [f"photo {i}.jpg" for i in range(n)] if files is None else list(files)
    number = {name: i for i, name in enumerate(dict.fromkeys(named))}
    sources = Sources(
        files=tuple(number),
        file=np.array([number[name] for name in named], np.int32),
        box=np.tile(np.float32([10.25, -2, 30, 40]), (n, 1)),
        quality=np.full(n, quality, np.float32),
    )
    return People(
        FaceSet(np.ones((n, 1), np.float32), sources=sources),
        np.array(labels, np.int32),
        np.full(n, confidence, np.float32),
        [b"\xff\xd8 a face \xff\xd9"] * n if thumbnails is None else thumbnails,
    )
