"""Mutual reachability: two faces are as alike as they are, but no more than each is to its crowd."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from personae.errors import InputError
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.graph.links import Links, symmetric_links


def core_similarity(graph: KnnGraph, min_samples: int) -> NDArray[np.float32]:
    """(N,) float32, the similarity at which a face has `min_samples` faces around it, itself counted.

    1 for min_samples = 1; -inf for a face with fewer neighbors.

    InputError: `min_samples` below 1, or above k + 1 while there are more faces than that.
    """
    if min_samples < 1:
        raise InputError(f"min_samples is {min_samples}; it needs to be at least 1")
    if graph.k + 1 < min_samples <= len(graph):
        raise InputError(
            f"min_samples is {min_samples}, but lists hold {graph.k} neighbors; raise k to {min_samples - 1}"
        )
    if min_samples == 1:
        return np.ones(len(graph), dtype=np.float32)
    if min_samples > graph.k + 1:
        return np.full(len(graph), -np.inf, dtype=np.float32)
    kept = np.where(graph.neighbors == NOBODY, np.float32(-np.inf), graph.similarities).astype(np.float32)
    at = graph.k - (min_samples - 1)
    core: NDArray[np.float32] = np.partition(kept, at, axis=1)[:, at]
    return core


def mutual_reachability(graph: KnnGraph, min_samples: int) -> Links:
    """The links of the graph, each weighing min(core_a, core_b, s_ab); those of faces without a core are -inf.

    Campello, Moulavi and Sander, "Density-based clustering based on hierarchical density estimates", PAKDD
    2013, definitions 1 and 2, with cosines in place of distances.
    """
    links = symmetric_links(graph)
    core = core_similarity(graph, min_samples)[links.order]
    of_row = np.repeat(core, np.diff(links.indptr))
    return replace(links, weights=np.minimum(np.minimum(of_row, core[links.others]), links.weights))
