"""What is left of a graph and of a sample when faces are taken out."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personae.errors import InputError
from personae.graph.exact import nearest_faces
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.link.strangers import Sample


def kept_faces(removed: ArrayLike, n: int) -> NDArray[np.bool_]:
    """(N,) bool, who is left. InputError: no such faces, or nobody is left."""
    rows = np.asarray(removed)
    if rows.size == 0 or rows.ndim != 1 or rows.dtype.kind not in "iu":
        raise InputError("faces to remove are a list of whole numbers, at least one; the first face is 0")
    if not 0 <= rows.min() <= rows.max() < n:
        raise InputError(f"faces to remove run from {rows.min()} to {rows.max()}; {n:,} faces are 0 to {n - 1}")
    kept = np.ones(n, np.bool_)
    kept[rows] = False
    if not kept.any():
        raise InputError("nobody is left; begin a new gallery instead")
    return kept


def graph_of_kept(
    graph: KnnGraph, kept: NDArray[np.bool_], features: NDArray[np.floating[Any]], k: int
) -> KnnGraph:
    """The graph of the faces that are left, whose `features` these are; lists with a gap are searched anew."""
    there = graph.neighbors[kept]
    gap = np.flatnonzero(((there != NOBODY) & ~kept[there]).any(axis=1))
    k = min(k, graph.k, len(features) - 1)
    place = np.cumsum(kept) - 1
    neighbors = np.where(there == NOBODY, NOBODY, place[there])[:, :k].astype(np.int32)
    similarities = graph.similarities[kept][:, :k].copy()
    neighbors[gap], similarities[gap] = nearest_faces(features, gap, k)
    return KnnGraph(neighbors, similarities)


def sample_of_kept(sample: Sample, kept: NDArray[np.bool_]) -> Sample:
    """The sample without the faces that are gone; people from elsewhere stay."""
    inside = sample.face >= 0
    stays = ~inside | kept[sample.face]
    face = np.where(inside, np.cumsum(kept)[sample.face] - 1, NOBODY)
    return replace(sample, features=sample.features[stays], face=face[stays])
