"""STAR-FC over whole collections: each face goes through the network once, each link costs a sum over h."""

from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from personae.graph.knn_graph import NOBODY


@njit(parallel=True, fastmath={"reassoc", "contract", "nsz"}, cache=True, error_model="numpy")
def pair_probabilities(
    neighbors: NDArray[np.int32],
    mine: NDArray[np.float32],
    yours: NDArray[np.float32],
    line: NDArray[np.float32],
    fold: NDArray[np.float32],
    bias: float,
) -> Any:
    """(N, k) float32 in [0, 1], softmax of a PReLU layer and two outputs, 0 where there is no neighbor.

    With v = mine_i + yours_j and the PReLU's slopes s, the difference w of the outputs' weights gives the logit
    w (max(v, 0) + s min(v, 0)) = (w s) v + w (1 - s) max(v, 0), whose first term belongs to the faces alone.

    neighbors: (N, k) int32, -1 for none
    mine:      (N, h) float32, what a face adds as the one of a link, the layer's bias included
    yours:     (N, h) float32, what it adds as the other
    line:      (h,) float32, w s
    fold:      (h,) float32, w (1 - s)
    """
    n, k = neighbors.shape
    h = mine.shape[1]
    of_mine = np.empty(n, np.float32)
    of_yours = np.empty(n, np.float32)
    for face in prange(n):
        total, other_total = np.float32(0), np.float32(0)
        for unit in range(h):
            total += line[unit] * mine[face, unit]
            other_total += line[unit] * yours[face, unit]
        of_mine[face], of_yours[face] = total, other_total
    found = np.zeros((n, k), np.float32)
    for face in prange(n):
        for rank in range(k):
            other = neighbors[face, rank]
            if other == NOBODY:
                continue
            total = np.float32(0)
            for unit in range(h):
                total += fold[unit] * max(mine[face, unit] + yours[other, unit], np.float32(0))
            logit = total + of_mine[face] + of_yours[other] + bias
            found[face, rank] = 1 / (1 + np.exp(-logit))
    return found
