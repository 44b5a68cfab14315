"""Collections of other shapes made of the training faces, so that nobody learns how many faces people have.

People are grown by faces that borrow how others vary; strangers with one face are drawn between the people.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from personae.data.faceset import FaceSet

LARGEST = 600  # faces a grown person
TYPICAL, SPREAD = 3.5, 0.9  # of the logarithm of how many faces a grown person has
SPREADS = (1.3, 1.3, 1.15, 1.15, 1.3, 1.3, 1.0, 1.45, 1.2)  # of faces about the mean face of their person
DRAWN = 1 << 26  # random numbers at a time, as many as 4,000 identities and their strangers need


class Shape(NamedTuple):
    """What a collection is like: people who keep a face or two, people grown, strangers added; each a share.

    people: how many, from and to; None: 60 to 100 % of them
    """

    few: float
    grown: float
    strangers: float
    people: tuple[int, int] | None = None


SHAPES = (
    Shape(0.0, 0.0, 0.0),
    Shape(0.8, 0.01, 3.0),
    Shape(0.0, 0.03, 0.0),
    Shape(0.5, 0.0, 2.0),
    Shape(0.1, 0.02, 1.0),
    Shape(0.3, 0.0, 0.0),
    Shape(0.7, 0.01, 1.0),
    Shape(0.9, 0.0, 0.5),
)
SMALL = (  # albums, most of whose people are there once or twice
    Shape(0.9, 0.0, 1.0, people=(50, 110)),
    Shape(0.7, 0.0, 0.5, people=(30, 60)),
    Shape(0.5, 0.02, 0.3, people=(50, 110)),
    Shape(0.9, 0.0, 0.3, people=(150, 300)),
)
EVERY = SHAPES + SMALL


def worlds(
    faces: FaceSet, truth: NDArray[np.int32], count: int, seed: int, shapes: tuple[Shape, ...] = SHAPES
) -> Iterator[tuple[FaceSet, NDArray[np.int32]]]:
    """The faces themselves, then `count` - 1 collections made of them, each with its identities 0..A-1.

    shapes: of the collections, in turn; the first place is that of the faces themselves

    The time to draw strangers grows with the square of the number of identities.
    """
    yield faces, truth
    rng = np.random.default_rng([seed, len(truth)])
    for number in range(1, count):
        yield world(faces, truth, shapes[number % len(shapes)], rng)


def world(
    faces: FaceSet, truth: NDArray[np.int32], shape: Shape, rng: np.random.Generator
) -> tuple[FaceSet, NDArray[np.int32]]:
    """One collection of this shape."""
    features = np.asarray(faces.features, dtype=np.float32)
    sizes = np.bincount(truth)
    sums = np.zeros((len(sizes), faces.dimension))
    np.add.at(sums, truth, features)
    centre = sums / sizes[:, None]
    away = variation(features, truth, centre, sizes)
    people = rng.permutation(len(sizes))
    count = rng.uniform(*(shape.people or (0.6 * len(sizes), len(sizes))))
    people = people[: max(2, int(count))]
    some = np.minimum(rng.geometric(0.5, len(people)), sizes[people])
    wanted = np.where(rng.random(len(people)) < shape.few, some, sizes[people])
    large = np.exp(TYPICAL + SPREAD * rng.normal(size=len(people))).clip(2, LARGEST).astype(int)
    wanted = np.where((rng.random(len(people)) < shape.grown) & (sizes[people] > 1), large, wanted)

    shuffled = rng.permutation(len(truth))
    order = shuffled[np.argsort(truth[shuffled], kind="stable")]
    place = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)  # of a face among its person's
    most = np.zeros(len(sizes), int)
    most[people] = wanted
    own = order[place < most[truth[order]]]
    grown = np.repeat(np.arange(len(sizes)), np.maximum(most - sizes, 0))
    alone = int(shape.strangers * len(people))
    borrowed = away[rng.integers(0, len(away), len(grown) + alone)]
    between = strangers(centre, alone, rng)
    made = np.concatenate([features[own], np.concatenate([centre[grown], between]) + borrowed])
    names = np.concatenate([truth[own], grown, len(sizes) + np.arange(alone)])
    return FaceSet.of(made.astype(np.float32)), np.unique(names, return_inverse=True)[1].astype(np.int32)


def strangers(centre: NDArray[np.float64], count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(count, d), people drawn between those of these centres, (A, d).

    Each is a mix of all of them: O(count A d), `DRAWN` random numbers at a time, 16 bytes each.
    """
    middle = centre.mean(axis=0)
    found = np.empty((count, centre.shape[1]))
    step = max(1, DRAWN // len(centre))
    for start in range(0, count, step):
        share = rng.normal(size=(min(step, count - start), len(centre))) / len(centre) ** 0.5
        found[start : start + step] = middle + share @ (centre - middle)
    return found


def variation(
    features: NDArray[np.float32],
    truth: NDArray[np.int32],
    centre: NDArray[np.float64],
    sizes: NDArray[np.int64],
) -> NDArray[np.float64]:
    """(M, d), how the faces of people with several differ from their centre, as if that were known for sure."""
    rows = np.flatnonzero(sizes[truth] > 1)
    known = np.sqrt(sizes / np.maximum(sizes - 1, 1))
    return np.asarray((features[rows] - centre[truth[rows]]) * known[truth[rows], None])


def spread_worlds(
    faces: FaceSet, truth: NDArray[np.int32], count: int, seed: int, shapes: tuple[Shape, ...] = SHAPES
) -> Iterator[tuple[FaceSet, NDArray[np.int32]]]:
    """`worlds` whose faces differ more, or less, from the mean face of their person: by `SPREADS`, in turn."""
    for number, (made, people) in enumerate(worlds(faces, truth, count, seed, shapes)):
        yield spread(made, people, SPREADS[number % len(SPREADS)]), people


def spread(faces: FaceSet, truth: NDArray[np.int32], factor: float) -> FaceSet:
    """The same people, each face `factor` times as far from the mean face of its person."""
    features = np.asarray(faces.features, dtype=np.float32)
    centre = np.zeros((int(truth.max()) + 1, faces.dimension))
    np.add.at(centre, truth, features)
    own = (centre / np.bincount(truth)[:, None])[truth]
    return FaceSet.of((own + factor * (features - own)).astype(np.float32))
