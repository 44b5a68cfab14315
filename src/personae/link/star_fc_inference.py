"""STAR-FC over whole collections: each face goes through the network once, each link costs a sum over h."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.graph.knn_graph import NOBODY
from personae.graph.threads import Span, in_threads, spans


def pair_probabilities(
    neighbors: NDArray[np.int32],
    mine: NDArray[np.float32],
    yours: NDArray[np.float32],
    line: NDArray[np.float32],
    fold: NDArray[np.float32],
    bias: float,
) -> NDArray[np.float32]:
    """(N, k) float32 in [0, 1], softmax of a PReLU layer and two outputs, 0 where there is no neighbor.

    With v = mine_i + yours_j and the PReLU's slopes s, the difference w of the outputs' weights gives the logit
    w (max(v, 0) + s min(v, 0)) = (w s) v + w (1 - s) max(v, 0), whose first term belongs to the faces alone.

    neighbors: (N, k) int32, -1 for none
    mine:      (N, h) float32, what a face adds as the one of a link, the layer's bias included
    yours:     (N, h) float32, what it adds as the other
    line:      (h,) float32, w s
    fold:      (h,) float32, w (1 - s)
    """
    probabilities = np.zeros(neighbors.shape, np.float32)
    own = np.einsum("nu,u->n", mine, line) + np.float32(bias), np.einsum("nu,u->n", yours, line)
    in_threads(_judge, spans(len(neighbors)), neighbors, (mine, yours), own, fold, probabilities)
    return probabilities


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")
def _judge(
    span: Span,
    neighbors: NDArray[np.int32],
    projected: tuple[NDArray[np.float32], NDArray[np.float32]],
    own: tuple[NDArray[np.float32], NDArray[np.float32]],
    fold: NDArray[np.float32],
    probabilities: NDArray[np.float32],
) -> None:
    mine, yours = projected
    of_mine, of_yours = own
    for face in range(*span):
        for rank in range(neighbors.shape[1]):
            other = neighbors[face, rank]
            if other == NOBODY:
                continue
            total = of_mine[face] + of_yours[other]
            for unit in range(len(fold)):
                total += fold[unit] * max(mine[face, unit] + yours[other, unit], np.float32(0))
            probabilities[face, rank] = 1 / (1 + np.exp(-total))
