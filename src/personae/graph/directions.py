"""Mean directions: what stands for a cluster of faces among faces."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def mean_directions(
    features: NDArray[np.floating[Any]], labels: NDArray[np.int32], order: NDArray[np.intp] | None = None
) -> NDArray[np.float32]:
    """(C, d) float32, the unit mean of the faces of each label; zero where they cancel out.

    features: (N, d) unit rows
    labels:   (N,) int32, 0..C-1, each of them there
    order:    (N,) in which the faces are added up, in float64; as they stand if not given. A canonical order
              gives the same to the bit whatever the order of the input

    O(N d) time, 4 N d bytes.
    """
    placed = np.arange(len(labels)) if order is None else order
    by_cluster = placed[np.argsort(labels[placed], kind="stable")]
    start = np.searchsorted(labels[by_cluster], np.arange(int(labels.max()) + 1))
    sums = np.add.reduceat(features[by_cluster], start, axis=0, dtype=np.float64)
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    means = np.divide(sums, length, out=np.zeros_like(sums), where=length > 0)
    return np.asarray(means, dtype=np.float32)
