"""How far a face has to look, for a share of the neighbors that stand out from strangers to be found."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from personae.data.pages import let_go
from personae.graph.cells import Cells
from personae.graph.exact import nearest_faces
from personae.graph.neighbors_of_neighbors import THROUGH
from personae.graph.threads import in_threads, products_alone

QUERIES = 500  # faces that the reach is measured on
STRANGERS = 1024  # faces that tell what a stranger looks like
ALPHA = 0.001  # share of faces that a stranger as close as a neighbor that stands out is expected for
FAR = 0.1587  # share of a bell curve that is more than a width away on one side
FEW = 0.05  # share of faces with a neighbor that stands out, below which every first neighbor counts
CLOSEST = np.float32(1e-6)  # 1 - cosine of the closest pair that is told apart
LENIENT = 5  # times what may be missing of all pairs may be missing of a face's, in the mean
MOST = 1 / 4  # of the cells: where more are needed, all pairs are looked at
BLOCK = 2048  # faces multiplied at a time


@products_alone()
def standing_out(
    features: NDArray[np.floating[Any]], faces: NDArray[np.intp], strangers: NDArray[np.intp]
) -> NDArray[np.float32]:
    """(B,) float32, the cosine above which neighbors of the faces asked for stand out.

    features:  (N, d) unit rows
    faces:     (B,) rows
    strangers: (M,) rows that have nothing to do with where the faces lie

    A face's log distances to others, log(1 - cosine), are close to a bell curve; by that curve one face in a
    thousand has any of N strangers as close. Its width is that of the wider side: the nearest strangers of a
    poor face are poor faces, and nearer than the far side shows. How a product is rounded depends on where in
    `faces` a face stands.
    """
    others = features[strangers].astype(np.float32)
    last = len(others) - 1
    places = [round(share * last) for share in (FAR, 0.5, 1 - FAR)]

    def bound(start: int) -> NDArray[np.float32]:
        rows = features[faces[start : start + BLOCK]].astype(np.float32)
        let_go(features)
        cosines = rows @ others.T
        cosines.partition(places, axis=1)
        far, level, near = np.log(np.maximum(1 - cosines[:, places], CLOSEST)).T
        width = np.maximum(far - level, level - near)
        return np.asarray(1 - np.exp(level + ndtri(ALPHA / len(features)) * width), np.float32)

    return np.concatenate(in_threads(bound, range(0, len(faces), BLOCK)))


def those_above(bound: NDArray[np.float32], similarities: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    """(Q, k) bool, which neighbors stand out; first ones, if hardly any does."""
    near: NDArray[np.bool_] = similarities > bound[:, None]
    if near.any(axis=1).mean() < FEW:
        near[:, 0] = True
    return near


@products_alone()
def enough_probes(
    features: NDArray[np.float32],
    chance: NDArray[np.intp],
    cells: Cells,
    bound: NDArray[np.float32],
    k: int,
    recall: float,
) -> int | None:
    """The cells a face has to look into, for this share of a sample's neighbors that stand out to be found.

    features: (N, d) unit rows
    chance:   (N,) the faces in an order that has nothing to do with where they lie
    bound:    (N,) of `standing_out`

    Most pairs are of those who have many neighbors; so that others keep theirs, each face's share counts too,
    and in the mean five times as much may be missing of it. None where more than a quarter of the cells are
    needed. Cells that hold four times k faces are always looked into.
    """
    asked = chance[-QUERIES:]
    neighbors, similarities = nearest_faces(features, asked, k)
    near = those_above(bound[asked], similarities)

    def needed(row: int) -> NDArray[np.int32]:
        others = neighbors[row, near[row]]
        apart = cells.behind(features[np.r_[asked[row], others]])
        cosines = features[others] @ features[others].T
        known = cosines > np.maximum(bound[others], similarities[row, -1])[:, None]
        return nearest_way(np.minimum(apart, apart.T), known)

    of_faces = in_threads(needed, np.flatnonzero(near.any(axis=1)))
    of_pairs = np.concatenate(of_faces)
    share_of_face = np.concatenate([np.full(len(pairs), 1 / len(pairs)) for pairs in of_faces])
    fill = math.ceil(4 * neighbors.shape[1] * len(cells) / len(features))
    probes = max(
        fill,
        1 + _reaching(of_pairs, np.ones(len(of_pairs)), recall),
        1 + _reaching(of_pairs, share_of_face, 1 - LENIENT * (1 - recall)),
    )
    return probes if probes <= min(cells.most, max(1, round(MOST * len(cells)))) else None


def _reaching(values: NDArray[np.int32], weights: NDArray[np.float64], share: float) -> int:
    """The least of the values that this share of the weights does not exceed."""
    order = np.argsort(values)
    upto = np.cumsum(weights[order]) / weights.sum()
    return int(values[order[np.searchsorted(upto, share).clip(max=len(order) - 1)]])


def nearest_way(apart: NDArray[np.int32], known: NDArray[np.bool_]) -> NDArray[np.int32]:
    """(m,) how far a face's look has to go for each of its m neighbors to be met, or to be known to one who is.

    apart: (m + 1, m + 1) the cells in between, the face first
    known: (m, m) whether the second neighbor is on the list of the first, and stands out there
    """
    met, between = apart[0, 1:], apart[1:, 1:]
    steps = np.where(known, np.maximum(met[:, None], between), np.iinfo(np.int32).max)
    return np.asarray(np.minimum(met, steps[:THROUGH].min(axis=0)))
