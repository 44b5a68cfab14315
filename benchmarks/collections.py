"""The collections that the default is held to: real faces, put together in other ways.

Each is drawn anew for a seed. Who has how many faces, how many faces there are, and the space they are in all
vary; the labels come with the faces and are used for scores and oracles alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.record import SHARED
from personae import FaceSet, read_faces

Draw = np.random.Generator
Caps = Callable[[NDArray[np.intp], Draw], NDArray[np.intp]]
Space = Callable[[NDArray[np.floating[Any]], Draw], NDArray[np.floating[Any]]]


@dataclass(frozen=True)
class Collection:
    """Some people of a set with some of their faces, in a space.

    caps:  given the faces of each person, how many of them to take
    space: given (N, d) unit rows, other rows
    """

    name: str
    source: str
    caps: Caps
    space: Space
    k: int = 80

    def faces(self, seed: int) -> FaceSet:
        whole = read_faces(SHARED / "data" / f"{self.source}.npz")
        assert whole.truth is not None
        draw = np.random.default_rng([seed, sum(map(ord, self.name))])
        _, person, count = np.unique(whole.truth, return_inverse=True, return_counts=True)
        order = np.lexsort((draw.random(len(person)), person))
        rank = np.empty(len(person), dtype=np.intp)
        rank[order] = np.arange(len(person)) - np.repeat(np.cumsum(count) - count, count)
        taken = draw.permutation(np.flatnonzero(rank < self.caps(count, draw)[person]))
        rows = self.space(whole.features[taken].astype(np.float64), draw)
        return FaceSet.of(rows, person[taken])


def whole(count: NDArray[np.intp], draw: Draw) -> NDArray[np.intp]:
    return count


def some(people: int) -> Caps:
    """All faces of so many people."""
    return lambda count, draw: np.where(draw.permutation(len(count)) < people, count, 0)


def alone(share: float) -> Caps:
    """One face of this share of the people, all of the others."""
    return lambda count, draw: np.where(draw.random(len(count)) < share, 1, count)


def balanced(faces: int) -> Caps:
    """So many faces of each person who has as many."""
    return lambda count, draw: np.where(count >= faces, faces, 0)


def largest(people: int) -> Caps:
    """The people with the most faces, all of them."""
    return lambda count, draw: np.where(np.argsort(np.argsort(-count, kind="stable")) < people, count, 0)


def album(people: int, at_most: int) -> Caps:
    """A few people, most of them seen once or twice, some often."""

    def caps(count: NDArray[np.intp], draw: Draw) -> NDArray[np.intp]:
        return np.where(
            draw.permutation(len(count)) < people, np.minimum(draw.zipf(1.6, len(count)), at_most), 0
        )

    return caps


def tail(count: NDArray[np.intp], draw: Draw) -> NDArray[np.intp]:
    return np.minimum(draw.zipf(1.8, len(count)), 30)


def as_it_is(rows: NDArray[np.floating[Any]], draw: Draw) -> NDArray[np.floating[Any]]:
    return rows


def centered(rows: NDArray[np.floating[Any]], draw: Draw) -> NDArray[np.floating[Any]]:
    """Without the direction that all faces share."""
    return rows - rows.mean(axis=0)


def crowded(rows: NDArray[np.floating[Any]], draw: Draw) -> NDArray[np.floating[Any]]:
    """All faces drawn to one direction, so that strangers have a cosine of some 0.8."""
    common = draw.standard_normal(rows.shape[1])
    return rows + 2 * common / np.linalg.norm(common)


def shorter(rows: NDArray[np.floating[Any]], draw: Draw) -> NDArray[np.floating[Any]]:
    """Half as many dimensions, at random."""
    d = rows.shape[1]
    return rows @ np.linalg.qr(draw.standard_normal((d, d)))[0][:, : d // 2]


def noisy(rows: NDArray[np.floating[Any]], draw: Draw) -> NDArray[np.floating[Any]]:
    """A worse embedder: noise as long as a third of each face's distance from the middle."""
    noise = draw.standard_normal(rows.shape)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    return rows + noise * np.linalg.norm(rows - rows.mean(axis=0), axis=1, keepdims=True) / 3


def rectified(rows: NDArray[np.floating[Any]], draw: Draw) -> NDArray[np.floating[Any]]:
    """Negative values cut off after a random rotation, as a last ReLU does."""
    d = rows.shape[1]
    return np.maximum(centered(rows, draw) @ np.linalg.qr(draw.standard_normal((d, d)))[0], 0)


KINDS: dict[str, tuple[str, Caps, Space, int]] = {
    "lfw": ("lfw", whole, as_it_is, 80),
    "train": ("train", whole, as_it_is, 80),
    "small faces": ("train_small", whole, as_it_is, 80),
    "half of train": ("train", some(643), as_it_is, 80),
    "lone faces only": ("train", alone(1.0), as_it_is, 80),
    "80 % lone": ("train", alone(0.8), as_it_is, 80),
    "half lone": ("train", alone(0.5), as_it_is, 80),
    "balanced, 5 each": ("train", balanced(5), as_it_is, 80),
    "24 large people": ("train", largest(24), as_it_is, 80),
    "24 large people of lfw": ("lfw", largest(24), as_it_is, 160),
    "album of 120 people": ("train", album(120, 30), as_it_is, 20),
    "album of 400 people": ("lfw", album(400, 40), as_it_is, 40),
    "long tail": ("train", tail, as_it_is, 80),
    "lfw, centered": ("lfw", whole, centered, 80),
    "train, crowded": ("train", whole, crowded, 40),
    "lfw, half the dimensions": ("lfw", whole, shorter, 80),
    "train, noisy": ("train", alone(0.3), noisy, 160),
    "half of lfw, rectified": ("lfw", some(2875), rectified, 80),
}


def collections() -> Iterator[Collection]:
    """Each kind with both embedders; `train_small` has its own cuts of the same photos."""
    for kind, (source, caps, space, k) in KINDS.items():
        for embedder in ("sface", "dlib"):
            yield Collection(f"{kind}, {embedder}", f"{source}.{embedder}", caps, space, k)
