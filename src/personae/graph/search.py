"""The kNN graph: exact for small sets, by a join over cells for large ones."""

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri
from threadpoolctl import threadpool_limits

from personae.data.faceset import BLOCK, FaceSet, beside, filled
from personae.errors import InputError
from personae.graph.cells import SHOWN, Cells
from personae.graph.exact import nearest_faces
from personae.graph.join import Asked, joined
from personae.graph.knn_graph import NOBODY, KnnGraph

SMALL = 50_000  # faces up to which all pairs are looked at
CELLS = 12  # times the root of N
QUERIES = 500  # faces that the number of probes is measured on
STRANGERS = 1024  # faces that tell what a stranger looks like
PROBES = (1 / 32, 1 / 4)  # of the cells: how many are tried; where a quarter is too few, all pairs are
ALPHA = 0.001  # share of faces that a stranger as close as a neighbor that stands out is expected for
FEW = 0.05  # share of faces with a neighbor that stands out, below which every first neighbor counts
CLOSEST = 1e-6  # 1 - cosine of the closest pair that is told apart


def knn_graph(
    features: FaceSet | ArrayLike, k: int = 80, *, recall: float = 0.99, block: int | None = None
) -> KnnGraph:
    """The `k` faces of highest cosine to each face, itself left out; N - 1 of them where k >= N.

    features: a FaceSet or (N, d) numbers, checked and scaled to unit rows by `FaceSet.of`
    recall:   share of the neighbors that stand out which has to be found, where there are more than 50,000
              faces; 1 looks at all pairs
    block:    faces searched at a time where all pairs are, 16 KB and 32 k bytes each; 1,024 by default

    Up to 50,000 faces, and with `recall` 1, the result is exact. Beyond, faces are sorted into about 12 sqrt(N)
    cells and looked for in the cells nearest to them, as many as reach `recall` on a sample of 500 faces whose
    exact neighbors are known; where a quarter of the cells is not enough, all pairs are looked at after all.
    A neighbor stands out if no stranger is expected to be as close (see `near_recall`). The other places are
    filled with the best that is met, and of those many are missed.

    Cosines are summed in float64 for the faces that reach the list, so that s_ij equals s_ji; the result is the
    same to the bit for any block and thread count, and that of the exact search for any BLAS; a permutation of
    the faces permutes it; equal cosines stand in the order of the faces.
    Cost of the exact search: 2 N^2 d floating-point operations. By cells about N^1.5, 16 N k bytes beside the
    result, 8 N bytes a probe and 4 N d of features in order, which lie on disk from 1 GB on.

    InputError: what `FaceSet.of` refuses; k or block below 1, a recall outside 0..1.

    >>> knn_graph([[1, 0], [0.8, 0.6], [0, 1]], k=1).neighbors.ravel()
    array([1, 0, 1], dtype=int32)
    """
    faces = features if isinstance(features, FaceSet) else FaceSet.of(features)
    for name, value in (("k", k), ("block", 1 if block is None else block)):
        if not isinstance(value, int | np.integer) or value < 1:
            raise InputError(f"{name} is {value}; it needs to be a whole number, at least 1")
    if not 0 < recall <= 1:
        raise InputError(f"recall is {recall}; it needs to be above 0 and at most 1")
    if len(faces) > SMALL and recall < 1:
        found = _by_cells(np.ascontiguousarray(faces.features, dtype=np.float32), k, recall)
        if found is not None:
            return found
    return KnnGraph(*nearest_faces(faces.features, np.arange(len(faces)), k, block=block))


def near_recall(
    graph: KnnGraph, features: FaceSet | ArrayLike, *, sample: int = QUERIES, seed: int = 0
) -> float:
    """The share of the exact neighbors that stand out which a graph holds, over a sample of faces.

    A face's log distances to 1,024 others, log(1 - cosine), are close to a bell curve; a neighbor stands out if
    by that curve one face in a thousand has any of N strangers as close. Where hardly any does, first neighbors
    count.

    InputError: a graph of another number of faces.
    """
    faces = features if isinstance(features, FaceSet) else FaceSet.of(features)
    if len(graph) != len(faces):
        raise InputError(f"the graph is of {len(graph):,} faces and there are {len(faces):,}")
    if graph.k == 0:
        return 1.0
    chance = np.random.default_rng(seed).permutation(len(faces))
    asked, others = chance[:sample], chance[-STRANGERS:]
    neighbors, similarities = nearest_faces(faces.features, asked, graph.k)
    near = _stand_out(faces.features, asked, others, similarities)
    held = (graph.neighbors[asked][:, None, :] == neighbors[:, :, None]).any(axis=2)
    held |= similarities <= graph.similarities[asked, -1:]  # a tie
    return float(held[near].mean())


class Plan(NamedTuple):
    """The cells, and how many of them each of N faces looks into.

    chance: (N,) the faces in an order that has nothing to do with where they lie
    """

    chance: NDArray[np.intp]
    cells: Cells
    probes: int


def planned(features: NDArray[np.float32], k: int, recall: float) -> Plan | None:
    """The cells for a recall, or None where too many of them are needed."""
    chance = np.argsort(_keys(features.view(np.uint32)), kind="stable")
    count = max(1, round(CELLS * len(features) ** 0.5))
    cells = Cells.among(features[chance[: SHOWN * count]], count)
    probes = _enough_probes(features, chance, cells, k, recall)
    return None if probes is None else Plan(chance, cells, probes)


def complete(
    features: NDArray[np.float32], neighbors: NDArray[np.int32], similarities: NDArray[np.float32]
) -> None:
    """Searches all faces for those who met too few, in place."""
    short = np.flatnonzero(neighbors[:, -1] == NOBODY)
    neighbors[short], similarities[short] = nearest_faces(features, short, neighbors.shape[1])


def _by_cells(features: NDArray[np.float32], k: int, recall: float) -> KnnGraph | None:
    """The graph of a join over cells, or None where too many of them were needed."""
    plan = planned(features, k, recall)
    if plan is None:
        return None
    probe = plan.cells.nearest(features, plan.chance, plan.probes)
    by_cell = np.argsort(probe[:, 0], kind="stable")
    order, probe = plan.chance[by_cell].astype(np.int32), probe[by_cell]
    asked = Asked.of(probe[:, 0].copy(), probe, len(plan.cells))
    found = joined(ordered(features, order, beside(features)), asked, order, min(k, len(features) - 1))
    complete(features, *found)
    return KnnGraph(*found)


def ordered(
    features: NDArray[np.float32], order: NDArray[np.int32], folder: Path | None
) -> NDArray[np.float32]:
    """(N, d) the features in an order; from 1 GB on in a nameless file, in `folder` if that can be."""
    blocks = (features[order[start : start + BLOCK]] for start in range(0, len(features), BLOCK))
    return filled(features.shape, np.dtype(np.float32), blocks, folder)


def _enough_probes(
    features: NDArray[np.float32], chance: NDArray[np.intp], cells: Cells, k: int, recall: float
) -> int | None:
    """The cells a face has to look into, for this share of a sample's neighbors that stand out to be found.

    chance: (N,) the faces in an order that has nothing to do with where they lie
    """
    asked = chance[-QUERIES:]
    neighbors, similarities = nearest_faces(features, asked, k)
    query, rank = np.nonzero(_stand_out(features, asked, chance[:STRANGERS], similarities))
    others, other = np.unique(np.argsort(chance)[neighbors[query, rank]], return_inverse=True)
    fill = math.ceil(4 * neighbors.shape[1] * len(cells) / len(features))  # cells that hold four times k faces
    for share in PROBES:
        most = min(cells.most, max(1, round(share * len(cells))))
        of_query, of_other = (cells.nearest(features, faces, most) for faces in (asked, chance[others]))
        needed = [
            min(_place(of_query[i], of_other[j, 0]), _place(of_other[j], of_query[i, 0]))
            for i, j in zip(query, other, strict=True)
        ]
        probes: int = max(int(np.quantile(needed, recall, method="higher")) + 1, fill)
        if probes <= most:
            return probes
    return None


def _place(cells: NDArray[np.int32], cell: int) -> int:
    """Where the cell stands in the list; its length if it is not there."""
    places = np.flatnonzero(cells == cell)
    return int(places[0]) if len(places) else len(cells)


def _stand_out(
    features: NDArray[np.floating[Any]],
    asked: NDArray[np.intp],
    others: NDArray[np.intp],
    similarities: NDArray[np.float32],
) -> NDArray[np.bool_]:
    """(Q, k) bool, which neighbors of the faces `asked` are closer than strangers; first ones if hardly any.

    The curve is read at the median and one width further away, where a face's own person is not.
    """
    with threadpool_limits(1, "blas"):  # several would round otherwise
        cosines = features[asked].astype(np.float32) @ features[others].astype(np.float32).T
    level, far = np.quantile(_log_distance(cosines), (0.5, 0.8413), axis=1)
    bound = level + ndtri(ALPHA / len(features)) * (far - level)
    near: NDArray[np.bool_] = _log_distance(similarities) < bound[:, None]
    if near.any(axis=1).mean() < FEW:
        near[:, 0] = True
    return near


def _log_distance(cosines: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.log(np.maximum(1 - cosines, np.float32(CLOSEST))))


@njit(cache=True)
def _keys(words: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """(N,) uint64, numbers that look like chance and depend on each face alone (FNV-1a, a word at a time)."""
    keys = np.empty(len(words), np.uint64)
    for row in range(len(words)):
        key = np.uint64(0xCBF29CE484222325)
        for word in words[row]:
            key = (key ^ np.uint64(word)) * np.uint64(0x100000001B3)
        keys[row] = key ^ (key >> np.uint64(32))
    return keys
