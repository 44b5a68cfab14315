"""The nearest of many points to each face, by dense products in tiles that stay in the processor's cache."""

import numpy as np
from numpy.typing import NDArray

from personae.graph.threads import in_threads, products_alone

ROWS, COLUMNS = 512, 2048  # faces and points multiplied at a time
SAME = 1 - 1e-6  # cosine from which two faces are the same picture


class NearestPoint:
    """The nearest point to each face among those taken in so far.

    features:   (N, d) float32, unit rows
    point:      (N,) int32, its number; of equals the first one taken in; -1 before
    similarity: (N,) float32, its cosine; -inf before

    Faces that are at a point already, from cosine 1 - 1e-6 on, are not looked at again. 2 N C d floating-point
    operations for C points. A tile's products are made by one thread, so that the number of threads changes
    nothing; as many tiles as numba has threads are made at once.
    """

    def __init__(self, features: NDArray[np.float32]) -> None:
        self.features = features
        self.point = np.full(len(features), -1, dtype=np.int32)
        self.similarity = np.full(len(features), -np.inf, dtype=np.float32)

    def take(self, points: NDArray[np.float32], numbers: NDArray[np.int32]) -> None:
        """Takes in points, (C, d) float32 unit rows or zero, with their numbers, (C,) int32."""
        with products_alone():
            in_threads(self._take, range(0, len(self.features), ROWS), points, numbers)

    def _take(self, start: int, points: NDArray[np.float32], numbers: NDArray[np.int32]) -> None:
        rows = start + np.flatnonzero(self.similarity[start : start + ROWS] < SAME)
        features, best, number = self.features[rows], self.similarity[rows], self.point[rows]
        for first in range(0, len(points), COLUMNS):
            products = features @ points[first : first + COLUMNS].T
            nearest = products.argmax(axis=1)
            similarity = products[np.arange(len(rows)), nearest]
            nearer = similarity > best
            best[nearer] = similarity[nearer]
            number[nearer] = numbers[first + nearest[nearer]]
        self.similarity[rows], self.point[rows] = best, number
