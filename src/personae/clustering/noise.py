"""Labels of the density methods: faces of noise are clusters of one, and a mask tells which."""

import numpy as np
from numpy.typing import NDArray

from personae.graph.links import Links


def with_noise(links: Links, found: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """(N,) int32 labels of faces without -1, and (N,) bool, which faces are noise.

    found: (N,) int32, a number below N for each place, -1 for noise
    """
    n = len(links)
    lone = found < 0
    noise = np.empty(n, dtype=np.bool_)
    noise[links.order] = lone
    return links.of_faces(np.where(lone, n + np.arange(n), found)), noise
