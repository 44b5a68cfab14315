"""How close two faces of a collection must be for few of the links there to be between strangers.

What is measured is the local false discovery rate of Efron, "Large-Scale Simultaneous Hypothesis Testing: The
Choice of a Null Hypothesis", JASA 2004: at each closeness, how many links strangers would make over how many
there are. Where people have many faces, fewer of the links at some closeness are false than where most people
have one; so the closeness that is asked for follows from the collection.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from personae.data.pages import let_go
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.graph.threads import passed
from personae.link.strangers import BLOCK, Sample, Strangers

BELIEVED = (0.0, 0.25, 0.5, 0.75, 1.0)  # of what is a face's own, tried
SHARES = np.array([0.16, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5])  # of the strangers, whose closeness is looked at
BODY = slice(1, 5)  # of `SHARES`, those that the line goes through
JUMP = 3  # times as steep as before, a tail is no longer of strangers
FEWEST = 10  # strangers beyond a share that the line goes through
RARE = 1e-2  # of the strangers; if not even these are `FEWEST`, there are too few to count
USUAL = 0.77, 0.4  # slope and shift of that line among a thousand faces and more
LEAST, MOST, STEP = -2.0, 40.0, 0.1  # widths that are counted,
CLOSEST = MOST - 2 * STEP  # and what is closer with them
SMOOTH = 5  # steps that are averaged
FEW = 10  # links in the steps that are averaged, or more
MANY = 50  # links; what holds for so many holds for all that are closer


class StrangerPairs(NamedTuple):
    """Pairs of faces that are not the same person as far as is known.

    rows:    (R,) faces
    others:  (R, M) faces each is compared with
    cosines: (R, M)
    apart:   (R, M) bool, which pairs are strangers
    labels:  (N,) who the faces are as far as is known
    """

    rows: NDArray[np.intp]
    others: NDArray[np.intp]
    cosines: NDArray[np.float64]
    apart: NDArray[np.bool_]
    labels: NDArray[np.int32]

    @classmethod
    def among(
        cls,
        features: NDArray[np.floating[Any]],
        rows: NDArray[np.intp],
        sample: Sample,
        labels: NDArray[np.int32],
    ) -> "StrangerPairs":
        """The faces `rows` with those of the N faces that are in the sample; labels: (N,), the people."""
        inside = sample.face >= 0
        others = np.broadcast_to(sample.face[inside], (len(rows), int(inside.sum())))
        cosines = features[rows].astype(np.float64) @ sample.features[inside].T
        let_go(features)
        return cls(rows, others, cosines, labels[others] != labels[rows][:, None], labels)

    @property
    def too_few(self) -> bool:
        """Whether there are too few pairs to tell how close strangers come."""
        return bool(RARE * self.apart.sum() < FEWEST)

    def widths(self, strangers: Strangers) -> NDArray[np.float64]:
        """(P,) z of the pairs."""
        return strangers.widths(self.rows, self.others, self.cosines)[self.apart]


def lightest_tail(strangers: Strangers, pairs: StrangerPairs) -> float:
    """The share that is believed: that which keeps the closest pairs farthest away.

    By the last quantile of z in `tail_of` all; 1 where no pair is apart.
    """
    if not pairs.apart.any():
        return 1.0
    tails = [tail_of(pairs.widths(strangers.believed(share))) for share in BELIEVED]
    last = min(map(len, tails)) - 1
    return BELIEVED[int(np.argmin([tail[last] for tail in tails]))]


def tail_of(widths: NDArray[np.float64]) -> NDArray[np.float64]:
    """The quantiles of z at 1 - `SHARES`, as far as they are of strangers; at least the first.

    Where a large person was torn apart, its faces are taken for strangers, and a small share of all pairs is
    much closer than the rest. There the quantiles jump; the last one before that is no longer sure.
    """
    quantiles = np.quantile(widths, 1 - SHARES)
    steep = np.diff(quantiles, prepend=0) / np.diff(norm.isf(SHARES), prepend=0)
    jumps = np.flatnonzero(steep[1:] > JUMP * np.maximum(steep[:-1], 1))
    return np.asarray(quantiles[: max(1, jumps[0])] if len(jumps) else quantiles)


def least_widths(
    strangers: Strangers, pairs: StrangerPairs, graph: KnnGraph, false_links: Sequence[float], floor: float
) -> list[float]:
    """For each share, the z from which at most that share of a face's links is to strangers, in the mean.

    floor: z on the scale of the normal curve, above which neighbors count as a face's own

    Strangers are counted on the normal curve, after a line that takes their quantiles to those of the curve,
    and only of faces whose lists reach that far: a list full of closer faces has no place for them. The links
    of a face count as one in all: who has hundreds of pictures does not speak for those who have three. Where
    no list reaches, as among people who all have more faces than a list holds, there are no links to be true
    or false; nothing is less close there than `floor`.
    """
    slope, shift = bell_line(pairs.widths(strangers))
    others_of = len(graph) - np.bincount(pairs.labels)
    edges = np.arange(LEAST, MOST, STEP)

    def counted(here: slice) -> tuple[NDArray[Any], NDArray[Any]]:
        there = graph.neighbors[here] != NOBODY
        z = np.where(there, (slope * strangers.of_links(graph, here) + shift).clip(LEAST, CLOSEST), LEAST)
        weight = 1 / np.maximum((z > floor).sum(axis=1), 1)
        steps = np.searchsorted(edges, z, "right") - 1
        last = steps.min(axis=1, initial=len(edges) - 2)
        links = np.bincount(steps.ravel(), np.where(there, weight[:, None], 0).ravel(), len(edges) - 1)
        return links, np.bincount(last, weight * others_of[pairs.labels[here]], len(edges) - 1)

    counts = passed(counted, len(graph), BLOCK, graph.neighbors, graph.similarities)
    links, reaching = (sum(count, start=np.zeros(len(edges) - 1)) for count in zip(*counts, strict=True))
    sure = np.flatnonzero(np.cumsum(links[::-1])[::-1] >= MANY).max(initial=-1)
    links = _smoothed(links)
    expected = np.cumsum(reaching) * -np.diff(norm.sf(edges))
    unseen = (np.cumsum(reaching) == 0) & (edges[1:] <= floor)
    floors = []
    for share in false_links:
        too_many = (expected > share * links) & (links > 0)
        if sure >= 0 and not too_many[sure]:
            too_many[sure + 1 :] = False
        too_many |= unseen
        floors.append(float((edges[np.flatnonzero(too_many).max(initial=-1) + 1] - shift) / slope))
    return floors


def _smoothed(links: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of each step and those beside it; upwards of more, where it takes them to hold `FEW` links.

    Two faces are one link however close they are: that tells of no more links at their closeness than anywhere
    beyond.
    """
    total = np.r_[0, np.cumsum(links)]
    first = np.maximum(np.arange(len(links)) - SMOOTH // 2, 0)
    end = np.maximum(first + SMOOTH, np.searchsorted(total, total[first] + FEW)).clip(max=len(links))
    return np.asarray((total[end] - total[first]) / (end - first))


def bell_line(widths: NDArray[np.float64]) -> tuple[float, float]:
    """Slope and shift that take the quantiles of the closest strangers to those of the normal curve.

    `USUAL` where there are too few; 1 and 0 where their tail looks lighter than it: then some of the closest
    were taken for people.
    """
    told = int(np.sum(SHARES[: BODY.stop] * len(widths) >= FEWEST))
    used = slice(BODY.start if told > BODY.start + 1 else 0, told)
    quantiles = tail_of(widths)[used] if told > 1 else np.zeros(1)
    if len(quantiles) < 2 or np.ptp(quantiles) == 0:
        return USUAL
    slope, shift = np.polyfit(quantiles, norm.isf(SHARES[used][: len(quantiles)]), 1)
    return (float(slope), float(shift)) if slope < 1 else (1.0, 0.0)
