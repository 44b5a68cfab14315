"""Links judged against strangers: two faces match if no stranger could be expected to be as close.

The distances of one face to strangers, on a logarithmic scale, are close to a bell curve whose centre and
width belong to the face and to the embedder: a blurred face is close to everybody, a good one to nobody.
Measured in those widths, every face of every embedder has the same scale, and no threshold is left to choose.

How much of that is the face's own differs between embedders; where it is not, and is taken for it, some
strangers come much closer than the bell curve allows (`personae.link.false_links`).
"""

from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from personae.data.pages import let_go
from personae.graph.adjacency import canonical_order
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.graph.threads import passed, products_alone
from personae.heard import tell

LOOK = "strangers"
BLOCK = 1 << 12  # faces compared with the sample in one go
NEAREST = 1e-6  # 1 - cosine of the closest pair that is told apart
HEAD_START = 0.5  # weight of a link that is just strong enough
SURE = 20.0  # widths above the floor; who is closer is no surer to be the same person
Side = Literal["near", "far"]


@dataclass(frozen=True)
class Strangers:
    """The level and the spread of each of N faces' log distances to people it is not.

    level:  (N,) float64, median of log(1 - cosine)
    spread: (N,) float64, one standard deviation towards the near or the far side
    """

    level: NDArray[np.float64]
    spread: NDArray[np.float64]

    def believed(self, share: float, middle: tuple[float, float] | None = None) -> "Strangers":
        """A `share` of what sets each face apart from the middle one: 0 makes all faces alike.

        middle: level and spread of the middle face of a collection, if that is not this one
        """
        level, spread = middle or self.middle
        return replace(
            self,
            level=share * self.level + (1 - share) * level,
            spread=self.spread**share * spread ** (1 - share),
        )

    def take(self, faces: NDArray[np.integer[Any]]) -> "Strangers":
        """Of some of the faces alone."""
        return Strangers(self.level[faces], self.spread[faces])

    @property
    def middle(self) -> tuple[float, float]:
        """The median level and the median spread."""
        return float(np.median(self.level)), float(np.median(self.spread))

    def link(self, graph: KnnGraph, floor: float) -> KnnGraph:
        """Links that are more than `floor` widths nearer than strangers; weights are z_ij - floor + 0.5.

        z_ij is the mean of how many widths j lies nearer than the strangers of i, and i than those of j;
        what is more than 20 above the floor weighs no more.
        """
        others = np.empty(graph.neighbors.shape, dtype=np.int32)
        weights = np.empty(graph.neighbors.shape, dtype=np.float32)

        def put(here: slice) -> None:
            other, z = graph.neighbors[here], self.of_links(graph, here)
            there = (z > floor) & (other != NOBODY)
            others[here] = np.where(there, other, NOBODY)
            weights[here] = np.where(there, np.minimum(z - floor, SURE) + HEAD_START, 0)

        passed(put, len(graph), BLOCK, graph.neighbors, graph.similarities)
        return KnnGraph(others, weights)

    def count(self, graph: KnnGraph, floor: float) -> int:
        """How many links `link` makes."""

        def links(here: slice) -> int:
            return int(((self.of_links(graph, here) > floor) & (graph.neighbors[here] != NOBODY)).sum())

        return sum(passed(links, len(graph), BLOCK, graph.neighbors, graph.similarities))

    def of_links(self, graph: KnnGraph, here: slice) -> NDArray[np.float64]:
        """(B, k) float64, z of a run of faces and their neighbors."""
        return self.widths(np.arange(here.start, here.stop), graph.neighbors[here], graph.similarities[here])

    def widths(
        self, faces: NDArray[np.intp], others: NDArray[Any], cosines: NDArray[np.floating[Any]]
    ) -> NDArray[np.float64]:
        """(B, k) float64, z of B faces and k others of each, with these cosines."""
        depth = log_distance(cosines.astype(np.float64))
        of_face = (self.level[faces, None] - depth) / self.spread[faces, None]
        of_other = (self.level[others] - depth) / self.spread[others]
        return np.asarray((of_face + of_other) / 2)


@dataclass(frozen=True)
class Yardstick:
    """What a look at a collection has learned of strangers: enough to measure faces that come later.

    sample: faces that each face is compared with
    share:  of what is a face's own, believed
    level:  the middle one of the collection
    spread: the middle one
    """

    sample: "Sample"
    share: float
    level: float
    spread: float

    def believed(self, strangers: Strangers) -> Strangers:
        """What is believed of the strangers of other faces."""
        return strangers.believed(self.share, (self.level, self.spread))

    def measured(
        self, features: NDArray[np.floating[Any]], person: NDArray[np.int32], sampled: NDArray[np.int32]
    ) -> Strangers:
        """The strangers of B new faces, not yet as far as they are believed.

        features: (B, d) unit rows
        person:   (B,) who they are likely to be, -1 for nobody that is known
        sampled:  (M,) who the faces of the sample are, 0 or above
        """
        inside = self.sample.face >= 0
        others = replace(self.sample, face=np.where(inside, len(features) + np.arange(len(inside)), -1))
        return strangers_of(features, others, side="near", labels=np.r_[person, sampled])


def bell_floor(alpha: float, n: int) -> float:
    """Widths that fewer than `alpha` of the n strangers of a face exceed, by the bell curve."""
    return float(norm.isf(alpha / n))


@dataclass(frozen=True)
class Sample:
    """Some faces that every face is compared with.

    features: (M, d) float64
    face:     (M,) which of the N faces each is, -1 for somebody from elsewhere
    kinds:    (P, d) the middles of kinds of faces; those of another kind than a face are none of its strangers
    """

    features: NDArray[np.float64]
    face: NDArray[np.intp]
    kinds: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 0)))

    @classmethod
    def among(cls, features: NDArray[np.floating[Any]], graph: KnnGraph, size: int) -> "Sample":
        """About `size` of the faces, spread evenly over `canonical_order`."""
        order = canonical_order(graph)
        chosen = order[np.linspace(0, len(order) - 1, min(len(order), size)).astype(np.intp)]
        rows = features[chosen].astype(np.float64)
        let_go(features)
        return cls(rows, chosen)

    @classmethod
    def elsewhere(cls, features: NDArray[np.floating[Any]]) -> "Sample":
        """People who are none of the N faces."""
        return cls(features.astype(np.float64), np.full(len(features), -1))

    def __or__(self, other: "Sample") -> "Sample":
        features, face = np.vstack([self.features, other.features]), np.r_[self.face, other.face]
        return replace(self, features=features, face=face)

    def elsewhere_alone(self) -> "Sample":
        """Those who are none of the N faces."""
        return replace(self, features=self.features[self.face < 0], face=self.face[self.face < 0])

    def has_strangers(self, labels: NDArray[np.int32]) -> bool:
        """Whether any of the N faces sees somebody else, if these (N,), 0..C-1, are the people."""
        return bool(labels.any() or (self.face < 0).any())

    def kind(self, features: NDArray[np.floating[Any]]) -> NDArray[np.intp]:
        """(B,) the kind whose middle is nearest, 0 if there are none; features: (B, d)."""
        if not len(self.kinds):
            return np.zeros(len(features), np.intp)
        offset = (self.kinds**2).sum(axis=1) / 2
        return np.asarray(np.argmax(features.astype(np.float64) @ self.kinds.T - offset, axis=1))


class Measure(Protocol):
    """`strangers_of`, or what does the same elsewhere."""

    def __call__(
        self,
        features: NDArray[np.floating[Any]],
        sample: Sample,
        *,
        side: Side,
        labels: NDArray[np.int32] | None = None,
    ) -> Strangers: ...


def strangers_of(
    features: NDArray[np.floating[Any]],
    sample: Sample,
    *,
    side: Side,
    labels: NDArray[np.int32] | None = None,
) -> Strangers:
    """What strangers look like from each of N faces, O(N M d).

    side:   where they are read: "near", the median and one width towards the face, which is the side that
            matters; or "far", one and two widths away from it, which a face's own person does not reach even
            where it is five sixths of the sample
    labels: (N,) the people as far as they are known; a face's own person is left out of its strangers

    A face without strangers, or without any spread among them, is given the median of the others.
    """
    n = len(features)

    def seen(here: slice) -> NDArray[np.float64]:
        return seen_from(features[here], np.arange(here.start, here.stop), sample, side, labels)

    tell(LOOK, 0, n)
    with products_alone():
        found = passed(seen, n, BLOCK, features)
    tell(LOOK, n, n)
    return settled(np.concatenate(found))


def seen_from(
    features: NDArray[np.floating[Any]],
    faces: NDArray[np.intp],
    sample: Sample,
    side: Side,
    labels: NDArray[np.int32] | None = None,
) -> NDArray[np.float64]:
    """(B, 2), the level and the spread of the strangers of B faces; NaN, or no spread, where none are seen.

    features: (B, d) unit rows of the faces
    """
    cosines = features.astype(np.float32, copy=False) @ sample.features.T.astype(np.float32)
    own = sample.face[None, :] == faces[:, None]
    if len(sample.kinds):
        own |= sample.kind(sample.features)[None, :] != sample.kind(features)[:, None]
    if labels is not None:
        own |= (labels[sample.face][None, :] == labels[faces][:, None]) & (sample.face >= 0)
    cosines[own] = np.nan
    cosines.sort(axis=1)  # NaN last
    count = cosines.shape[1] - own.sum(axis=1)
    inner, outer = (0.0, 1.0) if side == "near" else (-1.0, -2.0)  # in widths, towards the face
    first, second = (log_distance(_quantile(cosines, count, norm.cdf(at))) for at in (inner, outer))
    spread = np.abs(second - first)
    return np.stack([first + inner * spread, spread], axis=1)


def settled(seen: NDArray[np.float64]) -> Strangers:
    """Of N faces as `seen_from` tells them, (N, 2); those who see nobody are given the median of the others."""
    level, spread = seen.T
    known = np.isfinite(level) & (spread > NEAREST)
    if not known.any():
        return Strangers(np.zeros(len(level)), np.ones(len(level)))
    return Strangers(
        np.where(known, level, np.median(level[known])), np.where(known, spread, np.median(spread[known]))
    )


def _quantile(rising: NDArray[np.float32], count: NDArray[np.intp], share: float) -> NDArray[np.float64]:
    """The value below which `share` of the first `count` values of a sorted row lie, or NaN."""
    at = np.rint(share * (count - 1)).astype(np.intp).clip(min=0)
    return np.take_along_axis(rising, at[:, None], axis=1)[:, 0].astype(np.float64)


def log_distance(cosine: NDArray[np.float64]) -> NDArray[np.float64]:
    """log(1 - cosine), of no less than `NEAREST`."""
    return np.asarray(np.log(np.maximum(1 - cosine, NEAREST)))
