"""Components cut at thresholds that rise until none is too large: dynamic thresholds.

Zhan et al., "Consensus-Driven Propagation in Massive Unlabeled Data for Face Recognition", ECCV 2018; also the
last step of L-GCN and the first of GCN-D.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.errors import InputError
from personae.graph.components import first_seen, root_of
from personae.graph.knn_graph import NOBODY, KnnGraph

PASSES = 100  # with raised thresholds, after which components stay as they are


def capped_components(graph: KnnGraph, max_size: int, step: float) -> NDArray[np.int32]:
    """(N,) int32, 0..C-1 in the order of the first faces; a face without links is a component of one.

    The threshold starts at the least weight and goes up by `step` of what is left to 1, again and again, for
    the faces that are still in a component of more than `max_size`; after 100 passes these stay as they are.
    O(N k), and O(k) a pass for each face that is left.

    InputError: max_size below 1, or step outside of (0, 1).
    """
    if max_size < 1 or not 0 < step < 1:
        raise InputError(
            f"max_size is {max_size} and step {step}; max_size needs to be at least 1 and step between 0 and 1"
        )
    weights = graph.similarities.astype(np.float32, copy=False)
    tau = float(weights.min(where=graph.neighbors != NOBODY, initial=1))
    return first_seen(_capped(graph.neighbors, weights, max_size, tau, step))


@njit(cache=True)
def _capped(
    neighbors: NDArray[np.int32], weights: NDArray[np.float32], max_size: int, tau: float, step: float
) -> Any:
    n, k = neighbors.shape
    root = np.arange(n, dtype=np.int32)
    size = np.zeros(n, np.int32)
    settled = np.zeros(n, np.bool_)
    left = np.arange(n)
    for turn in range(PASSES + 1):
        for face in left:
            root[face] = face
            size[face] = 0
        for face in left:
            for rank in range(k):
                other = neighbors[face, rank]
                if other >= 0 and weights[face, rank] >= tau and not settled[other]:
                    a, b = root_of(root, face), root_of(root, other)
                    root[max(a, b)] = min(a, b)
        for face in left:
            root[face] = root_of(root, face)
            size[root[face]] += 1
        for face in left:
            settled[face] = size[root[face]] <= max_size or turn == PASSES
        left = left[~settled[left]]
        if len(left) == 0:
            break
        tau += (1 - tau) * step
    return root
