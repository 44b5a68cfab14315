"""The geometry of an embedding of people who do not exist.

A face is the direction that all faces share plus a point around its person's centre:

    x = unit( sqrt(offset) common + sqrt(1 - offset) unit( c + s (sqrt(m) b + sqrt(1 - m) e) ) )

c is the person's centre, b a blend of two of the person's sub-centres (ages, poses), e noise, m `mode_share`,
and s the spread, which varies between people and has a heavy tail between faces. The constants were fitted to
what two embedders do on real people; `benchmarks/synthetic.py` sets both sides next to each other.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from personae.errors import InputError

FALL = (3.0, 0.7)  # centres and noise lose e^-FALL of their variance over `breadth`


@dataclass(frozen=True)
class SyntheticEmbedder:
    """The geometry of an embedding; the defaults are those of SFace, `like_dlib` has those of dlib.

    dimension:     d
    offset:        mean cosine of two people
    likeness:      cosine of two typical faces of one person
    decay:         variance of centres along axis i falls as (1 + i)^-decay exp(-3 i / (breadth d))
    breadth:       share of the axes that carry anything; beyond 1 all do, and the last ones more
    person_spread: standard deviation of the logarithm of the spread between people
    face_spread:   mean of its exponential distribution between faces of a person: some lie far out
    modes:         sub-centres a person, ages and poses; a face lies between two of them
    mode_share:    share of a person's variance that is between sub-centres

    InputError: a value that makes no embedding.
    """

    dimension: int = 128
    offset: float = 0.09
    likeness: float = 0.62
    decay: float = 0.1
    breadth: float = 1.35
    person_spread: float = 0.17
    face_spread: float = 0.28
    modes: int = 6
    mode_share: float = 0.25

    def __post_init__(self) -> None:
        whole("dimension", self.dimension, 2)
        whole("modes", self.modes, 1)
        within("offset", self.offset, 0, 0.999)
        within("likeness", self.likeness, 0, 0.999)
        within("mode_share", self.mode_share, 0, 1)
        for name in ("decay", "person_spread", "face_spread"):
            within(name, getattr(self, name), 0, 5)
        within("breadth", self.breadth, 0.01, 100)
        if self.likeness <= self.offset:
            raise InputError(
                f"likeness is {self.likeness} and offset {self.offset}; faces of one person need to be more "
                f"alike than two people are"
            )


def like_sface(dimension: int = 128) -> SyntheticEmbedder:
    """Cosines about 0.6 within a person and 0.09 between people, nearly all axes in use."""
    return SyntheticEmbedder(dimension)


def like_dlib(dimension: int = 128) -> SyntheticEmbedder:
    """Cosines about 0.95 within a person and 0.83 between people, who differ along few axes."""
    return SyntheticEmbedder(
        dimension, 0.83, 0.955, decay=0.6, breadth=0.55, person_spread=0.15, face_spread=0.22
    )


class Slots(NamedTuple):
    """What each face shows, person after person, before the faces are shuffled.

    shown:  (N,) int32, the person; C and above are strangers
    leader: (N,) int32, the slot that a near-duplicate repeats, the slot itself for all others
    low:    (N,) bool, low quality
    family: (C,) int32, the family of look-alikes of each person, -1 for none
    """

    shown: NDArray[np.int32]
    leader: NDArray[np.int32]
    low: NDArray[np.bool_]
    family: NDArray[np.int32]


class Geometry(NamedTuple):
    """What the faces of a set have in common.

    centre, noise: (d,) float32, standard deviations along the axes, of squared length 1
    common, blur:  (d,) float32, the unit directions of all and of low-quality faces
    """

    seed: np.uint64
    centre: NDArray[np.float32]
    noise: NDArray[np.float32]
    common: NDArray[np.float32]
    blur: NDArray[np.float32]
    offset: float
    spread: float
    person_spread: float
    face_spread: float
    modes: int
    mode_share: float


def geometry_of(embedder: SyntheticEmbedder, seed: int) -> Geometry:
    """The axes and directions that the seed draws; axes of much and little variance lie in random order."""
    generator = np.random.Generator(np.random.Philox(key=[seed, 1]))
    d = embedder.dimension
    axis = np.arange(d)
    used = axis < max(2.0, embedder.breadth * d)
    place = axis / (embedder.breadth * d)
    centre = np.where(used, (1.0 + axis) ** -embedder.decay * np.exp(-FALL[0] * place), 0)
    noise = np.where(used, np.exp(-FALL[1] * place), 0)
    dealt = generator.permutation(d)
    centre, noise = (np.sqrt(variance / variance.sum())[dealt] for variance in (centre, noise))
    alike = (embedder.likeness - embedder.offset) / (1 - embedder.offset)
    return Geometry(
        np.uint64(seed),
        centre.astype(np.float32),
        noise.astype(np.float32),
        _unit(generator.standard_normal(d)),
        _unit(generator.standard_normal(d) * centre),
        float(embedder.offset),
        float(np.sqrt(1 / alike - 1)),
        float(embedder.person_spread),
        float(embedder.face_spread),
        embedder.modes,
        float(embedder.mode_share),
    )


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float32]:
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def whole(name: str, value: Any, least: int) -> None:
    """InputError unless a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InputError(f"{name} is {value!r}; it needs to be a whole number of at least {least}")


def within(name: str, value: Any, low: float, high: float) -> None:
    """InputError unless a number from `low` to `high`; NaN is none."""
    if not low <= value <= high:
        raise InputError(f"{name} is {value!r}; it needs to lie in {low}..{high}")
