"""People who do not exist: faces that cluster like real ones, in any number and with a truth."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from personae.data.atomic import atomic_write
from personae.data.faceset import BLOCK, FaceSet
from personae.data.one_loop import ONE
from personae.data.synthetic_embedder import Slots, SyntheticEmbedder, geometry_of, whole, within
from personae.errors import InputError

FACES_A_PERSON = {"long-tailed": 13_233 / 5_749, "balanced": 10.0}  # the first is that of LFW
SINGLES = {"long-tailed": 4_069 / 5_749, "balanced": 0.0}
TAIL = 1.45  # the share of people with more than m faces falls as m^-TAIL; LFW's long tail
KIN = 3  # people in a family of look-alikes
STRANGERS = (
    0.7  # of the wrong labels: the face is of someone who is not among the people; else of another of them
)


@dataclass(frozen=True)
class SyntheticIdentities:
    """A collection to make: how many faces of how many people, and what is wrong with them.

    faces:       N
    people:      identities, by default as many as LFW has for N, or N / 10 if balanced
    sizes:       "long-tailed" as in LFW, "balanced", or the number of faces of each person
    singles:     share of the people with one face, by default that of LFW, or 0 if balanced
    families:    share of the people who look like one or two others
    low_quality: share of the faces that are drawn to one direction and away from their person
    bursts:      share of the faces that nearly repeat another of their person, cosine above 0.99
    label_noise: share of the faces whose truth is wrong; who is shown is mostly someone seen nowhere else
    embedder:    the geometry of the features
    seed:        same seed, same faces

    InputError: a share outside 0..1, or faces that cannot be shared out so.
    """

    faces: int = 1000
    people: int | None = None
    sizes: Literal["long-tailed", "balanced"] | tuple[int, ...] = "long-tailed"
    singles: float | None = None
    families: float = 0.05
    low_quality: float = 0.01
    bursts: float = 0.003
    label_noise: float = 0.016
    embedder: SyntheticEmbedder = SyntheticEmbedder()  # noqa: RUF009  (frozen)
    seed: int = 0

    def __post_init__(self) -> None:
        whole("faces", self.faces, 1)
        if self.faces > np.iinfo(np.int32).max:
            raise InputError(f"faces is {self.faces:,}; at most {np.iinfo(np.int32).max:,} can be numbered")
        whole("seed", self.seed, 0)
        if self.seed >= 1 << 63:
            raise InputError(f"seed is {self.seed}; it needs to be below 2^63")
        for name in ("families", "low_quality", "bursts", "label_noise"):
            within(name, getattr(self, name), 0, 1)
        if isinstance(self.sizes, str):
            if self.sizes not in SINGLES:
                raise InputError(
                    f"sizes is {self.sizes!r}; it needs to be 'long-tailed', 'balanced' or numbers"
                )
            self._shared_out()
        elif self.people is not None or self.singles is not None:
            raise InputError("sizes says how many faces each person has; leave people and singles out")
        elif not self.sizes or min(self.sizes) < 1 or sum(self.sizes) != self.faces:
            raise InputError(
                f"sizes add up to {sum(self.sizes):,} and faces is {self.faces:,}; they need to agree, "
                f"with one face a person at least"
            )

    def faces_of_each(self) -> NDArray[np.int64]:
        """(C,) the number of faces of each person, most first unless given; they add up to `faces`."""
        if not isinstance(self.sizes, str):
            return np.array(self.sizes, dtype=np.int64)
        people, singles = self._shared_out()
        counts = np.ones(people, dtype=np.int64)
        several, left = people - singles, self.faces - singles
        if several:
            slope = 1 / TAIL if self.sizes == "long-tailed" else 0.0
            counts[:several] = _power_law(left, several, slope)
        return counts

    def _shared_out(self) -> tuple[int, int]:
        """People, and those of them with one face."""
        sizes = str(self.sizes)
        people = max(1, round(self.faces / FACES_A_PERSON[sizes])) if self.people is None else self.people
        whole("people", people, 1)
        if self.singles is None:
            room = 2 * people - self.faces  # fewer singles, and each of the others had one face
            singles = max(room, min(round(people * SINGLES[sizes]), people - (self.faces > people)))
        else:
            within("singles", self.singles, 0, 1)
            singles = round(people * self.singles)
        several, left = people - singles, self.faces - singles
        if people > self.faces or left < 2 * several or (left and not several):
            raise InputError(
                f"{self.faces:,} faces cannot be shared out to {people:,} people, {singles:,} of them with "
                f"one face and the others with two or more; change people or singles"
            )
        return people, singles


def synthetic_faces(made: SyntheticIdentities | None = None) -> FaceSet:
    """The faces in memory, float32, in random order, with the truth.

    Each face is computed from the seed and its number alone, so that threads and blocks change nothing.
    O(N d) time.

    >>> faces = synthetic_faces(SyntheticIdentities(faces=6, people=2, sizes="balanced"))
    >>> faces.features.shape, sorted(faces.truth.tolist())
    ((6, 128), [0, 0, 0, 1, 1, 1])
    """
    made = SyntheticIdentities() if made is None else made
    layout = layout_of(made)
    return FaceSet(next(_blocks(made, layout, made.faces)), layout.truth)


def write_synthetic_faces(
    made: SyntheticIdentities,
    path: str | os.PathLike[str],
    *,
    dtype: Literal["float16", "float32"] = "float16",
    block: int = BLOCK,
) -> FaceSet:
    """The faces of `synthetic_faces`, written to a `.npy` and mapped from there; the truth goes to a `.meta`.

    block: faces made at a time, up to 6 d bytes each; the file is the same for any. Who is where takes about
           45 N bytes.

    InputError: another suffix or type, block below 1. OutputError: no space, no permission.
    """
    path = Path(path)
    whole("block", block, 1)
    if path.suffix.lower() != ".npy":
        raise InputError(f"{path}: unknown suffix {path.suffix!r}; synthetic faces go to a .npy")
    if dtype not in ("float16", "float32"):
        raise InputError(f"dtype is {dtype!r}; it needs to be 'float16' or 'float32'")
    layout = layout_of(made)
    with atomic_write(path.with_suffix(".meta")) as beside, atomic_write(path) as temporary:
        with temporary.open("wb") as file:  # not through a map: a full disk is an error there and a crash here
            shape = (made.faces, made.embedder.dimension)
            head = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, head)
            for features in _blocks(made, layout, block):
                file.write(features.astype(dtype, copy=False).data)
        with beside.open("w", encoding="ascii", newline="") as lines:
            for start in range(0, made.faces, BLOCK):
                lines.writelines(f"{person}\n" for person in layout.truth[start : start + BLOCK].tolist())
    return FaceSet(np.load(path, mmap_mode="r", allow_pickle=False), layout.truth)


def _blocks(made: SyntheticIdentities, layout: "Layout", block: int) -> Iterator[NDArray[np.float32]]:
    """The features of successive faces; each block is overwritten by the next."""
    from personae.data.synthetic_kernel import fill  # noqa: PLC0415  (numba is not needed to read faces)

    geometry = geometry_of(made.embedder, made.seed)
    buffer = np.empty((min(block, made.faces), made.embedder.dimension), dtype=np.float32)
    for start in range(0, made.faces, block):
        rows = layout.order[start : start + block]
        with ONE:
            fill(buffer[: len(rows)], rows, layout.slots, geometry)
        yield buffer[: len(rows)]


@dataclass(frozen=True)
class Layout:
    """Who is where.

    order: (N,) int32, the slot of each face
    truth: (N,) int32, the label of each face
    """

    order: NDArray[np.int32]
    truth: NDArray[np.int32]
    slots: Slots


def layout_of(made: SyntheticIdentities) -> Layout:
    """Deals labels, near-duplicates and all that is wrong to the faces, in exact numbers.

    A near-duplicate is as blurred as what it repeats.
    """
    generator = np.random.Generator(np.random.Philox(key=[made.seed, 0]))
    counts = made.faces_of_each()
    n, people = made.faces, len(counts)
    person = np.repeat(np.arange(people, dtype=np.int32), counts)
    shown = person.copy()
    wrong = generator.permutation(n)[: round(n * made.label_noise)]
    strangers = round(len(wrong) * STRANGERS) if people > 1 else len(wrong)
    shown[wrong[:strangers]] = people + np.arange(strangers)
    swapped = wrong[strangers:]
    shown[swapped] = (person[swapped] + generator.integers(1, max(people, 2), len(swapped))) % people
    leader = _leaders(person, shown == person, round(n * made.bursts), generator)
    low = np.zeros(n, dtype=np.bool_)
    low[generator.permutation(n)[: round(n * made.low_quality)]] = True
    family = np.full(people, -1, dtype=np.int32)
    kin = generator.permutation(people)[: round(people * made.families)]
    if len(kin) > 1:  # nobody is alike alone: one left over joins the last family
        family[kin] = np.minimum(np.arange(len(kin)) // KIN, max(1, (len(kin) + 1) // KIN) - 1)
    order = generator.permutation(np.arange(n, dtype=np.int32))
    return Layout(order, person[order], Slots(shown, leader, low, family))


def _leaders(
    person: NDArray[np.int32], right: NDArray[np.bool_], copies: int, generator: np.random.Generator
) -> NDArray[np.int32]:
    """(N,) int32: `copies` of the rightly labelled faces repeat one before them, not the first of a person."""
    slots = np.arange(len(person), dtype=np.int32)
    fit = np.flatnonzero(right)
    fit = fit[1:][person[fit[1:]] == person[fit[:-1]]]
    if copies > len(fit):
        raise InputError(
            f"bursts ask for {copies:,} faces that repeat one of their person, but only {len(fit):,} have one "
            f"to repeat; lower bursts or singles"
        )
    original = right.copy()
    original[generator.permutation(fit)[:copies]] = False
    leader: NDArray[np.int32] = np.where(original | ~right, slots, 0)
    last = np.maximum.accumulate(np.where(original, slots, 0))
    copy = right & ~original
    leader[copy] = last[copy]
    return leader


def _power_law(faces: int, people: int, slope: float) -> NDArray[np.int64]:
    """(C,) sizes of 2 or more that add up to `faces` and fall as rank^-slope, as far as whole numbers can."""
    ideal = (people / (np.arange(people) + 0.5)) ** slope

    def sizes_at(scale: float) -> NDArray[np.int64]:
        return np.maximum(2, (scale * ideal).astype(np.int64))

    low, high = 0.0, float(faces)
    for _ in range(64):
        middle = (low + high) / 2
        low, high = (middle, high) if sizes_at(middle).sum() <= faces else (low, middle)
    sizes = sizes_at(low)
    more, rest = divmod(faces - int(sizes.sum()), people)
    sizes += more
    sizes[:rest] += 1
    return sizes
