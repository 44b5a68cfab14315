"""Proposals: sets of faces that may be a person each, packed one after the other.

Yang et al., "Learning to Cluster Faces on an Affinity Graph", CVPR 2019, section 3.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personae.data.faceset import FaceSet
from personae.graph.capped_components import capped_components
from personae.graph.knn_graph import KnnGraph
from personae.graph.search import knn_graph

MARKS = 20190616  # of the random numbers that tell sets apart


@dataclass(frozen=True)
class Proposals:
    """P sets of faces, which may overlap.

    faces:   (M,) int32, the members of one proposal after those of another, rising in each
    offsets: (P + 1,) int64, faces[offsets[p] : offsets[p + 1]] are those of proposal p
    """

    faces: NDArray[np.int32]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def sizes(self) -> NDArray[np.int64]:
        """(P,) int64, faces a proposal."""
        return np.diff(self.offsets)

    @property
    def proposal_of(self) -> NDArray[np.int64]:
        """(M,) int64, which proposal each member belongs to."""
        return np.repeat(np.arange(len(self)), self.sizes)

    def members(self, number: int) -> NDArray[np.int32]:
        """(n,) int32, the faces of one proposal."""
        return self.faces[self.offsets[number] : self.offsets[number + 1]]

    @classmethod
    def packed(
        cls, proposal: NDArray[np.integer[Any]], faces: NDArray[np.integer[Any]], count: int
    ) -> "Proposals":
        """Of members in any order: `faces` (M,) and the proposal of each, (M,) in 0..count-1."""
        order = np.lexsort((faces, proposal))
        sizes = np.bincount(proposal, minlength=count)
        return cls(faces[order].astype(np.int32), np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64))

    @classmethod
    def of_labels(cls, labels: NDArray[np.int32]) -> "Proposals":
        """The parts of a partition, (N,) labels from 0; faces with label -1 are in none."""
        rows = np.flatnonzero(labels >= 0)
        return cls.packed(labels[rows], rows, int(labels.max(initial=-1)) + 1)

    @classmethod
    def joined(cls, several: Sequence["Proposals"]) -> "Proposals":
        """All of these, in order."""
        if not several:
            return cls(np.zeros(0, np.int32), np.zeros(1, np.int64))
        sizes = np.concatenate([one.sizes for one in several])
        faces = np.concatenate([one.faces for one in several])
        return cls(faces, np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64))

    def take(self, numbers: NDArray[Any]) -> "Proposals":
        """The proposals `numbers` (indices or a mask), in that order."""
        numbers = np.flatnonzero(numbers) if numbers.dtype == bool else numbers
        sizes = self.sizes[numbers]
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], sizes)
        return Proposals(self.faces[np.repeat(self.offsets[numbers], sizes) + within], offsets)

    def distinct(self) -> "Proposals":
        """Each set once, the first time it comes. Sets are compared by sums of 64-bit random numbers."""
        if len(self) == 0:
            return self
        marks = np.random.default_rng(MARKS).integers(0, 2**63, int(self.faces.max()) + 1, dtype=np.uint64)
        totals = np.concatenate([np.zeros(1, np.uint64), np.cumsum(marks[self.faces], dtype=np.uint64)])
        first = np.unique(totals[self.offsets[1:]] - totals[self.offsets[:-1]], return_index=True)[1]
        return self.take(np.sort(first))


def super_vertices(graph: KnnGraph, tau: float, max_size: int, step: float = 0.05) -> Proposals:
    """Algorithm 1: the components of links of `tau` or above, cut at rising thresholds until none is too large.

    Every face is in one; a face without links is alone in its own. Those that no threshold cuts, as of equal
    faces, stay larger than `max_size`.

    InputError: as of `capped_components`.
    """
    return Proposals.of_labels(capped_components(graph.at_least(tau), max_size, step))


def groups(parts: Proposals, graph: KnnGraph, tau: float, most: int) -> Proposals:
    """Algorithm 2, one turn: super-vertices of super-vertices, seen as sets of faces.

    parts: disjoint, the super-vertices of the turn before
    graph: of their centres
    tau:   cosine of two centres that links them
    most:  parts a group

    Parts that stay alone are groups too.
    """
    above = super_vertices(graph, tau, most)
    group = np.empty(len(parts), np.int64)
    group[above.faces] = above.proposal_of
    return Proposals.packed(group[parts.proposal_of], parts.faces, len(above))


def centre_graph(faces: FaceSet, parts: Proposals, k: int) -> KnnGraph:
    """The k nearest centres of each of P parts, one at least; O(P^2 d).

    Centres are compared by cosine; the published program takes inner products of means that are not scaled.
    """
    return knn_graph(FaceSet.of(centres(faces, parts)), k)


def centres(faces: FaceSet, parts: Proposals) -> NDArray[np.float32]:
    """(P, d) float32, the mean face of each part; where that is nothing, the part's first face."""
    features = faces.features[parts.faces].astype(np.float32)
    sums = np.add.reduceat(features, parts.offsets[:-1], axis=0)
    gone = np.linalg.norm(sums, axis=1) < 1e-6 * parts.sizes
    sums[gone] = features[parts.offsets[:-1][gone]]
    return np.asarray(sums / parts.sizes[:, None], dtype=np.float32)
