"""Cells of faces that lie near one another: the ground of a search that does not look at all pairs."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.graph.exact import STRIDE, above, before
from personae.graph.knn_graph import NOBODY
from personae.graph.sorting import sort_both
from personae.graph.threads import in_threads, products_alone

BLOCK = 2048  # faces multiplied at a time
SHOWN = 12  # faces a cell that its place is learned from
ROUNDS = 4
GROUPS = 2  # times the root of the number of cells
LOOKED_INTO = 8  # groups


@dataclass(frozen=True)
class Cells:
    """C directions in G groups; a face belongs to the nearest cell of the groups that it looks into.

    directions: (C, d) float32, unit rows, group after group
    groups:     (G, d) float32, unit rows
    first:      (G + 1,) where each group begins
    """

    directions: NDArray[np.float32]
    groups: NDArray[np.float32]
    first: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.directions)

    @property
    def looked_into(self) -> int:
        """The groups whose cells a face is compared with."""
        return min(len(self.groups), LOOKED_INTO)

    @property
    def compared(self) -> float:
        """Products that it takes in the mean to find the cells of a face."""
        return len(self.groups) + self.looked_into * len(self) / len(self.groups)

    @classmethod
    @products_alone()
    def among(cls, features: NDArray[np.float32], count: int) -> "Cells":
        """About `count` cells by spherical k-means on two levels: groups first, then cells in each group.

        features: (M, d) unit rows in an order of chance; the first 12 a cell are looked at
        """
        shown = features[: SHOWN * count]
        groups = _rounds(shown[: len(shown) // 4 + 1], max(1, round(GROUPS * count**0.5)))
        nearest = np.concatenate(in_threads(lambda rows: _nearest(rows, groups), _blocks(shown)))
        used = np.unique(nearest)
        members = [shown[nearest == group] for group in used]
        share = max(1, len(shown) // count)
        found = in_threads(lambda rows: _rounds(rows, max(1, round(len(rows) / share))), members)
        first = np.r_[0, np.cumsum([len(directions) for directions in found])]
        return cls(np.concatenate(found), groups[used], first)

    @products_alone()
    def nearest(self, features: NDArray[np.float32], faces: NDArray[np.intp], probes: int) -> NDArray[np.int32]:
        """(B, probes) int32, the nearest cells of the faces asked for, best first; C where there are no more.

        2 (G + 8 C / G) d operations a face. How a product is rounded depends on where in `faces` a face stands.
        """
        blocks = [faces[start : start + BLOCK] for start in range(0, len(faces), BLOCK)]
        return np.concatenate(in_threads(lambda rows: self._nearest(features[rows], probes), blocks))

    def behind(self, rows: NDArray[np.float32]) -> NDArray[np.int32]:
        """(B, B) int32, how many cells are nearer to row i than the one nearest to row j; C where its group is
        not looked into.
        """
        near, products = self._products(rows)
        rank, cell = np.divmod(products.reshape(len(rows), -1).argmax(axis=1), products.shape[2])
        group = near[np.arange(len(rows)), rank]
        place = np.full(len(self.groups), -1)
        behind = np.full((len(rows), len(rows)), len(self), np.int32)
        for row, values in enumerate(products):
            place.fill(-1)
            place[near[row]] = np.arange(near.shape[1])
            there = np.flatnonzero(place[group] >= 0)
            behind[row, there] = _how_many_above(values.ravel(), values[place[group[there]], cell[there]])
        return behind

    def _nearest(self, rows: NDArray[np.float32], probes: int) -> NDArray[np.int32]:
        near, products = self._products(rows)
        largest = _largest(products.reshape(len(rows), -1), probes)
        place, cell = np.divmod(largest, products.shape[2])
        found = np.take_along_axis(self.first[near], place, axis=1) + cell
        return np.where(largest == NOBODY, len(self), found).astype(np.int32)

    def _products(self, rows: NDArray[np.float32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The groups that each row looks into, and (B, groups looked into, cells in the largest) products."""
        near = _largest(rows @ self.groups.T, self.looked_into)
        products = np.full((*near.shape, int(np.diff(self.first).max())), -np.inf, np.float32)
        order = np.argsort(near, axis=None, kind="stable")
        starts = np.searchsorted(near.ravel()[order], np.arange(len(self.groups) + 1))
        for group, (low, high) in enumerate(pairwise(self.first)):
            row, rank = np.divmod(order[starts[group] : starts[group + 1]], near.shape[1])
            products[row, rank, : high - low] = rows[row] @ self.directions[low:high].T
        return near, products


def _blocks(features: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    return [features[start : start + BLOCK] for start in range(0, len(features), BLOCK)]


def _nearest(rows: NDArray[np.float32], directions: NDArray[np.float32]) -> NDArray[np.intp]:
    return np.concatenate([(block @ directions.T).argmax(axis=1) for block in _blocks(rows)])


def _rounds(rows: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """At most `count` mean directions of some faces; a direction that is nearest to no face stays."""
    directions = rows[:count].copy()
    for _ in range(ROUNDS if len(rows) else 0):
        nearest = _nearest(rows, directions)
        order = np.argsort(nearest, kind="stable")
        used, starts = np.unique(nearest[order], return_index=True)
        sums = np.add.reduceat(rows[order], starts, axis=0)
        length = np.linalg.norm(sums, axis=1, keepdims=True)
        directions[used] = np.where(length > 0, sums / np.maximum(length, 1e-9), directions[used])
    return directions


@njit(cache=True, nogil=True)
def _largest(products: NDArray[np.float32], count: int) -> Any:
    """(B, count) int32, where the largest finite values of each row are, best first, equals in order; NOBODY
    where there are no more.
    """
    found = np.full((len(products), count), NOBODY, np.int32)
    heap = np.empty(count, np.float32)
    keys = np.empty(count, np.int64)
    for row in range(len(products)):
        heap.fill(-np.inf)
        values, places = products[row], found[row]
        for left in range(0, len(values), STRIDE):
            right = min(left + STRIDE, len(values))
            if above(values[left:right], heap[0]):
                for at in range(left, right):
                    if values[at] > heap[0]:
                        _replace_least(heap, places, values[at], at)
        for at in range(count):
            keys[at] = before(heap[at], max(places[at], 0))
        sort_both(keys, places)
    return found


@njit(cache=True, nogil=True)
def _replace_least(heap: NDArray[np.float32], places: NDArray[np.int32], value: float, place: int) -> None:
    hole = 0
    while True:
        child = 2 * hole + 1
        if child + 1 < len(heap) and heap[child + 1] < heap[child]:
            child += 1
        if child >= len(heap) or heap[child] >= value:
            break
        heap[hole], places[hole] = heap[child], places[child]
        hole = child
    heap[hole], places[hole] = value, place


@njit(cache=True, nogil=True)
def _how_many_above(values: NDArray[np.float32], floors: NDArray[np.float32]) -> Any:
    """(F,) int32, how many values exceed each floor."""
    counts = np.zeros(len(floors), np.int32)
    for which in range(len(floors)):
        count = 0
        for at in range(len(values)):
            if values[at] > floors[which]:
                count += 1
        counts[which] = count
    return counts
