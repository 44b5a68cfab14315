"""How a face stands to the pivot of its subgraph, in cosines, ranks and shared neighbors.

Unlike the difference of their features, none of this changes when the whole space is rotated, so that what a
network learns of it from few people holds for others.
"""

from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from personae.data.faceset import FaceSet
from personae.graph.knn_graph import KnnGraph
from personae.link.pivot_subgraphs import PivotSubgraphs

SIZES = np.array([4, 8, 16, 32, 64])  # of lists, compared with each other
RELATIONS = 4 + 4 * len(SIZES)


def relations(faces: FaceSet, graph: KnnGraph, subgraphs: PivotSubgraphs) -> NDArray[np.float32]:
    """(M, RELATIONS) float32, for each row, the face q against its pivot p:

    0:      the cosine of q and p
    1, 2:   log(1 + rank) of q in the list of p, and of p in that of q; a face is at rank 0 of its own list
    3:      log(1 + links inside)
    4-8:    the mean cosine of q with the first 4, 8, 16, 32, 64 of p
    9-13:   the share of the first 4, 8, ... of p that is among the first 4, 8, ... of q
    14-18:  the 4th, 8th, ... similarity in the list of p
    19-23:  in that of q

    Lists end where there are fewer faces. O(M (d + k)).
    """
    features = faces.features.astype(np.float32, copy=False)
    similarities = graph.similarities.astype(np.float32, copy=False)
    return np.asarray(
        _relations(
            features,
            graph.neighbors,
            similarities,
            subgraphs.pivots,
            subgraphs.start,
            subgraphs.faces,
            np.diff(subgraphs.indptr),
        )
    )


@njit(parallel=True, cache=True, fastmath={"reassoc", "contract"})
def _relations(
    features: NDArray[np.float32],
    neighbors: NDArray[np.int32],
    similarities: NDArray[np.float32],
    pivots: NDArray[np.int32],
    start: NDArray[np.int64],
    members: NDArray[np.int32],
    degree: NDArray[np.int64],
) -> Any:
    n, d = features.shape
    k = neighbors.shape[1]
    count = len(SIZES)
    out = np.zeros((len(members), RELATIONS), np.float32)
    for b in prange(len(pivots)):
        p = pivots[b]
        mean = np.zeros((count + 1, d), np.float32)  # the pivot, and the means of its first faces
        mean[0] = features[p]
        total = np.zeros(d, np.float32)
        seen = 0
        size = 0
        for place in range(min(k, SIZES[-1]) + 1):
            if place == k or neighbors[p, place] < 0:
                break
            total += features[neighbors[p, place]]
            seen += 1
            while size < count and seen == SIZES[size]:
                size += 1
                mean[size] = total / seen
        for rest in range(size, count):
            mean[rest + 1] = total / max(seen, 1)
        mask = 1
        while mask < 4 * (k + 1):
            mask *= 2
        table = np.full(mask, -1, np.int32)
        rank_of = np.zeros(mask, np.int32)
        mask -= 1
        for place in range(-1, k):
            face = p if place < 0 else neighbors[p, place]
            if face < 0:
                break
            slot = (face * 2654435761 >> 7) & mask
            while table[slot] >= 0:
                slot = (slot + 1) & mask
            table[slot] = face
            rank_of[slot] = place + 1
        for m in range(start[b], start[b + 1]):
            q = members[m]
            row = out[m]
            for which in range(count + 1):
                dot = np.float32(0)
                for axis in range(d):
                    dot += mean[which, axis] * features[q, axis]
                row[0 if which == 0 else 3 + which] = dot
            of_q, of_p = k + 1, k + 1
            for place in range(-1, k):
                face = q if place < 0 else neighbors[q, place]
                if face < 0:
                    break
                if face == p:
                    of_p = place + 1
                slot = (face * 2654435761 >> 7) & mask
                while table[slot] >= 0 and table[slot] != face:
                    slot = (slot + 1) & mask
                if table[slot] == face:
                    if place < 0:
                        of_q = rank_of[slot]
                    far = max(place + 1, rank_of[slot])
                    for which in range(count):
                        if far <= SIZES[which]:
                            row[4 + count + which] += np.float32(1.0 / (min(SIZES[which], k) + 1))
            row[1] = np.log(1.0 + of_q)
            row[2] = np.log(1.0 + of_p)
            row[3] = np.log(1.0 + degree[m])
            for which in range(count):
                last = min(SIZES[which], k) - 1
                if last >= 0:
                    row[4 + 2 * count + which] = similarities[p, last]
                    row[4 + 3 * count + which] = similarities[q, last]
    return out
