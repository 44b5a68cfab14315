"""Copies of one face: the same picture many times, so that a method may look at it once."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.data.constraints import Constraints
from personae.data.faceset import FaceSet, beside
from personae.data.pages import passing
from personae.graph.components import components_of, first_seen
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.graph.search import complete, ordered

SAME = 5e-5  # from one unit row to another that is the same but for rounding
LISTED = 1 - 1e-6  # cosine of copies in a list
BLOCK = 1 << 12  # rows looked at in one go


@dataclass(frozen=True)
class Copies:
    """Which of N faces are copies of another one, in M distinct faces.

    first: (M,) int64 rising, the distinct faces: of copies the one that comes first
    of:    (N,) int32, which of the distinct faces each face is

    Copies are rows less than 5e-5 apart, and what chains of such pairs join.
    """

    first: NDArray[np.int64]
    of: NDArray[np.int32]

    @classmethod
    def among(cls, features: NDArray[np.floating[Any]], known: Constraints | None = None) -> Self | None:
        """Those among unit rows (N, d), or None where all faces are distinct.

        known: faces that would join two that a hard pair holds apart are distinct

        InputError: constraints of other faces.

        The rows are sorted by one product each with a direction that is always the same, and compared with
        those behind that differ from them by less than copies can, in this product and in a second one. Some
        40 bytes a face on the way.
        """
        near, far = _products(features)
        order = np.argsort(near, kind="stable")
        near, far = near[order], far[order]
        links, at = [np.empty((0, 2), np.int32)], np.arange(len(order))
        other = _next(near, far, at, at)
        while len(at := at[other >= 0]):
            other = other[other >= 0]
            same = _same(features, order[at], order[other])
            links.append(np.stack([order[at[same]], order[other[same]]], axis=1).astype(np.int32))
            at, other = at[~same], other[~same]
            other = _next(near, far, at, other)
        return cls._of(np.concatenate(links), len(features), known)

    @classmethod
    def listed(cls, graph: KnnGraph, known: Constraints | None = None) -> Self | None:
        """Those that a graph shows: they have a cosine of 1, and the same cosines with everybody else."""
        links = _listed(graph.neighbors, graph.similarities.astype(np.float32, copy=False))
        return cls._of(links, len(graph), known)

    @classmethod
    def _of(cls, links: NDArray[np.int32], faces: int, known: Constraints | None) -> Self | None:
        of = components_of(links, faces)
        if known is not None and len(known.held_by(faces).hard) and len(links):
            person = known.group_with(of)
            a, b = person[known.hard].T
            held = np.isin(person, a[a == b])
            of = first_seen(np.where(held, faces + np.arange(faces), of))
        first = np.unique(of, return_index=True)[1]
        return cls(first, of) if len(first) < faces else None

    def faces(self, faces: FaceSet) -> FaceSet:
        """The distinct ones alone; from 1 GB on in a nameless file."""
        return FaceSet(ordered(faces.features, self.first, beside(faces.features)))

    def graph(self, graph: KnnGraph, faces: FaceSet | None = None) -> KnnGraph:
        """The graph of the distinct faces.

        faces: these; lists that copies leave shorter are searched again among them, and end with -1 without
        """
        k = min(graph.k, len(self.first) - 1)
        lists = _once(graph.neighbors, graph.similarities[self.first].astype(np.float32), self.first, self.of)
        found = lists[0][:, :k], lists[1][:, :k]
        if faces is not None and k:
            complete(np.ascontiguousarray(faces.features, np.float32), *found)
        return KnnGraph(*found)

    def constraints(self, known: Constraints) -> Constraints:
        """What is known of the distinct faces: all that is known of their copies."""
        return known.of_distinct(self.first, self.of)


def _products(features: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """(2, N) the products of each row with two directions; of equal rows they are equal to the bit."""
    directions = np.random.default_rng(0).normal(size=(2, features.shape[1]))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    products = np.empty((2, len(features)))
    for here in passing(len(features), BLOCK, features):
        _multiply(features[here].astype(np.float32, copy=False), directions, products[:, here])
    return products


@njit(cache=True)
def _multiply(
    features: NDArray[np.float32], directions: NDArray[np.float64], products: NDArray[np.float64]
) -> None:
    for row in range(len(features)):
        for one in range(len(directions)):
            total = 0.0
            for axis in range(features.shape[1]):
                total += features[row, axis] * directions[one, axis]
            products[one, row] = total


@njit(cache=True)
def _next(
    near: NDArray[np.float64], far: NDArray[np.float64], at: NDArray[np.int64], other: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The first place behind `other` that may be a copy of each place `at`, by both products; -1 for none."""
    found = np.full(len(at), -1, np.int64)
    for one in range(len(at)):
        for place in range(other[one] + 1, len(near)):
            if near[place] - near[at[one]] >= SAME:
                break
            if abs(far[place] - far[at[one]]) < SAME:
                found[one] = place
                break
    return found


def _same(features: NDArray[np.floating[Any]], a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the rows `a` and `b` are copies, pair by pair."""
    same = np.empty(len(a), np.bool_)
    for start in range(0, len(a), BLOCK):
        here = slice(start, start + BLOCK)
        apart = features[a[here]].astype(np.float32) - features[b[here]]
        same[here] = np.einsum("ij,ij->i", apart, apart) < SAME**2
    return same


@njit(cache=True)
def _listed(neighbors: NDArray[np.int32], similarities: NDArray[np.float32]) -> NDArray[np.int32]:
    """(E, 2) the faces that a list shows to be copies of another."""
    n, k = neighbors.shape
    links = []
    for face in range(n):
        for rank in range(k):
            other = neighbors[face, rank]
            if other == NOBODY or similarities[face, rank] < LISTED:
                break
            alike = True
            for at in range(k):
                alike &= abs(similarities[face, at] - similarities[other, at]) < 2 * SAME
            if alike:
                links.append((face, other))
    found = np.empty((len(links), 2), np.int32)
    for at in range(len(links)):
        found[at, 0], found[at, 1] = links[at]
    return found


@njit(cache=True)
def _once(
    neighbors: NDArray[np.int32],
    similarities: NDArray[np.floating[Any]],
    first: NDArray[np.int64],
    of: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The lists of the distinct faces, each of these on them once, by the number it has among them."""
    k = neighbors.shape[1]
    found = np.full((len(first), k), NOBODY, np.int32)
    cosines = np.zeros((len(first), k), np.float32)
    last = np.full(len(first), NOBODY, np.int32)  # the list that a face was put on last
    for row in range(len(first)):
        count, last[row] = 0, row
        for rank in range(k):
            other = neighbors[first[row], rank]
            if other != NOBODY and last[of[other]] != row:
                last[of[other]] = row
                found[row, count], cosines[row, count] = of[other], similarities[row, rank]
                count += 1
    return found, cosines
