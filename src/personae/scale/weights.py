"""The weights of links, added up over people."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from personae.data.constraints import Constraints
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.graph.map_equation_part import Rest
from personae.link.strangers import HEAD_START, SURE, Strangers

BLOCK = 1 << 14


class Weighted(NamedTuple):
    """E links from one face to another.

    face:   (E,) int64
    other:  (E,) int64
    weight: (E,) float64
    """

    face: NDArray[np.int64]
    other: NDArray[np.int64]
    weight: NDArray[np.float64]

    def softened(self, constraints: Constraints) -> "Weighted":
        """The links after each soft pair has lost its share, as in `personae.graph.constrained.softened`."""
        pairs, share = constraints.soft()
        if not len(pairs):
            return self
        known = pairs.astype(np.int64) @ [len(constraints), 1]
        asked = np.minimum(self.face, self.other) * len(constraints) + np.maximum(self.face, self.other)
        at = np.minimum(np.searchsorted(known, asked), len(known) - 1)
        left = np.where(known[at] == asked, 1 - share[at], np.float32(1))
        return self._replace(weight=(self.weight.astype(np.float32) * left).astype(np.float64))

    @property
    def strength(self) -> float:
        """What they add to the links of all faces, once for each end."""
        return 2 * float(self.weight.sum())

    def leaving(self, labels: NDArray[np.int32], inside: NDArray[np.bool_]) -> float:
        """What they add to the links by which people of the faces `inside` are left; others are not counted."""
        across = labels[self.face] != labels[self.other]
        ends = inside[self.face].astype(np.int64) + inside[self.other]
        return float((self.weight * ends)[across].sum())

    def between(self, rows: NDArray[np.intp], n: int) -> tuple[csr_array, NDArray[np.float64]]:
        """(S, S) symmetric weights between the faces `rows`, and (S,) those of each to others of the N."""
        place = np.full(n, -1)
        place[rows] = np.arange(len(rows))
        one, two = place[self.face], place[self.other]
        both = (one >= 0) & (two >= 0)
        ends = np.r_[one[both], two[both]], np.r_[two[both], one[both]]
        links = coo_array((np.tile(self.weight[both], 2), ends), shape=(len(rows), len(rows))).tocsr()
        border = ~both
        outwards = np.bincount(np.maximum(one, two)[border], self.weight[border], minlength=len(rows))
        return links, outwards.astype(np.float64)


def rest_of(links: KnnGraph, labels: NDArray[np.int32]) -> Rest:
    """All links of a graph, added up."""
    strength = leaving = 0.0
    for start in range(0, len(links), BLOCK):
        weights = links.similarities[start : start + BLOCK].astype(np.float64)
        others = links.neighbors[start : start + BLOCK]
        across = labels[others] != labels[start : start + BLOCK, None]
        strength += float(weights.sum())
        leaving += float(weights[across & (others != NOBODY)].sum())
    return Rest(2 * strength, 2 * leaving)


def links_at(graph: KnnGraph, strangers: Strangers, floor: float, inside: NDArray[np.bool_]) -> Weighted:
    """The links of `Strangers.link` with at least one end among the faces `inside`, (N,) bool."""
    found = []
    for start in range(0, len(graph), BLOCK):
        others = graph.neighbors[start : start + BLOCK]
        asked = (inside[others] | inside[start : start + BLOCK, None]) & (others != NOBODY)
        row, rank = np.nonzero(asked)
        found.append(_weighted(graph, strangers, floor, row + start, rank))
    return Weighted(*map(np.concatenate, zip(*found, strict=True)))


def lost_links(graph: KnnGraph, strangers: Strangers, floor: float, later: KnnGraph) -> Weighted:
    """The links whose places were taken when faces were added; the first of `later` are those of `graph`."""
    new = (later.neighbors[: len(graph)] >= len(graph)).sum(axis=1)
    gone = (np.arange(graph.k) >= later.k - new[:, None]) & (graph.neighbors != NOBODY)
    return _weighted(graph, strangers, floor, *np.nonzero(gone))


def _weighted(
    graph: KnnGraph, strangers: Strangers, floor: float, row: NDArray[np.intp], rank: NDArray[np.intp]
) -> Weighted:
    other = graph.neighbors[row, rank].astype(np.int64)
    z = strangers.widths(row, other[:, None], graph.similarities[row, rank][:, None])[:, 0]
    there = z > floor
    weight = np.minimum(z[there] - floor, SURE) + HEAD_START
    weight = weight.astype(np.float32)  # as `Strangers.link` keeps them
    return Weighted(row[there], other[there], weight.astype(np.float64))
