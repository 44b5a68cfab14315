"""A face's neighborhood as a distribution over faces, and how much two neighborhoods share."""

from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.errors import InputError
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.graph.threads import Span, in_threads, spans

BLOCK = 1 << 14  # rows in one go, as float64


def transitions(graph: KnnGraph, sigma: float) -> KnnGraph:
    """P_im = exp(s_im / sigma) / sum over the list: where a random step from face i leads.

    The face itself is in its list, at rank 0 with s = 1: the result has k + 1 ranks, its similarities are the
    P_im as float32, rows sum to 1. exp(s / sigma) is exp(-d / sigma) for a distance d = 1 - s, since a constant
    cancels; where d is the squared distance 2 - 2 s, pass half of its sigma.

    InputError: sigma is not above 0.
    """
    if not sigma > 0:
        raise InputError(f"sigma is {sigma}; it needs to be above 0")
    n, k = graph.neighbors.shape
    members = np.empty((n, k + 1), dtype=np.int32)
    members[:, 0] = np.arange(n)
    members[:, 1:] = graph.neighbors
    probability = np.empty((n, k + 1), dtype=np.float32)
    for start in range(0, n, BLOCK):
        here = slice(start, start + BLOCK)
        similarity = np.ones(probability[here].shape)
        similarity[:, 1:] = graph.similarities[here]
        similarity -= similarity.max(axis=1, keepdims=True)
        steps = np.where(members[here] == NOBODY, 0, np.exp(similarity / sigma))
        probability[here] = steps / steps.sum(axis=1, keepdims=True)
    return KnnGraph(members, probability)


def shared(steps: KnnGraph, how: Literal["sum", "product"]) -> NDArray[np.float32]:
    """(N, c) float32: what the list of face i and the lists of its members j have in common, added up.

    steps: lists of c members with their weights w, the face itself among its members, each member once
    how:   what a face m that is in both lists counts: w_im + w_jm for "sum", w_im w_jm for "product"

    0 where there is no neighbor. O(N c^2) with a table of N places instead of searches in the lists.
    """
    weights = np.ascontiguousarray(steps.similarities, dtype=np.float32)
    result = np.zeros(weights.shape, np.float32)
    members = np.ascontiguousarray(steps.neighbors)
    in_threads(_share, spans(len(steps)), members, weights, how == "sum", result)
    return result


@njit(cache=True, nogil=True)
def _share(
    span: Span,
    members: NDArray[np.int32],
    weights: NDArray[np.float32],
    add: bool,
    result: NDArray[np.float32],
) -> None:
    n, c = members.shape
    place = np.zeros(n, np.int32)  # 1 + rank in the list of the face at hand
    for i in range(*span):
        for rank in range(c):
            if members[i, rank] >= 0:
                place[members[i, rank]] = rank + 1
        for rank in range(c):
            if members[i, rank] >= 0:
                result[i, rank] = _common(place, weights[i], members, weights, members[i, rank], add)
        for rank in range(c):
            if members[i, rank] >= 0:
                place[members[i, rank]] = 0


@njit(cache=True)
def _common(
    place: NDArray[np.int32],
    own: NDArray[np.float32],
    members: NDArray[np.int32],
    weights: NDArray[np.float32],
    j: int,
    add: bool,
) -> float:
    """What the list in `place`, of weights `own`, and the list of face j have in common."""
    total = 0.0
    for at in range(members.shape[1]):
        if members[j, at] >= 0 and place[members[j, at]] > 0:
            a = np.float64(own[place[members[j, at]] - 1])
            b = np.float64(weights[j, at])
            total += a + b if add else a * b
    return total
