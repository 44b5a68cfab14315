"""The kNN graph: exact for small sets, by a join over cells for large ones."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from personae.data.faceset import BLOCK, FaceSet, beside, filled
from personae.data.pages import passing
from personae.errors import InputError
from personae.graph.exact import nearest_faces
from personae.graph.join import Asked, joined
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.graph.merged_lists import Lists, merge
from personae.graph.neighbors_of_neighbors import extended
from personae.graph.reach import ALPHA, QUERIES, STRANGERS, expecting, those_above
from personae.graph.shortlists import Known, Room
from personae.graph.tables import Look, Tables, enough_tables
from personae.heard import tell

SMALL = 50_000  # faces up to which all pairs are looked at
SEARCH, TOLD_EVERY = "neighbors", 1 << 13  # faces of an exact search from which on it is told again
WANTED = 1 / 2  # of k strangers may be nearer than who is looked for once a list is full


def knn_graph(
    features: FaceSet | ArrayLike, k: int = 80, *, recall: float = 0.99, block: int | None = None
) -> KnnGraph:
    """The `k` faces of highest cosine to each face, itself left out; N - 1 of them where k >= N.

    features: a FaceSet or (N, d) numbers, checked and scaled to unit rows by `FaceSet.of`
    recall:   share of the neighbors that stand out which has to be found, where there are more than 50,000
              faces; 1 looks at all pairs
    block:    faces searched at a time where all pairs are, 16 KB and 32 k bytes each; 1,024 by default

    Up to 50,000 faces, and with `recall` 1, the result is exact. Beyond, faces are sorted into about 16 sqrt(N)
    cells, in several ways, and looked for in the cells nearest to them, then among the neighbors of their
    neighbors; in as many cells as reach `recall` on a sample of 1,000 faces whose exact neighbors are known.
    Where a quarter of the cells is not enough, all pairs are looked at after all. A neighbor stands out if no
    stranger is expected to be as close (see `near_recall`). The other places are filled with faces of
    the same cell and those beside it; of those nearer than all but half of k strangers, many are found.

    Cosines are summed in float64 for the faces that reach the list, so that s_ij equals s_ji; the result is the
    same to the bit for any block and thread count, and that of the exact search for any BLAS; a permutation of
    the faces permutes it; equal cosines stand in the order of the faces.
    Cost of the exact search: 2 N^2 d floating-point operations. By cells about N^1.5, 24 N k bytes beside the
    result, 12 N bytes a probe and 4 N d of features in order, which lie on disk from 1 GB on.

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
    return KnnGraph(*_all_pairs(faces.features, min(k, len(faces) - 1), block))


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
    near = those_above(expecting(faces.features, asked, others)[0], similarities)
    held = (graph.neighbors[asked][:, None, :] == neighbors[:, :, None]).any(axis=2)
    full = graph.neighbors[asked, -1:] != NOBODY
    held |= full & (similarities <= graph.similarities[asked, -1:])  # a tie
    return float(held[near].mean())


class Plan(NamedTuple):
    """The cells, and how many of them each of N faces looks into.

    chance: (N,) the faces in an order that has nothing to do with where they lie
    bound:  (N,) float32, the cosine above which a neighbor of each face stands out
    wanted: (N,) float32, and that above which others are looked for once its list is full
    """

    chance: NDArray[np.intp]
    bound: NDArray[np.float32]
    wanted: NDArray[np.float32]
    tables: Tables


def planned(features: NDArray[np.float32], k: int, recall: float) -> Plan | None:
    """The cells for a recall, or None where too many of them are needed."""
    keys = [_keys(features[here].view(np.uint32)) for here in passing(len(features), BLOCK, features)]
    chance = np.argsort(np.concatenate(keys), kind="stable")
    bound, wanted = np.empty((2, len(features)), np.float32)
    bound[chance], wanted[chance] = expecting(features, chance, chance[:STRANGERS], (ALPHA, WANTED * k))
    tables = enough_tables(features, chance, bound, k, recall)
    return None if tables is None else Plan(chance, bound, wanted, tables)


def complete(
    features: NDArray[np.float32], neighbors: NDArray[np.int32], similarities: NDArray[np.float32]
) -> None:
    """Searches all faces for those who met too few, in place; similarities first: a full list is done."""
    short = np.flatnonzero(neighbors[:, -1] == NOBODY)
    if not len(short):
        return
    found, similarities[short] = nearest_faces(features, short, neighbors.shape[1])
    neighbors[short] = found


def _all_pairs(features: NDArray[np.floating[Any]], k: int, block: int | None) -> Lists:
    """The exact lists, some faces after the others."""
    n = len(features)
    neighbors, similarities = np.empty((n, k), np.int32), np.empty((n, k), np.float32)
    for start in range(0, n, TOLD_EVERY):
        tell(SEARCH, start, n)
        some = np.arange(start, min(start + TOLD_EVERY, n))
        neighbors[some], similarities[some] = nearest_faces(features, some, max(k, 1), block=block)
    tell(SEARCH, n, n)
    return neighbors, similarities


def _by_cells(features: NDArray[np.float32], k: int, recall: float) -> KnnGraph | None:
    """The graph of joins over cells, or None where too many of them were needed."""
    tell(SEARCH, 0, len(features))
    plan = planned(features, k, recall)
    if plan is None:
        return None
    n, k = len(features), min(k, len(features) - 1)
    found = np.full((n, k), NOBODY, np.int32), np.zeros((n, k), np.float32)
    joins = plan.tables.joins
    for done, look in enumerate(joins, 1):
        merge(found, _join(features, plan, look, found))
        tell(SEARCH, n * done // (len(joins) + 1), n)
    complete(features, *found)
    graph = KnnGraph(*extended(features, found, plan.bound))
    tell(SEARCH, n, n)
    return graph


def _join(features: NDArray[np.float32], plan: Plan, look: Look, found: Lists) -> Lists:
    """Neighbors and similarities (N, k), of the pairs that meet in the cells of a table.

    found: what tables before found; these are left out, and who is farther than the last of them
    """
    of_table, k = plan.tables.cells[look.table], found[0].shape[1]
    nearest = of_table.nearest(features, plan.chance, look.probes or 1)
    probe, cells = look.probe(nearest, len(of_table), k)
    by_cell = np.argsort(probe[:, 0], kind="stable")
    order, probe = plan.chance[by_cell].astype(np.int32), probe[by_cell]
    asked = Asked.of(probe[:, 0].copy(), probe, cells)
    rows = ordered(features, order, beside(features))
    return joined(rows, asked, order, Known.of(*found, plan.wanted), Room.of(len(rows), k)).tables()


def ordered(
    features: NDArray[np.floating[Any]], order: NDArray[np.integer[Any]], folder: Path | None
) -> NDArray[Any]:
    """(M, d) the features of faces in an order; from 1 GB on in a nameless file, in `folder` if that can be."""
    blocks = (features[order[start : start + BLOCK]] for start in range(0, len(order), BLOCK))
    return filled((len(order), features.shape[1]), features.dtype, blocks, folder)


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
