"""FaceMap's outlier detection: where in a face's list do other people begin?

Yu et al., "FaceMap: Towards Unsupervised Face Clustering via Map Equation", arXiv 2203.10090, 2022.
The similarities of a sorted list fall smoothly among strangers, so the place where their steps differ most
from the steps of the tail, in standard deviations of the tail, ends the face's own person.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personae.errors import InputError
from personae.graph.knn_graph import NOBODY, KnnGraph

BLOCK = 1 << 14  # rows in one go: six float64 tables of (rows, k)
FLAT = 1e-12  # a tail whose steps vary less than this has no scale


@dataclass(frozen=True)
class OutlierDetection:
    """Each list is cut at its steepest window of steps; what stays keeps the probability P(i, j).

    window: omega, steps a window holds; where that is more than half of a short list's steps, an eighth of
            the list but at least 4 (a choice of this project: the paper has k = 256)
    Of the neighbors with a similarity above 0 at least ceil(omega / 2) + 1 stay, 11 at the paper's 20, or all
    where they are fewer; so a face is left alone only if it has none.
    O(N k) by running sums, where the definition is O(N k^2).
    """

    window: int = 20

    def link(self, graph: KnnGraph) -> KnnGraph:
        """The graph cut row by row, weights P(i, j) = s_ij / sum_j s_ij; similarities below 0 count as 0.

        A list that ends before the others, with nobody in its last places, is cut as the list it is.
        """
        length = graph.k - np.argmax(graph.neighbors[:, ::-1] != NOBODY, axis=1) if graph.k else np.zeros(0)
        if (length == graph.k).all():
            weights = self.weights(graph.similarities)
        else:
            weights = np.zeros(graph.similarities.shape, np.float32)
            for shorter in np.unique(length):
                rows = length == shorter
                weights[rows, :shorter] = self.weights(graph.similarities[rows, :shorter])
        return graph.linked(weights).where(weights > 0)

    def weights(self, similarities: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """(R, k) float32, P(i, j) of R lists, 0 from where they are cut. InputError: a window below 1."""
        if self.window < 1:
            raise InputError(f"window is {self.window}; it needs to be at least 1")
        weights = np.zeros(similarities.shape, dtype=np.float32)
        for start in range(0, len(similarities), BLOCK):
            rows = similarities[start : start + BLOCK].clip(min=0).astype(np.float64)
            total = rows.sum(axis=1, keepdims=True)
            probability = np.divide(rows, total, out=np.zeros_like(rows), where=total > 0)
            kept = kept_neighbors(probability, self.window)
            inside = np.arange(rows.shape[1]) < kept[:, None]
            weights[start : start + BLOCK] = np.where(inside, probability, 0)
        return weights


def kept_neighbors(probability: NDArray[np.floating[Any]], window: int) -> NDArray[np.intp]:
    """How many places of its list each face keeps, (R,), from 1 to k.

    probability: (R, k), not increasing along a row
    window:      omega, in steps

    With steps D_j = p_j - p_{j+1}, j = 0..T-1, and for s from T - omega down to 0 the mean of the window
    D[s : s + omega] and the mean and population deviation of the tail D[s : T], the score of
    q = s + ceil(omega / 2) is |window mean - tail mean| / deviation, 0 where the tail is flat; q* is the first
    best, and q* + 1 neighbors stay. The indices follow the published program; Algorithm 1 of the paper differs
    by one.
    """
    steps = probability[:, :-1] - probability[:, 1:]  # (R, T)
    t = steps.shape[1]
    if t < 2:
        return np.full(len(probability), t + 1)
    omega = window if 2 * window <= t else min(window, max(4, (t + 1) // 8), t)
    sums = _running(steps)
    squares = _running(steps**2)
    start = np.arange(t - omega + 1)
    left = t - start
    in_window = (sums[:, start + omega] - sums[:, start]) / omega
    in_tail = (sums[:, -1:] - sums[:, start]) / left
    variance = (squares[:, -1:] - squares[:, start]) / left - in_tail**2
    deviation = np.sqrt(variance.clip(min=0))
    apart = np.abs(in_window - in_tail)
    score = np.divide(apart, deviation, out=np.zeros_like(apart), where=deviation > FLAT)
    return np.asarray(score.argmax(axis=1) + (omega + 1) // 2 + 1)


def _running(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums of the first 0, 1, ..., T values of each row."""
    sums = np.zeros((values.shape[0], values.shape[1] + 1))
    np.cumsum(values, axis=1, out=sums[:, 1:])
    return sums
