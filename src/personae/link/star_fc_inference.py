"""STAR-FC over whole collections: each face goes through the network once, each link costs a sum over h."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.graph.knn_graph import NOBODY
from personae.graph.threads import Span, in_threads, spans

Projected = tuple[NDArray[np.float32], NDArray[np.float32]]


def line_of(projected: NDArray[np.float32], line: NDArray[np.float32]) -> NDArray[np.float32]:
    """(B,) what a face adds to the logit whoever is beside it; projected: (B, h), line: (h,) w s."""
    found: NDArray[np.float32] = np.einsum("nu,u->n", projected, line)
    return found


def judge_pairs(
    neighbors: NDArray[np.int32], mine: Projected, first: int, yours: Projected, fold: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(B, k) float32 in [0, 1], softmax of a PReLU layer and two outputs; 0 for neighbors that are not at hand.

    With v = mine_i + yours_j and the PReLU's slopes s, the difference w of the outputs' weights gives the logit
    w (max(v, 0) + s min(v, 0)) = (w s) v + w (1 - s) max(v, 0), whose first term belongs to the faces alone.

    neighbors: (B, k) int32, -1 for none
    mine:      (B, h) float32, what a face adds as the one of a link, the layer's bias included; and `line_of`
               that with the outputs' bias
    first:     of M faces that are at hand
    yours:     (M, h) float32, what each of these adds as the other, and `line_of` that
    fold:      (h,) float32, w (1 - s)
    """
    probabilities = np.zeros(neighbors.shape, np.float32)
    in_threads(_judge, spans(len(neighbors)), neighbors, mine, (first, *yours), fold, probabilities)
    return probabilities


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")
def _judge(
    span: Span,
    neighbors: NDArray[np.int32],
    ones: Projected,
    others: tuple[int, NDArray[np.float32], NDArray[np.float32]],
    fold: NDArray[np.float32],
    probabilities: NDArray[np.float32],
) -> None:
    mine, of_mine = ones
    first, yours, of_yours = others
    for face in range(*span):
        for rank in range(neighbors.shape[1]):
            other = neighbors[face, rank] - first
            if neighbors[face, rank] == NOBODY or other < 0 or other >= len(yours):
                continue
            total = of_mine[face] + of_yours[other]
            for unit in range(len(fold)):
                total += fold[unit] * max(mine[face, unit] + yours[other, unit], np.float32(0))
            probabilities[face, rank] = 1 / (1 + np.exp(-total))
