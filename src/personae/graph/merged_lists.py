"""Two lists of neighbors a face, put together: each best first, and nobody twice."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.graph.knn_graph import NOBODY
from personae.graph.threads import Span, in_threads, spans

Lists = tuple[NDArray[np.int32], NDArray[np.float32]]  # neighbors and cosines (N, k), NOBODY and 0 at the end


def merge(lists: Lists, more: Lists) -> None:
    """Takes those of the other lists in, in place; equal cosines stand in the order of the faces."""
    in_threads(_merge, spans(len(lists[0])), lists, more)


@njit(cache=True, nogil=True)
def _merge(span: Span, lists: Lists, more: Lists) -> None:
    k = lists[0].shape[1]
    others, cosines = np.empty(k, np.int32), np.empty(k, np.float32)
    for row in range(span[0], span[1]):
        others[:], cosines[:] = lists[0][row], lists[1][row]
        left = right = 0
        for rank in range(k):
            other, cosine = NOBODY, np.float32(0)
            if right < more[0].shape[1]:
                other, cosine = more[0][row, right], more[1][row, right]
            mine = others[left]
            mine_first = mine >= 0 and (
                other < 0 or cosines[left] > cosine or (cosines[left] == cosine and mine <= other)
            )
            if mine_first:
                lists[0][row, rank], lists[1][row, rank] = mine, cosines[left]
                left += 1
                right += mine == other
            else:
                lists[0][row, rank], lists[1][row, rank] = other, cosine
                right += other >= 0
