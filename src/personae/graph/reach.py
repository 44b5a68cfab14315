"""How far a face has to look, for a share of the neighbors that stand out from strangers to be found."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from personae.data.pages import let_go
from personae.graph.cells import Cells
from personae.graph.exact import nearest_faces
from personae.graph.neighbors_of_neighbors import THROUGH
from personae.graph.threads import in_threads, products_alone

QUERIES = 1000  # faces that the reach is measured on
STRANGERS = 1024  # faces that tell what a stranger looks like
ALPHA = 0.001  # share of faces that a stranger as close as a neighbor that stands out is expected for
FAR = 0.1587  # share of a bell curve that is more than a width away on one side
FEW = 0.05  # share of faces with a neighbor that stands out, below which every first neighbor counts
CLOSEST = np.float32(1e-6)  # 1 - cosine of the closest pair that is told apart
LENIENT = 5  # times what may be missing of all pairs may be missing of a face's, in the mean
NEVER = np.iinfo(np.int32).max  # no number of cells is enough
BLOCK = 2048  # faces multiplied at a time


@products_alone()
def expecting(
    features: NDArray[np.floating[Any]],
    faces: NDArray[np.intp],
    strangers: NDArray[np.intp],
    counts: Sequence[float] = (ALPHA,),
) -> NDArray[np.float32]:
    """(C, B) float32, the cosines above which so many strangers are expected for the faces asked for.

    features:  (N, d) unit rows
    faces:     (B,) rows
    strangers: (M,) rows that have nothing to do with where the faces lie
    counts:    (C,) strangers of N; by default neighbors above the cosine stand out

    A face's log distances to others, log(1 - cosine), are close to a bell curve; by that curve one face in a
    thousand has any of N strangers as close as those who stand out. Its width is that of the wider side: the
    nearest strangers of a poor face are poor faces, and nearer than the far side shows. How a product is
    rounded depends on where in `faces` a face stands.
    """
    others = features[strangers].astype(np.float32)
    last = len(others) - 1
    places = [round(share * last) for share in (FAR, 0.5, 1 - FAR)]
    widths = ndtri(np.minimum(np.array(counts) / len(features), 0.5))[:, None]

    def bound(start: int) -> NDArray[np.float32]:
        rows = features[faces[start : start + BLOCK]].astype(np.float32)
        let_go(features)
        cosines = rows @ others.T
        cosines.partition(places, axis=1)
        far, level, near = np.log(np.maximum(1 - cosines[:, places], CLOSEST)).T
        width = np.maximum(far - level, level - near)
        return np.asarray(1 - np.exp(level + widths * width), np.float32)

    return np.concatenate(in_threads(bound, range(0, len(faces), BLOCK)), axis=1)


def those_above(bound: NDArray[np.float32], similarities: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    """(Q, k) bool, which neighbors stand out; first ones, if hardly any does."""
    near: NDArray[np.bool_] = similarities > bound[:, None]
    if near.any(axis=1).mean() < FEW:
        near[:, 0] = True
    return near


class Reach(NamedTuple):
    """What it takes that faces of a sample meet those who stand out for them.

    groups: of (m + 1,) faces: one of the sample, and the m who stand out for it
    known:  of (m, m) bool, whether the second of these is on the list of the first, and stands out there
    apart:  of (m + 1, m + 1) int32, how many cells a face has to look into for two to meet, less one; the
            least of all tables so far, `NEVER` where no number is enough
    """

    groups: list[NDArray[np.intp]]
    known: list[NDArray[np.bool_]]
    apart: list[NDArray[np.int32]]

    @classmethod
    @products_alone()
    def of(
        cls, features: NDArray[np.float32], sample: NDArray[np.intp], bound: NDArray[np.float32], k: int
    ) -> "Reach":
        """Before there are cells.

        features: (N, d) unit rows
        sample:   (Q,) rows
        bound:    (N,) of `expecting`
        """
        neighbors, similarities = nearest_faces(features, sample, k)
        near = those_above(bound[sample], similarities)
        groups, known = [], []
        for row in np.flatnonzero(near.any(axis=1)):
            others = neighbors[row, near[row]]
            cosines = features[others] @ features[others].T
            groups.append(np.r_[sample[row], others])
            known.append(cosines > np.maximum(bound[others], similarities[row, -1])[:, None])
        return cls(groups, known, [np.full((len(group),) * 2, NEVER, np.int32) for group in groups])

    @products_alone()
    def through(self, cells: Cells, features: NDArray[np.float32]) -> "Reach":
        """With the cells of one more table."""

        def nearer(which: int) -> NDArray[np.int32]:
            behind = cells.behind(features[self.groups[which]])
            met = np.where(behind < len(cells), behind, NEVER)
            return np.minimum(self.apart[which], np.minimum(met, met.T))

        return self._replace(apart=in_threads(nearer, range(len(self.groups))))

    def probes(self, recall: float) -> int:
        """The cells of each table to look into, for this share of the pairs to meet, or to know one who did.

        Most pairs are of those who have many neighbors; so that others keep theirs, each face's share counts
        too, and in the mean five times as much may be missing of it.
        """
        ways = [nearest_way(*pair) for pair in zip(self.apart, self.known, strict=True)]
        cells = np.concatenate(ways)
        share_of_face = np.concatenate([np.full(len(way), 1 / len(way)) for way in ways])
        fewer = 1 - LENIENT * (1 - recall)
        needed = max(_reaching(cells, np.ones(len(cells)), recall), _reaching(cells, share_of_face, fewer))
        return min(needed + 1, NEVER)


def nearest_way(apart: NDArray[np.int32], known: NDArray[np.bool_]) -> NDArray[np.int32]:
    """(m,) how far a face's look has to go for each of its m neighbors to be met, or to be known to one who is.

    apart: (m + 1, m + 1) the cells in between, the face first
    known: (m, m) whether the second neighbor is on the list of the first, and stands out there
    """
    met, between = apart[0, 1:], apart[1:, 1:]
    steps = np.where(known, np.maximum(met[:, None], between), NEVER)
    return np.asarray(np.minimum(met, steps[:THROUGH].min(axis=0)))


def _reaching(values: NDArray[np.int32], weights: NDArray[np.float64], share: float) -> int:
    """The least of the values that this share of the weights does not exceed."""
    order = np.argsort(values)
    upto = np.cumsum(weights[order]) / weights.sum()
    return int(values[order[np.searchsorted(upto, share).clip(max=len(order) - 1)]])
