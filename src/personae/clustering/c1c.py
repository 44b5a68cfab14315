"""C1C: tracks join their first neighbors, clusters theirs, and nothing joins what is known to be two people.

After Kalogeiton and Zisserman, "Constrained video face clustering using 1NN relations", BMVC 2020, whose paper
was not at hand: FINCH's rounds under must-links and cannot-links, as later papers describe it.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from personae.clustering.agglomeration import Agglomeration
from personae.clustering.finch import least_alike
from personae.data.constraints import Constraints
from personae.errors import refuse_other_clusters
from personae.graph.all_pairs import all_cosines, content_order
from personae.graph.components import first_seen
from personae.graph.directions import mean_directions
from personae.graph.knn_graph import NOBODY, KnnGraph


def constrained_partitions(features: NDArray[np.floating[Any]], held: Constraints) -> NDArray[np.int32]:
    """(L, T) int32, the partitions, finest first, each numbered in the order of the first tracks.

    features: (T, d) unit rows, the mean of each track
    held:     of the tracks; hard pairs are never joined, soft ones lower the cosine of two clusters by their
              mean weight over all pairs of their tracks

    In each round the first neighbor of a cluster is the closest that no hard pair keeps from it, no less alike
    than the least alike pair of the first round. From the closest pair on all are joined, but where a chain
    of them would hold a hard pair. Without pairs these are the partitions of FINCH. O(T^2 d), 8 T^2 bytes.
    """
    order = content_order(features)
    first = _first_neighbors(features, np.arange(len(features)), held)
    floor = least_alike(first)
    partitions: list[NDArray[np.int32]] = []
    labels, clusters = np.arange(len(features), dtype=np.int32), len(features)
    while True:
        barred = np.unique(np.sort(labels[held.hard], axis=1), axis=0)
        joined = Agglomeration(floor, "single").cluster(first, Constraints.of(clusters, apart=barred))
        if partitions and joined.max() + 1 == clusters:
            break
        labels, clusters = joined[labels], int(joined.max()) + 1
        partitions.append(labels)
        if clusters == 1:
            break
        first = _first_neighbors(mean_directions(features, labels, order), labels, held)
    return np.array(partitions)


def joined_down(
    features: NDArray[np.floating[Any]], partitions: NDArray[np.int32], held: Constraints, clusters: int
) -> NDArray[np.int32]:
    """(T,) int32, this many clusters: those of the coarsest partition that has as many, joined further.

    The closest two, by their means, are joined, again and again.

    InputError: none, more than there are tracks, or fewer than the hard pairs allow.
    """
    refuse_other_clusters(clusters, len(features))
    fine = np.arange(len(features), dtype=np.int32)
    for partition in partitions:
        if partition.max() + 1 >= clusters:
            fine = partition
    means = mean_directions(features, fine, content_order(features))
    barred = fine[held.hard]
    soft, weight = _soft_between(fine, held)
    known = Constraints.of(len(means), (), np.vstack([barred, soft]), np.r_[np.ones(len(barred)), weight])
    cut = Agglomeration(-1.0, "average", n_clusters=clusters)
    return first_seen(cut.cluster_all_pairs(means, known)[fine])


def _soft_between(
    labels: NDArray[np.integer[Any]], held: Constraints
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(P, 2) clusters a < b with soft pairs between them, and (P,) the mean weight over all pairs of tracks."""
    pairs, weight = held.soft()
    ends = np.sort(labels[pairs], axis=1).astype(np.int64)
    between = ends[:, 0] < ends[:, 1]
    found, group = np.unique(ends[between], axis=0, return_inverse=True)
    size = np.bincount(labels)
    total = np.bincount(group.ravel(), weight[between], len(found))
    return found, total / size[found].prod(axis=1)


def _first_neighbors(
    means: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], held: Constraints
) -> KnnGraph:
    """The closest cluster of each that it may join; nobody for one that may join none, or has no direction."""
    cosines = all_cosines(means)
    soft, weight = _soft_between(labels, held)
    a, b = soft.T
    here = cosines[a, b]
    cosines[a, b] = cosines[b, a] = np.where(here > 0, here * (1 - weight), here)
    a, b = labels[held.hard].T
    cosines[a, b] = cosines[b, a] = -np.inf
    nowhere = ~means.any(axis=1)
    cosines[nowhere] = cosines[:, nowhere] = -np.inf
    nearest = cosines.argmax(axis=1)
    closest = cosines[np.arange(len(means)), nearest]
    nobody = closest == -np.inf
    nearest[nobody], closest[nobody] = NOBODY, 0
    return KnnGraph(nearest[:, None].astype(np.int32), closest[:, None])
