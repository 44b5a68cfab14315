"""Small face sets made by hypothesis, and a disk that is nearly full."""

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as of_numpy

from personae.data import FaceSet, Sources
from personae.errors import InputError

SUFFIXES = (".npz", ".parquet", ".csv", ".npy", ".bin")
WITH_SOURCES = (".npz", ".parquet", ".csv")
WITH_HALVES = (".npz", ".parquet", ".npy")

# What is hard on text files, and a lone surrogate: a byte of a name that is no Unicode.
LETTERS = "ab ,;'\"\t\n\r\v\x1c\u2028éß漢🙂\ufeff\udcff01-."
PARTS = st.text(LETTERS, min_size=1, max_size=5).filter(lambda part: part != "..")
FILES = st.lists(PARTS, min_size=1, max_size=3).map("/".join)
NAMES = st.text(LETTERS, min_size=1, max_size=5)

quick = settings(max_examples=20)


@st.composite
def face_sets(draw: st.DrawFn) -> FaceSet:
    n, d = draw(st.integers(1, 6)), draw(st.integers(1, 9))
    dtype = np.dtype(draw(st.sampled_from(["float32", "float16"])))
    numbers = st.floats(-8, 8, width=16).filter(lambda value: value == 0 or abs(value) > 1e-3)
    features = draw(of_numpy.arrays(dtype, (n, d), elements=numbers))
    features[~features.any(axis=1)] = 1
    truth = draw(st.none() | of_numpy.arrays(np.int64, n, elements=st.sampled_from([-3, -2, 0, 1, 2, 3])))
    return FaceSet.of(features, truth, draw(st.none() | sources(n)))


@st.composite
def sources(draw: st.DrawFn, n: int) -> Sources:
    files = tuple(draw(st.lists(FILES, min_size=1, max_size=3, unique=True)))
    return Sources(
        files,
        draw(of_numpy.arrays(np.int32, n, elements=st.integers(0, len(files) - 1))),
        draw(
            of_numpy.arrays(
                np.float32, (n, 4), elements=st.floats(width=32, allow_nan=False, allow_infinity=False)
            )
        ),
        draw(of_numpy.arrays(np.float32, n, elements=st.floats(0, 1, width=32))),
    )


def some_faces(n: int = 40, d: int = 16, dtype: str = "float32", *, bare: bool = False) -> FaceSet:
    random = np.random.default_rng(5)
    features = random.standard_normal((n, d)).astype(dtype)
    if bare:
        return FaceSet.of(features)
    placed = Sources(
        ("album/a.jpg", "album/b.jpg"),
        random.integers(0, 2, n).astype(np.int32),
        random.uniform(0, 4000, (n, 4)).astype(np.float32),
        random.random(n).astype(np.float32),
    )
    return FaceSet.of(features, np.arange(n) // 4, placed)


def files_of(sources: Sources) -> list[str]:
    return [sources.files[i] for i in sources.file]


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file may grow beyond `size` bytes: writing more fails as it does on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def refused(read: Callable[..., object], path: object, said: str, **asked: object) -> str:
    """The one line with which reading is refused."""
    with pytest.raises(InputError, match=said) as refusal:
        read(path, **asked)
    line = str(refusal.value)
    assert line.startswith(f"{path}: ")
    assert "\n" not in line
    assert not line.endswith(": ")
    return line
