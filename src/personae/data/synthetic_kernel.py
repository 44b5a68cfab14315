"""The faces of people who do not exist, each computed from the seed and its slot alone.

Random numbers come from SplitMix64 at a counter (Steele, Lea and Flood, "Fast splittable pseudorandom number
generators", OOPSLA 2014). A coordinate is the sum of four 16-bit ones, as good as normal once d of them are
summed; whole numbers, so the same on any machine.
"""

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from personae.data.synthetic_embedder import Geometry, Slots

CENTRE, PERSON, FACE, NOISE, MODE, FAMILY, BURST = 0, 1, 2, 3, 4, 5, 6  # streams of random numbers
KINSHIP = (0.3, 0.9)  # cosine between the centres of a family, the common direction aside
BLUR = np.float32(0.7)  # how far a low-quality face is drawn to the direction of such faces
BLUR_SPREAD = 1.5  # how much farther it lies from its person's centre
JITTER = np.float32(0.06)  # length of what tells near-duplicates apart

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
LOW_BITS = np.uint64(0xFFFF)
MEAN_OF_FOUR = 131_070  # of four 16-bit numbers
DEVIATION_OF_FOUR = np.float32(1 / 37_837.2)  # sqrt((2^32 - 1) / 3)
OF_53_BITS = 2.0**-53


@njit(parallel=True, cache=True)
def fill(features: NDArray[np.float32], rows: NDArray[np.int32], slots: Slots, geometry: Geometry) -> None:
    """features[r] becomes the face of slot rows[r], (rows, d), unit; to be called under `ONE`."""
    for row in prange(len(rows)):
        _face(features[row], rows[row], slots, geometry)


@njit(cache=True)
def _face(x: NDArray[np.float32], slot: int, slots: Slots, g: Geometry) -> None:
    leader = slots.leader[slot]
    shown = slots.shown[leader]
    person, face = _stream(g.seed, PERSON, shown), _stream(g.seed, FACE, leader)
    far = -np.log(_uniform(face, 0)) - np.log(2.0)  # exponential, median 0
    spread = g.spread * np.exp(g.person_spread * _normal(person, 0) + g.face_spread * far)
    if slots.low[leader]:
        spread *= BLUR_SPREAD
    _at_centre(x, shown, slots, g)
    _add_variation(x, shown, leader, spread, g)
    if slots.low[leader]:
        pull = BLUR * np.sqrt(_squared(x))
        for axis in range(len(x)):
            x[axis] += pull * g.blur[axis]
    _seen_through(x, slot, leader, g)


@njit(cache=True)
def _at_centre(x: NDArray[np.float32], shown: int, slots: Slots, g: Geometry) -> None:
    """The centre of a person: its own, in a family part of it the family's."""
    own = _stream(g.seed, CENTRE, shown)
    family = slots.family[shown] if shown < len(slots.family) else -1
    for axis in range(len(x)):
        x[axis] = g.centre[axis] * _coordinate(own, axis)
    if family >= 0:
        common = _stream(g.seed, FAMILY, family)
        kinship = KINSHIP[0] + (KINSHIP[1] - KINSHIP[0]) * _uniform(common, len(x))
        apart, together = np.float32(np.sqrt(1 - kinship)), np.float32(np.sqrt(kinship))
        for axis in range(len(x)):
            x[axis] = apart * x[axis] + together * g.centre[axis] * _coordinate(common, axis)


@njit(cache=True)
def _add_variation(x: NDArray[np.float32], shown: int, leader: int, spread: float, g: Geometry) -> None:
    """A place between two sub-centres of the person, and noise."""
    face, noise = _stream(g.seed, FACE, leader), _stream(g.seed, NOISE, leader)
    place = _uniform(face, 1) * g.modes
    one = int(place)
    place -= one
    other = (one + 1 + int(_uniform(face, 2) * (g.modes - 1))) % g.modes
    first = _stream(g.seed, MODE, shown * g.modes + one)
    second = _stream(g.seed, MODE, shown * g.modes + other)
    near = np.float32(spread * np.sqrt(g.mode_share * (1 - place)))
    away = np.float32(spread * np.sqrt(g.mode_share * place))
    alone = np.float32(spread * np.sqrt(1 - g.mode_share))
    for axis in range(len(x)):
        varied = near * _coordinate(first, axis) + away * _coordinate(second, axis)
        x[axis] += g.noise[axis] * (varied + alone * _coordinate(noise, axis))


@njit(cache=True)
def _seen_through(x: NDArray[np.float32], slot: int, leader: int, g: Geometry) -> None:
    """Adds the common direction, and what tells a near-duplicate from its leader; unit in the end."""
    apart, common = np.float32(np.sqrt(1 - g.offset)), np.float32(np.sqrt(g.offset))
    scale = apart / np.sqrt(_squared(x))
    for axis in range(len(x)):
        x[axis] = scale * x[axis] + common * g.common[axis]
    if leader != slot:
        burst = _stream(g.seed, BURST, slot)
        for axis in range(len(x)):
            x[axis] += apart * JITTER * g.noise[axis] * _coordinate(burst, axis)
    scale = np.float32(1) / np.sqrt(_squared(x))
    for axis in range(len(x)):
        x[axis] *= scale


@njit(cache=True)
def _squared(x: NDArray[np.float32]) -> np.float32:
    total = np.float32(0)
    for axis in range(len(x)):
        total += x[axis] * x[axis]
    return total


@njit(cache=True)
def _mixed(bits: np.uint64) -> np.uint64:
    """SplitMix64's finaliser."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


@njit(cache=True)
def _stream(seed: np.uint64, purpose: int, number: int) -> np.uint64:
    """Where the random numbers of one thing begin."""
    return _mixed(_mixed(seed + GOLDEN * np.uint64(purpose + 1)) + GOLDEN * np.uint64(number + 1))


@njit(cache=True)
def _bits(stream: np.uint64, at: int) -> np.uint64:
    return _mixed(stream + GOLDEN * np.uint64(at + 1))


@njit(cache=True)
def _coordinate(stream: np.uint64, at: int) -> np.float32:
    """Mean 0, variance 1, within 3.5."""
    bits = _bits(stream, at)
    low = np.int32(bits & LOW_BITS) + np.int32((bits >> np.uint64(16)) & LOW_BITS)
    high = np.int32((bits >> np.uint64(32)) & LOW_BITS) + np.int32(bits >> np.uint64(48))
    return np.float32(low + high - MEAN_OF_FOUR) * DEVIATION_OF_FOUR


@njit(cache=True)
def _uniform(stream: np.uint64, at: int) -> float:
    """In (0, 1)."""
    return (np.float64(_bits(stream, at) >> np.uint64(11)) + 0.5) * OF_53_BITS


@njit(cache=True)
def _normal(stream: np.uint64, at: int) -> float:
    """Box and Muller's, from the uniform numbers 2 `at` and 2 `at` + 1."""
    radius: float = np.sqrt(-2 * np.log(_uniform(stream, 2 * at)))
    return radius * float(np.cos(2 * np.pi * _uniform(stream, 2 * at + 1)))
