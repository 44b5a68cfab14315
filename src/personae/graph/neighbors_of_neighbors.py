"""The neighbors of a face's neighbors, looked at once more: one is often known to the other's people."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.graph.exact import cosine_of
from personae.graph.knn_graph import NOBODY
from personae.graph.threads import Span, in_threads, spans

THROUGH = 8  # neighbors whose lists are looked through


def extended(
    features: NDArray[np.float32],
    found: tuple[NDArray[np.int32], NDArray[np.float32]],
    bound: NDArray[np.float32],
    rows: Span | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Neighbors and similarities, with those taken in who stand out for one of the first that stand out.

    features: (N, d) unit rows
    found:    neighbors and similarities (N, k), best first
    bound:    (N,) the cosine above which a neighbor stands out
    rows:     the first and the end of the faces that it is done for; all by default

    The best k of the longer lists, of equals the first. O(N k) steps, and products for those who are not on the
    list yet: few where most were found.
    """
    low, high = rows or (0, len(bound))
    longer = np.array(found[0][low:high]), np.array(found[1][low:high])
    in_threads(_extend, spans(high - low), low, features, found, bound, longer)
    return longer


@njit(cache=True, nogil=True)
def _extend(
    span: Span,
    first: int,
    features: NDArray[np.float32],
    found: tuple[NDArray[np.int32], NDArray[np.float32]],
    bound: NDArray[np.float32],
    longer: tuple[NDArray[np.int32], NDArray[np.float32]],
) -> None:
    """Of the faces from `first` + span[0] to before `first` + span[1], whose lists are in `longer`."""
    neighbors, similarities = found
    k = neighbors.shape[1]
    seen = np.full(len(neighbors), NOBODY, np.int32)
    for row in range(span[0], span[1]):
        face = first + row
        seen[face] = face
        for other in neighbors[face]:
            if other >= 0:
                seen[other] = face
        for rank in range(min(k, THROUGH)):
            middle = neighbors[face, rank]
            if middle < 0 or not similarities[face, rank] > bound[face]:
                break
            for at in range(k):
                other = neighbors[middle, at]
                if other < 0 or not similarities[middle, at] > bound[middle]:
                    break
                if seen[other] != face:
                    seen[other] = face
                    cosine = np.float32(cosine_of(features[face], features[other]))
                    take_in(longer[0][row], longer[1][row], other, cosine)


@njit(cache=True, nogil=True)
def take_in(others: NDArray[np.int32], cosines: NDArray[np.float32], other: int, cosine: np.float32) -> None:
    """Puts a face where it belongs in a list, and drops the last; nothing if it comes after that."""
    at = len(others)
    while at > 0 and (
        others[at - 1] < 0 or cosines[at - 1] < cosine or (cosines[at - 1] == cosine and others[at - 1] > other)
    ):
        at -= 1
    if at < len(others):
        for place in range(len(others) - 1, at, -1):
            others[place], cosines[place] = others[place - 1], cosines[place - 1]
        others[at], cosines[at] = other, cosine
