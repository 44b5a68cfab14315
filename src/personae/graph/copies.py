"""Copies of one face: the same picture many times, so that a method may look at it once."""

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.data.constraints import Constraints
from personae.data.faceset import FaceSet, beside
from personae.data.pages import passing
from personae.graph.adjacency import canonical_order
from personae.graph.components import components_of, first_seen
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.graph.search import complete, knn_graph, ordered
from personae.graph.threads import passed

SAME = 5e-5  # from one unit row to another that is the same but for rounding
HALF = 4e-4  # and where the values have half precision
SHARE = 6.0  # of what rounding sets rows apart, in the mean, no product with a direction shows more
PRODUCTS = 3  # of each row, that are compared before the rows are
STEPS = 64  # as far apart as copies can be, in the second product, are those of one slab
TRIES = 64  # rows that each one is compared with at most, until one is a copy
LISTED = 1 - 1e-6  # cosine of copies in a list
SHORT = 1 / 8  # of all lists may be searched again one by one
BLOCK = 1 << 12  # rows looked at in one go


@dataclass(frozen=True)
class Copies:
    """Which of N faces are copies of another one, in M distinct faces.

    first: (M,) int64 rising, the distinct faces: of copies the one that comes first, of near ones that which
           most are near to
    of:    (N,) int32, which of the distinct faces each face is

    Copies are rows less than 5e-5 apart, 4e-4 of half precision, and what chains of such pairs join.
    """

    first: NDArray[np.int64]
    of: NDArray[np.int32]

    @classmethod
    def among(
        cls, features: NDArray[np.floating[Any]], known: Constraints | None = None, *, half: bool = False
    ) -> Self | None:
        """Those among unit rows (N, d), or None where all faces are distinct.

        known: faces that would join two that a hard pair holds apart are distinct
        half:  whether some of them were rounded to half precision, as float16 is

        InputError: constraints of other faces.

        The rows are sorted by one product each with a direction that is always the same, in slabs of a second
        product, and compared with those behind that differ by less than copies can, in this product and in
        two more: O(N d), as long as not many rows are nearly copies; each is compared with 64 others at most.
        Some 100 bytes a face on the way.
        """
        same = HALF if half or features.dtype == np.float16 else SAME
        reach = same * min(1, SHARE / math.sqrt(features.shape[1]))
        products = _products(features)
        slab = np.floor(products[1] / (STEPS * reach)).astype(np.int32)
        above = np.flatnonzero(products[1] > (slab + 1) * STEPS * reach - reach).astype(np.int32)
        rows = np.r_[np.arange(len(features), dtype=np.int32), above]  # those near the next slab are there too
        slab = np.r_[slab, slab[above] + 1]
        order = np.lexsort((products[0, rows], slab))
        rows, slab = rows[order], slab[order]
        products = products[:, rows]
        links, at = [np.empty((0, 2), np.int32)], np.arange(len(rows))
        other = at
        for _ in range(TRIES):
            other = _next(products, slab, reach, at, other)
            at, other = at[other >= 0], other[other >= 0]
            if not len(at):
                break
            alike = _alike(features, rows[at], rows[other], same)
            links.append(np.stack([rows[at[alike]], rows[other[alike]]], axis=1))
            at, other = at[~alike], other[~alike]
        return cls._of(np.concatenate(links), len(features), known)

    @classmethod
    def listed(cls, graph: KnnGraph, known: Constraints | None = None) -> Self | None:
        """Those that a graph shows: they have a cosine of 1, and the same cosines with everybody else.

        A graph in which most lists hold nothing but 1 tells of links, not of cosines, and shows none.
        """
        if (graph.similarities[:, -1:] >= LISTED).sum() > len(graph) / 2:
            return None
        links = _listed(graph.neighbors, graph.similarities.astype(np.float32, copy=False))
        return cls._of(links, len(graph), known)

    @classmethod
    def near(cls, graph: KnnGraph, cosine: float, known: Constraints | None = None) -> Self | None:
        """Faces that a graph shows to be at least so near to one that stands for them, or None; O(N k).

        One after the other, who has most such neighbors first, faces take those who stand for nobody and have
        nobody yet. Where lists end among neighbors that near, some that stand for others are near, too.
        """

        def count(here: slice) -> NDArray[np.intp]:
            return np.asarray((graph.similarities[here] >= cosine).sum(axis=1))

        near = np.concatenate(passed(count, len(graph), BLOCK, graph.similarities))
        order = canonical_order(graph)
        order = order[np.argsort(-near[order], kind="stable")]
        leader = _led(order, near, graph.neighbors)
        if known is not None:
            alone = np.arange(len(graph), dtype=np.int32)
            _, pairs = _contradicted(leader, known)  # their moments first, before whole people
            leader = np.where(np.isin(leader, leader[pairs]), alone, leader)
            leader = np.where(_held(leader, known), alone, leader)
        first, of = np.unique(leader, return_inverse=True)
        return cls(first.astype(np.int64), of.astype(np.int32)) if len(first) < len(graph) else None

    @classmethod
    def _of(cls, links: NDArray[np.int32], faces: int, known: Constraints | None) -> Self | None:
        of = components_of(links, faces)
        if known is not None and len(links):
            of = first_seen(np.where(_held(of, known), faces + np.arange(faces), of))
        first = np.unique(of, return_index=True)[1]
        return cls(first, of) if len(first) < faces else None

    def faces(self, faces: FaceSet) -> FaceSet:
        """The distinct ones alone; from 1 GB on in a nameless file."""
        return FaceSet(ordered(faces.features, self.first, beside(faces.features)))

    def graph(self, graph: KnnGraph, faces: FaceSet | None = None) -> KnnGraph:
        """The graph of the distinct faces.

        faces: these; lists that copies leave shorter are searched again among them, or all where these are
               many; without them they end with -1
        """
        k = min(graph.k, len(self.first) - 1)
        lists = _once(graph.neighbors, graph.similarities[self.first].astype(np.float32), self.first, self.of)
        found = lists[0][:, :k], lists[1][:, :k]
        if faces is not None and k:
            if (found[0][:, -1] == NOBODY).sum() > SHORT * len(faces):
                return knn_graph(faces, k)
            complete(np.ascontiguousarray(faces.features, np.float32), *found)
        return KnnGraph(*found)

    def start(self, start: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """(M,) who the distinct faces were: of (N,), -1 for nobody, the first copy who was somebody."""
        found = np.full(len(self.first), NOBODY, np.int64)
        some = np.flatnonzero(start >= 0)[::-1]
        found[self.of[some]] = start[some]
        return found

    def constraints(self, known: Constraints) -> Constraints:
        """What is known of the distinct faces: all that is known of their copies."""
        return known.of_distinct(self.first, self.of)


def _held(of: NDArray[np.int32], known: Constraints) -> NDArray[np.bool_]:
    """(N,) which faces would join two that a hard pair holds apart, if copies are one face."""
    person, pairs = _contradicted(of, known)
    return np.isin(person, person[pairs])


def _contradicted(of: NDArray[np.int32], known: Constraints) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """(N,) who would be one person if copies are one face, and (P, 2) the hard pairs that this joins."""
    hard = known.held_by(len(of)).hard
    person = known.group_with(of) if len(hard) else of
    return person, hard[person[hard[:, 0]] == person[hard[:, 1]]]


@njit(cache=True)
def _led(order: NDArray[np.intp], near: NDArray[np.intp], neighbors: NDArray[np.int32]) -> NDArray[np.int32]:
    """(N,) who stands for each face; near: how many neighbors are near."""
    leader = np.full(len(order), NOBODY, np.int32)
    for face in order:
        if leader[face] != NOBODY:
            continue
        leader[face] = face
        for other in neighbors[face, : near[face]]:
            if leader[other] == NOBODY:
                leader[other] = face
    return leader


def _products(features: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """(PRODUCTS, N) of each row with some directions; of equal rows they are equal to the bit."""
    directions = np.random.default_rng(0).normal(size=(PRODUCTS, features.shape[1]))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    products = np.empty((PRODUCTS, len(features)))

    def multiply(here: slice) -> None:
        _multiply(features[here].astype(np.float32, copy=False), directions, products[:, here])

    passed(multiply, len(features), BLOCK, features)
    return products


@njit(cache=True, nogil=True)
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
    products: NDArray[np.float64],
    slab: NDArray[np.int32],
    reach: float,
    at: NDArray[np.int64],
    other: NDArray[np.int64],
) -> NDArray[np.int64]:
    """The first place behind `other` that may be a copy of each place `at`, by all products; -1 for none."""
    found = np.full(len(at), -1, np.int64)
    for one in range(len(at)):
        mine = at[one]
        for place in range(other[one] + 1, len(slab)):
            if slab[place] != slab[mine] or products[0, place] - products[0, mine] >= reach:
                break
            near = True
            for product in range(1, len(products)):
                near &= abs(products[product, place] - products[product, mine]) < reach
            if near:
                found[one] = place
                break
    return found


def _alike(
    features: NDArray[np.floating[Any]], a: NDArray[np.int32], b: NDArray[np.int32], same: float
) -> NDArray[np.bool_]:
    """Whether the rows `a` and `b` are copies, pair by pair."""
    alike = np.empty(len(a), np.bool_)
    for here in passing(len(a), BLOCK, features):
        apart = features[a[here]].astype(np.float32) - features[b[here]]
        alike[here] = np.einsum("ij,ij->i", apart, apart) < same**2
    return alike


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
