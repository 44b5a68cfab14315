"""Collections of other shapes made of the training faces, lest it be learned how many faces people have."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from personae.data.faceset import FaceSet

LARGEST = 600  # faces of a person
TYPICAL, SPREAD = 33, 0.9  # median of the grown people's faces, and the standard deviation of its logarithm


class Shape(NamedTuple):
    """How many faces people have in a world.

    keep:  of their faces people keep "all", any number as likely as another ("any"), mostly one or two ("few")
    grown: share of the people who get more faces than they have
    """

    keep: Literal["all", "any", "few"]
    grown: float


SHAPES = (
    Shape("any", 0.02),
    Shape("few", 0.03),
    Shape("all", 0.1),
    Shape("few", 0.01),
    Shape("any", 0.05),
    Shape("all", 0.0),
    Shape("few", 0.05),
    Shape("any", 0.0),
)


def worlds(faces: FaceSet, truth: NDArray[np.int32], seed: int) -> Iterator[tuple[FaceSet, NDArray[np.int32]]]:
    """The training faces as they are, then a world of each shape; with identities (N,) int32 from 0."""
    yield faces, truth
    for number, shape in enumerate(SHAPES):
        yield world(faces, truth, shape, np.random.default_rng([seed, number, len(faces)]))


def world(
    faces: FaceSet, truth: NDArray[np.int32], shape: Shape, rng: np.random.Generator
) -> tuple[FaceSet, NDArray[np.int32]]:
    """Most of the people, each with fewer or more faces.

    A face that is added lies as far from the mean face of its person as some face of anybody lies from theirs:
    people differ in the same ways.
    """
    features = np.asarray(faces.features, dtype=np.float64)
    sizes = np.bincount(truth)
    mean = np.zeros((len(sizes), features.shape[1]))
    np.add.at(mean, truth, features)
    mean /= np.maximum(sizes, 1)[:, None]
    several = np.flatnonzero(sizes[truth] > 1)
    size = sizes[truth[several]][:, None]
    away = (features[several] - mean[truth[several]]) * np.sqrt(size / (size - 1))  # as from the true mean
    there = rng.permutation(np.flatnonzero(sizes))
    people = np.sort(there[: max(2, round(rng.uniform(0.7, 1) * len(there)))])
    wanted = _wanted(sizes[people], shape, rng)
    by_person = np.lexsort((rng.random(len(truth)), truth))
    first = np.cumsum(sizes) - sizes
    own = np.minimum(wanted, sizes[people])
    rows = by_person[np.repeat(first[people], own) + _counted(own)]
    added = np.repeat(people, wanted - own)
    stretch = np.exp(0.1 * rng.normal(size=len(sizes)))[added][:, None]
    made = mean[added] + stretch * away[rng.integers(0, max(len(away), 1), len(added))]
    kept = made.any(axis=1)
    names = np.concatenate([truth[rows], added[kept]])
    identities = np.unique(names, return_inverse=True)[1].astype(np.int32)
    return FaceSet.of(np.concatenate([features[rows], made[kept]]).astype(np.float32)), identities


def _wanted(sizes: NDArray[np.int64], shape: Shape, rng: np.random.Generator) -> NDArray[np.int64]:
    if shape.keep == "any":
        wanted = rng.integers(1, sizes + 1)
    elif shape.keep == "few":
        wanted = np.minimum(sizes, (1 / (1 - rng.random(len(sizes)))).astype(np.int64))
    else:
        wanted = sizes
    grown = np.exp(rng.normal(np.log(TYPICAL), SPREAD, len(sizes))).clip(10, LARGEST).astype(np.int64)
    return np.where((rng.random(len(sizes)) < shape.grown) & (sizes > 1), np.maximum(grown, wanted), wanted)


def _counted(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """0, 1, ..., c - 1 for each c of `counts`, one after the other."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
