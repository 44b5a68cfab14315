"""De-overlapping: each face goes to the best of the proposals that hold it.

Yang et al., "Learning to Cluster Faces on an Affinity Graph", CVPR 2019, algorithm 3, and the suppression of
overlapping proposals that it is compared with.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.errors import InputError
from personae.graph.components import first_seen
from personae.link.rated import Rated


@dataclass(frozen=True)
class DeOverlap:
    """Proposals come in the order of their scores, and each keeps the faces that no better one has.

    What is left of a proposal may be less like a person than the whole was; `remains` says which part of its
    faces it needs to have still. O(sum of sizes).

    remains: in [0, 1]; 0 keeps whatever is left, as published
    """

    remains: float = 0.0

    def cluster(self, rated: Rated, count: int) -> NDArray[np.int32]:
        """(N,) int32 of `count` faces, 0..C-1 in the order of the first; those in no proposal are alone.

        InputError: remains outside of [0, 1].
        """
        if not 0 <= self.remains <= 1:
            raise InputError(f"remains is {self.remains}; it needs to be between 0 and 1")
        proposals = rated.proposals
        labels = _first_come(proposals.faces, proposals.offsets, rated.order(), self.remains, count)
        return first_seen(labels)


@dataclass(frozen=True)
class Suppression:
    """Non-maximum suppression: a proposal that overlaps a better one too much is dropped whole, then faces that
    are still in several go to the first.

    overlap: IoU with a better one above which a proposal is dropped
    """

    overlap: float = 0.5

    def cluster(self, rated: Rated, count: int) -> NDArray[np.int32]:
        """(N,) int32 of `count` faces, 0..C-1 in the order of the first; those in no proposal are alone.

        Only proposals that share a face are compared. InputError: overlap outside of [0, 1].
        """
        if not 0 <= self.overlap <= 1:
            raise InputError(f"overlap is {self.overlap}; it needs to be between 0 and 1")
        proposals = rated.proposals
        order = rated.order()
        holding = np.argsort(proposals.faces, kind="stable")  # members by face
        held = np.concatenate([[0], np.cumsum(np.bincount(proposals.faces, minlength=count))])
        kept = _suppressed(
            proposals.faces, proposals.offsets, order, held, proposals.proposal_of[holding], self.overlap
        )
        return first_seen(_first_come(proposals.faces, proposals.offsets, order[kept[order]], 0.0, count))


@njit(cache=True)
def _first_come(
    faces: NDArray[np.int32],
    offsets: NDArray[np.int64],
    order: NDArray[np.int64],
    remains: float,
    count: int,
) -> Any:
    labels = np.full(count, -1, np.int64)
    for p in order:
        members = faces[offsets[p] : offsets[p + 1]]
        left = 0
        for face in members:
            left += labels[face] < 0
        if left >= remains * len(members):
            for face in members:
                if labels[face] < 0:
                    labels[face] = count + p
    for face in range(count):
        if labels[face] < 0:
            labels[face] = face
    return labels


@njit(cache=True)
def _suppressed(
    faces: NDArray[np.int32],
    offsets: NDArray[np.int64],
    order: NDArray[np.int64],
    held: NDArray[np.int64],
    holders: NDArray[np.int64],
    overlap: float,
) -> Any:
    """(P,) bool, which proposals stay."""
    count = len(order)
    kept = np.zeros(count, np.bool_)
    common = np.zeros(count, np.int64)
    for p in order:
        size = offsets[p + 1] - offsets[p]
        for face in faces[offsets[p] : offsets[p + 1]]:
            for at in range(held[face], held[face + 1]):
                if kept[holders[at]]:
                    common[holders[at]] += 1
        good = True
        for face in faces[offsets[p] : offsets[p + 1]]:
            for at in range(held[face], held[face + 1]):
                q = holders[at]
                if common[q] > 0:
                    other = offsets[q + 1] - offsets[q]
                    good = good and common[q] <= overlap * (size + other - common[q])
                    common[q] = 0
        kept[p] = good
    return kept
