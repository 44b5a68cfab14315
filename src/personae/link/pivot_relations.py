"""How a face stands to the pivot of its subgraph, in cosines, ranks and shared neighbors.

Unlike the difference of their features, none of this changes when the whole space is rotated, so that what a
network learns of it from few people holds for others.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.data.faceset import FaceSet
from personae.graph.knn_graph import KnnGraph
from personae.graph.threads import Span, in_threads, spans
from personae.link.pivot_subgraphs import EMPTY, PivotSubgraphs, slot_of

SIZES = np.array([4, 8, 16, 32, 64])  # of lists, compared with each other
RELATIONS = 4 + 4 * len(SIZES)


def relations(faces: FaceSet, graph: KnnGraph, subgraphs: PivotSubgraphs) -> NDArray[np.float32]:
    """(M, RELATIONS) float32, for each row, the face q against its pivot p:

    0:      the cosine of q and p
    1, 2:   log(1 + rank) of q in the list of p, and of p in that of q; a face has rank 0 in its own list
    3:      log(1 + links inside)
    4-8:    the mean cosine of q with the first 4, 8, 16, 32, 64 of p
    9-13:   the share of the first 4, 8, ... of p that is among the first 4, 8, ... of q
    14-18:  the 4th, 8th, ... similarity in the list of p
    19-23:  in that of q

    Short lists count as far as they go. O(M (d + k)).
    """
    out = np.zeros((len(subgraphs.faces), RELATIONS), np.float32)
    members = (subgraphs.pivots, subgraphs.start, subgraphs.faces)
    features = faces.features.astype(np.float32, copy=False)
    similarities = graph.similarities.astype(np.float32, copy=False)
    if graph.k == 0:
        similarities = np.zeros((len(graph), 1), np.float32)
    degree = np.diff(subgraphs.indptr)
    parts = spans(len(subgraphs.pivots))
    in_threads(_cosines, parts, features, graph.neighbors, members, out)
    class_of = np.searchsorted(SIZES, np.arange(similarities.shape[1] + 2))  # of ranks; there is one beyond all
    in_threads(_lists, parts, (graph.neighbors, similarities), members, degree, class_of, out)
    return out


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _cosines(
    span: Span,
    features: NDArray[np.float32],
    neighbors: NDArray[np.int32],
    members: tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int32]],
    out: NDArray[np.float32],
) -> None:
    pivots, start, faces = members
    d, count = features.shape[1], len(SIZES)
    for b in range(*span):
        means = np.zeros((count + 1, d), np.float32)  # the pivot, then its first 4, 8, ... faces
        total, seen = np.zeros(d, np.float32), 0
        for size in range(count):
            while seen < min(SIZES[size], neighbors.shape[1]) and neighbors[pivots[b], seen] >= 0:
                near = features[neighbors[pivots[b], seen]]
                for axis in range(d):
                    total[axis] += near[axis]
                seen += 1
            for axis in range(d):
                means[size + 1, axis] = total[axis] / np.float32(max(seen, 1))
        for axis in range(d):
            means[0, axis] = features[pivots[b], axis]
        for m in range(start[b], start[b + 1]):
            face = features[faces[m]]
            for which in range(count + 1):
                dot = np.float32(0)
                for axis in range(d):
                    dot += means[which, axis] * face[axis]
                out[m, 0 if which == 0 else 3 + which] = dot


@njit(cache=True, nogil=True)
def _lists(
    span: Span,
    graph: tuple[NDArray[np.int32], NDArray[np.float32]],
    members: tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int32]],
    degree: NDArray[np.int64],
    class_of: NDArray[np.int64],
    out: NDArray[np.float32],
) -> None:
    pivots, start, faces = members
    neighbors, similarities = graph
    k, count = neighbors.shape[1], len(SIZES)
    room = 4
    while room < 3 * (k + 1):
        room *= 2
    for b in range(*span):
        p = pivots[b]
        table, rank_of = np.full(room, EMPTY, np.int32), np.empty(room, np.int32)
        for rank in range(k + 1):
            face = p if rank == 0 else neighbors[p, rank - 1]
            if face >= 0:
                slot = slot_of(face, table)
                if table[slot] == EMPTY:
                    table[slot], rank_of[slot] = face, rank
        shared = np.empty(count + 1, np.int64)
        for m in range(start[b], start[b + 1]):
            q, row = faces[m], out[m]
            shared[:] = 0
            of_p, of_q = k + 1, k + 1
            for rank in range(k + 1):
                face = q if rank == 0 else neighbors[q, rank - 1]
                if face < 0:
                    break
                if face == p:
                    of_p = min(of_p, rank)
                slot = slot_of(face, table)
                if table[slot] == face:
                    shared[class_of[max(rank, rank_of[slot])]] += 1
                    if rank == 0:
                        of_q = rank_of[slot]
            row[1], row[2], row[3] = np.log(1.0 + of_q), np.log(1.0 + of_p), np.log(1.0 + degree[m])
            common = 0
            for size in range(count):
                common += shared[size]
                last = min(SIZES[size], k)
                row[4 + count + size] = common / (last + 1)
                row[4 + 2 * count + size] = similarities[p, max(last, 1) - 1]
                row[4 + 3 * count + size] = similarities[q, max(last, 1) - 1]
