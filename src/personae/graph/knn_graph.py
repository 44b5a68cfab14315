"""The kNN graph: the one value that travels from search to clustering."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personae.data.pages import passing
from personae.errors import InputError, counted

NOBODY = -1
BLOCK = 1 << 14  # faces looked at in one go
LOOKED_AT = 128  # faces whose similarities tell of whom a graph is,
TOLERANCE = 0.01  # if they are so near to the cosines


@dataclass(frozen=True)
class KnnGraph:
    """The k nearest faces of each of N faces, best first, the face itself left out.

    neighbors:    (N, k) int32,   neighbors[i, r] is the face at rank r from face i, -1 where there is none
    similarities: (N, k) float32 or float16; cosines in [-1, 1], not increasing in r, after a search;
                  probabilities in [0, 1] in the same places after a link model; 0 where there is no neighbor
    """

    neighbors: NDArray[np.int32]
    similarities: NDArray[np.floating[Any]]

    def __post_init__(self) -> None:
        if self.neighbors.ndim != 2 or self.neighbors.shape != self.similarities.shape:
            raise InputError(
                f"a kNN graph needs neighbors and similarities of one shape (N, k); "
                f"they have {self.neighbors.shape} and {self.similarities.shape}"
            )
        if self.neighbors.dtype.kind != "i" or self.similarities.dtype.kind != "f":
            types = f"{self.neighbors.dtype} and {self.similarities.dtype}"
            raise InputError(f"neighbors and similarities are {types}; they need to be int32 and float32")
        n = len(self.neighbors)
        low, high = self._extent()
        if not NOBODY <= low <= high < max(n, 1):
            raise InputError(f"neighbors run from {low} to {high}; {n:,} faces are {NOBODY} to {n - 1}")

    @classmethod
    def of(cls, neighbors: ArrayLike, cosines: ArrayLike) -> Self:
        """The graph of what another search found, such as faiss or hnswlib, in any order.

        neighbors: (N, k) integers, -1 for nobody; the face itself and those that are there twice are left out
        cosines:   (N, k), those of unit rows: inner products, or 1 - d^2 / 2 of distances d

        InputError: other shapes or kinds, faces that are not there, or cosines that are not finite.

        >>> KnnGraph.of([[0, 1], [0, 1], [2, -1]], [[1.0, 0.8], [0.8, 1.0], [1.0, 0.0]]).neighbors.tolist()
        [[1], [0], [-1]]
        """
        found, near = np.asarray(neighbors), np.asarray(cosines)
        given = cls(found, near)
        if not len(given):
            return given
        if not np.isfinite(near[found != NOBODY]).all():
            raise InputError("cosines of neighbors are not finite; search again")
        lists = [others_best_first(found[here], near[here], here.start) for here in passing(len(given), BLOCK)]
        others, similarities = (np.concatenate(parts) for parts in zip(*lists, strict=True))
        most = int((others != NOBODY).sum(axis=1).max(initial=0))
        return cls(others[:, :most].copy(), similarities[:, :most].copy())

    def __len__(self) -> int:
        return len(self.neighbors)

    def __repr__(self) -> str:
        return f"KnnGraph({counted(len(self), 'face')}, {counted(self.k, 'neighbor')} each)"

    def _extent(self) -> tuple[int, int]:
        """The lowest and the highest neighbor, and 0."""
        low = high = 0
        for here in passing(len(self.neighbors) if self.k else 0, BLOCK, self.neighbors):
            block = self.neighbors[here]
            low, high = min(low, int(block.min())), max(high, int(block.max()))
        return low, high

    @property
    def k(self) -> int:
        """Neighbors a face."""
        return int(self.neighbors.shape[1])

    def nearest(self, k: int) -> "KnnGraph":
        """The first k ranks of each face, or all there are; copies of those. InputError: k below 0."""
        if k < 0:
            raise InputError(f"k is {k}; it needs to be at least 0")
        if k >= self.k:
            return self
        return KnnGraph(self.neighbors[:, :k].copy(), self.similarities[:, :k].copy())

    def linked(self, weights: NDArray[np.floating[Any]]) -> "KnnGraph":
        """The same neighbors with the weights of a link model, (N, k), in place of the similarities."""
        return replace(self, similarities=weights)

    def where(self, kept: NDArray[np.bool_]) -> "KnnGraph":
        """Only the links marked in `kept`, (N, k) bool; the others become -1 with similarity 0."""
        return KnnGraph(
            np.where(kept, self.neighbors, np.int32(NOBODY)),
            np.where(kept, self.similarities, self.similarities.dtype.type(0)),
        )

    def at_least(self, tau: float) -> "KnnGraph":
        """Only the links of similarity `tau` or above, which is not rounded to the kind of numbers they are."""
        least = np.float64(tau)
        return self._only(lambda values: values >= least)

    def positive(self) -> "KnnGraph":
        """Only the links of similarity above 0."""
        return self._only(lambda values: values > 0)

    def is_of(self, features: NDArray[np.floating[Any]]) -> bool:
        """Whether some of the similarities are the cosines of these faces, unit rows (N, d), to a hundredth."""
        rows = np.linspace(0, len(self) - 1, min(len(self), LOOKED_AT)).astype(np.intp)
        others = self.neighbors[rows]
        cosines = np.einsum("rd,rkd->rk", features[rows], features[others])
        return bool((np.abs(cosines - self.similarities[rows])[others != NOBODY] < TOLERANCE).all())

    def refuse_own_faces(self) -> None:
        """InputError: a face is among its own neighbors, as other programs write it."""
        for here in passing(len(self), BLOCK, self.neighbors):
            if (self.neighbors[here] == np.arange(here.start, here.stop)[:, None]).any():
                raise InputError("the graph lists faces among their own neighbors; KnnGraph.of leaves them out")

    def _only(self, kept: Callable[[NDArray[np.floating[Any]]], NDArray[np.bool_]]) -> "KnnGraph":
        """As `where`, a block at a time."""
        neighbors = np.empty(self.neighbors.shape, self.neighbors.dtype)
        similarities = np.empty(self.similarities.shape, self.similarities.dtype)
        for here in passing(len(self), BLOCK, self.neighbors, self.similarities):
            values = self.similarities[here]
            there = kept(values)
            neighbors[here] = np.where(there, self.neighbors[here], NOBODY)
            similarities[here] = np.where(there, values, 0)
        return KnnGraph(neighbors, similarities)


def others_best_first(
    found: NDArray[np.integer[Any]], near: NDArray[np.floating[Any]], start: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """(B, k), (B, k) the lists of the faces from number `start` on, without themselves and anybody twice."""
    order = np.lexsort((-near, found))  # of each face's list: by number, the nearest first
    numbers = np.take_along_axis(found, order, axis=1)
    first = np.ones(found.shape, dtype=np.bool_)
    first[:, 1:] = numbers[:, 1:] != numbers[:, :-1]
    kept = np.zeros(found.shape, dtype=np.bool_)
    np.put_along_axis(kept, order, first, axis=1)
    kept &= (found != NOBODY) & (found != start + np.arange(len(found))[:, None])
    best = np.argsort(np.where(kept, -near, np.inf), axis=1, kind="stable")
    found, near = np.where(kept, found, NOBODY), np.where(kept, near, 0)
    return (
        np.take_along_axis(found, best, axis=1).astype(np.int32),
        np.take_along_axis(near, best, axis=1).astype(np.float32),
    )
