"""The default: links judged against strangers, then the map equation; nothing to choose."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personae.clustering.looks import AS_ASKED, Looks, guessed
from personae.data.constraints import Constraints
from personae.data.faceset import FaceSet
from personae.errors import InputError
from personae.evaluation.expected import Expected, torn_from
from personae.graph.components import first_seen
from personae.graph.copies import Copies
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.graph.search import knn_graph
from personae.link.false_links import StrangerPairs, least_widths, lightest_tail
from personae.link.kinds import kinds_among
from personae.link.large_people import large_people
from personae.link.moments import moments_among
from personae.link.strangers import Measure, Sample, Strangers, Yardstick, bell_floor, strangers_of
from personae.methods.estimator import FeatureClusterer, distinct, graph_of, known_before

FEW = 50  # faces among which strangers are hardly to be told from one person
ALPHA = 1e-3  # strangers a face that are nearer than the first two looks ask for
ROWS = 1 << 12  # faces whose strangers are looked at
RUNG = 10**0.5  # from one share of false links to the next that is tried
RUNGS = 6  # shares that are tried for `target_precision`
SETTLED = 0.05  # widths that the floor has to fall by for another look
WIDER = 1.05  # times as wide as before, widths say nothing of each other
MOST = 0.9  # share of false links of the loosest look
USUAL = 0.2  # share of false links at which the quality to expect was learned
JOINED = 0.02  # of the faces; where fewer are with others, all may be strangers, or all one person


def cluster(
    features: FaceSet | ArrayLike,
    *,
    constraints: Constraints | None = None,
    strangers: NDArray[np.floating[Any]] | None = None,
) -> NDArray[np.int32]:
    """(N,) int32, the person of each face, 0..C-1 in the order of the first faces: `Auto` as it comes.

    features:    a FaceSet or (N, d) embeddings of any model, float32 at best
    constraints: which faces are known to be one person, or two
    strangers:   (M, d) embeddings of people who are none of these; some thirty tell what a few faces cannot

    InputError: not numbers, not two-dimensional, no face, NaN, infinite or zero rows; constraints of others;
    strangers of another dimension.

    >>> cluster([[1, 0, 0]])
    array([0], dtype=int32)
    """
    labels: NDArray[np.int32] = Auto(strangers=strangers).fit(features, constraints=constraints).labels_
    return labels


class Auto(FeatureClusterer):
    """Two faces are linked if few of the links between faces as close as they are can be between strangers.

    Each face is compared with some of the others; the level and spread of those log distances say how close a
    stranger can come, whatever the embedder. Where faces fall into kinds far apart, as of two cameras, the
    others are of its own kind (`personae.link.kinds`). Strangers are looked at again and again. First from
    the far side, which a face's own person seldom reaches, or without the people who have most of the faces
    (`personae.link.large_people`), and all faces are given the middle ones; with `strangers` from elsewhere
    this look is at them. Then without the
    people found, from the near side, which is the one that matters, and believed to be a face's own as far as
    that keeps its strangers away. Then strangers are counted, and at each closeness the links that they would
    make are compared with those that there are (`personae.link.false_links`). The map equation turns the links
    into people; those with more faces than `k` are joined again (`personae.clustering.full_lists`), look-alikes
    are taken apart (`personae.clustering.look_alikes`), and faces left alone join whom they are close to in the
    mean (`personae.clustering.lone_faces`). As long as links may then be less close than before, strangers are
    looked at once more without these people.

    It holds for collections of lone faces and of large people and for any embedder's scale of cosines. It
    is weak where nearly all are one person, or where there are fewer than some twenty faces, for then there
    are too few strangers to measure (give it some: thirty are enough), and where people look alike to the
    embedder: a bell curve underestimates look-alikes.
    O(N^2 d) for the graph of up to 50,000 faces, less beyond; O(N (sample d + k)) after.

    k:                neighbors a face
    false_links:      share of a face's links that may be false, in the mean, at the closeness where most are
    target_precision: fewer false links are put up with until the expected pairwise precision is this, or
                      as near to it as it gets; or None
    sample:           faces that each face is compared with
    strangers:        (M, d) features of people who are in none of the photos, of which about `sample` are
                      looked at, or None

    labels_:      (N,) int32, 0..C-1 in the order of the first faces
    confidence_:  (N,) float32 in [0, 1], how far the links of each face agree with its person
    expected_:    precision, recall and F as they are expected, in all and of each person, without labels; see
                  `unforeseen`
    false_links_: the share of false links that was put up with
    looked_at_:   how many faces were looked at, of copies and of the pictures of one moment one each
    """

    expected_: Expected
    false_links_: float
    looked_at_: int

    def __init__(
        self,
        k: int = 80,
        false_links: float = USUAL,
        target_precision: float | None = None,
        sample: int = 1024,
        strangers: NDArray[np.floating[Any]] | None = None,
    ) -> None:
        self.k = k
        self.false_links = false_links
        self.target_precision = target_precision
        self.sample = sample
        self.strangers = strangers

    def fit(
        self,
        X: FaceSet | ArrayLike,
        y: Any = None,
        *,
        graph: KnnGraph | None = None,
        constraints: Constraints | None = None,
        start: ArrayLike | None = None,
    ) -> Self:
        """Clusters X, a FaceSet or features (N, d); `graph` is its kNN graph where that is there already.

        start: (N,) integers, the people as they were known before, -1 for a face nobody knew. They take the
               place of the first look: strangers are seen at once without a face's own person. Unlike
               constraints they bind nobody.

        InputError: a kNN graph for X, what `FaceSet.of` refuses, strangers of another dimension, constraints
        or a start of other faces.
        """
        self.fit_looks(X, graph, constraints, start)
        return self

    def fit_looks(
        self,
        X: FaceSet | ArrayLike,
        graph: KnnGraph | None = None,
        constraints: Constraints | None = None,
        start: ArrayLike | None = None,
    ) -> tuple[Looks, int]:
        """As `fit`; the looks at all faces, copies too, and the rung of the one that is taken."""
        faces = self._faces(X)
        self.check()
        self.elsewhere(faces)  # refused before the search
        told: dict[str, Any] = {"graph": graph, "constraints": constraints, "start": start}
        copies, once, told = distinct(faces, told)
        assert isinstance(once, FaceSet)
        looks = self._looked(once, graph_of(once, told["graph"], self.k), told["constraints"], told["start"])
        if copies is not None:
            looks = looks.with_copies(copies, faces, constraints)
        rung = self._rung(looks)
        self.labels_, self.false_links_ = looks.labels(rung), looks.shares[rung]
        self.confidence_, self.looked_at_ = looks.confidence(rung), looks.looked_at
        self.expected_ = looks.expected(rung)
        if rung > AS_ASKED:
            first = looks.expected(AS_ASKED), looks.labels(AS_ASKED)
            self.expected_ = torn_from(*first, self.expected_, self.labels_)
        return looks, rung

    def _looked(
        self, faces: FaceSet, graph: KnnGraph, constraints: Constraints | None, start: ArrayLike | None
    ) -> Looks:
        """The looks at distinct faces, by one face of each moment."""
        before = None if start is None else known_before(start, len(faces))
        moments = self.moments(faces, graph, constraints)
        if moments is None:
            return self.looks(faces, graph, constraints, start=before)
        fewer = moments.faces(faces)
        held = None if constraints is None else moments.constraints(constraints)
        known = None if start is None else moments.start(np.asarray(start))
        looks = self._looked(fewer, knn_graph(fewer, graph.k), held, known)
        return looks.with_copies(moments, faces, constraints)

    def _rung(self, looks: Looks) -> int:
        """The first whose precision is expected to be what was asked for, or that of which most is."""
        told = {AS_ASKED: looks.expected(AS_ASKED).pairwise.precision}
        rung, target = AS_ASKED, self.target_precision or 0
        while told[rung] < target and rung < RUNGS:
            rung += 1
            told[rung] = looks.expected(rung).pairwise.precision
        return rung if told[rung] >= target else max(told, key=lambda one: told[one])

    def moments(self, faces: FaceSet, graph: KnnGraph, constraints: Constraints | None = None) -> Copies | None:
        """The faces that stand for their moment (`personae.link.moments`), None where all are looked at."""
        return moments_among(graph, self.compared_with(faces, graph), constraints)

    def unforeseen(self, looked_at: int, people: int) -> str:
        """Why `expected_` may be far off, "" where nothing is known to be wrong with it.

        One person alone falls apart where there are no strangers; so do many strangers, and rightly.

        looked_at: how many faces were looked at
        people:    that were found, lone faces counted
        """
        if self.false_links != USUAL:
            return f"it was learned where {USUAL:.0%} of the links may be false"
        few = looked_at < FEW or people > (1 - JOINED) * looked_at
        return "for want of strangers" if few and self.strangers is None else ""

    def check(self) -> None:
        """InputError: parameters outside their range."""
        if not 0 < self.false_links <= MOST:
            raise InputError(f"false_links is {self.false_links}; give a share above 0 and at most {MOST}")
        if self.sample < 2:
            raise InputError(f"sample is {self.sample}; give at least 2")
        if self.target_precision is not None and not 0 < self.target_precision < 1:
            raise InputError(f"target_precision is {self.target_precision}; give a share between 0 and 1")
        if self.target_precision is not None and self.false_links != USUAL:
            raise InputError("target_precision chooses the share of false links; give one of the two")

    def looks(
        self,
        faces: FaceSet,
        graph: KnnGraph,
        constraints: Constraints | None = None,
        measured: Measure = strangers_of,
        start: NDArray[np.int32] | None = None,
    ) -> Looks:
        """The last look and those beside it, from a share of false links of 3.2 `false_links` downwards.

        A person torn apart counts among the strangers, who then seem closer than they are; so the look is taken
        again with the people it finds, until the widths that links must exceed fall no more; where the widths
        themselves have grown, it begins anew with these people. All over again, if one of the large people,
        without whom it began, is torn apart in the end: it was no one person.

        measured: who looks at the strangers
        start:    (N,) the people as they were known before, 0..C-1, in place of a first look

        InputError: strangers of another dimension.
        """
        floor, sample = bell_floor(ALPHA, len(faces)), self.compared_with(faces, graph)
        rows = Sample.among(faces.features, graph, ROWS).face
        shares = [min(self.false_links * RUNG**-rung, MOST) for rung in range(-1, RUNGS + 2)]

        def near_without(labels: NDArray[np.int32]) -> Strangers:
            return measured(faces.features, sample, side="near", labels=labels)

        def settled(near: Strangers, labels: NDArray[np.int32]) -> Looks:
            looks: Looks | None = None
            width = 0.0
            while True:
                pairs = StrangerPairs.among(faces.features, rows, sample, labels)
                yardstick = Yardstick(sample, lightest_tail(near, pairs), *near.middle)
                strangers = near.believed(yardstick.share)
                if anew := yardstick.spread > width * WIDER:
                    width = yardstick.spread
                    guess = guessed(faces, graph, strangers, floor)
                    pairs = StrangerPairs.among(faces.features, rows, sample, guess)
                floors = least_widths(strangers, pairs, graph, shares, floor)
                if pairs.too_few and self.strangers is not None:  # those may be less alike than people here
                    floors = [width + max(floor - floors[AS_ASKED], 0) for width in floors]
                new = Looks(faces, strangers, yardstick, graph, constraints, shares, floors)
                if looks is not None and new.looser_by(looks, in_widths=not anew) < SETTLED:
                    return looks
                looks = new
                labels = looks.unconstrained()
                if not sample.has_strangers(labels):
                    return looks
                near = near_without(labels)

        def begun(large: bool) -> tuple[Looks, NDArray[np.int32]]:
            if start is not None and sample.has_strangers(start):
                crowd = self.large_people(faces, sample) if large else np.full(len(faces), NOBODY, np.int32)
                labels = _whole(crowd, start)
                return settled(near_without(labels), labels), crowd
            first, crowd = self.first_look(faces, sample, measured, large=large)
            labels = _whole(crowd, guessed(faces, graph, first.believed(0), floor))
            near = near_without(labels) if sample.has_strangers(labels) else first
            return settled(near, labels), crowd

        looks, crowd = begun(large=True)
        torn = (crowd != NOBODY).any() and _torn(crowd, looks.unconstrained())
        return begun(large=False)[0] if torn else looks

    def compared_with(self, faces: FaceSet, graph: KnnGraph) -> Sample:
        """Who all faces are compared with: some of them, and `strangers`.

        InputError: strangers of another dimension.
        """
        sample, others = Sample.among(faces.features, graph, self.sample), self.elsewhere(faces)
        return kinds_among(sample, graph, ALPHA) if others is None else sample | others

    def elsewhere(self, faces: FaceSet) -> Sample | None:
        """About `sample` of `strangers`, if they are given. InputError: they are of another dimension."""
        if self.strangers is None:
            return None
        rows = FaceSet.of(self.strangers).features
        if rows.shape[1] != faces.dimension:
            raise InputError(f"strangers have {rows.shape[1]} values, the faces {faces.dimension}")
        spread = np.linspace(0, len(rows) - 1, min(len(rows), self.sample)).astype(np.intp)
        return Sample.elsewhere(rows[spread])

    def first_look(
        self, faces: FaceSet, sample: Sample, measured: Measure, *, large: bool
    ) -> tuple[Strangers, NDArray[np.int32]]:
        """The strangers of each face, and large people as `large_people`.

        large: whether to look for such
        """
        people = np.full(len(faces), NOBODY, np.int32)
        others = sample.elsewhere_alone()
        if len(others.face):
            return measured(faces.features, others, side="near"), people
        if large:
            people = self.large_people(faces, sample)
        if (people == NOBODY).all():
            return measured(faces.features, sample, side="far"), people
        known = _whole(people, np.arange(len(faces), dtype=np.int32))
        return measured(faces.features, sample, side="near", labels=known), people

    def large_people(self, faces: FaceSet, sample: Sample) -> NDArray[np.int32]:
        """(N,) int32 as `personae.link.large_people`; nobody is large where there are kinds of faces."""
        if len(sample.kinds):
            return np.full(len(faces), NOBODY, np.int32)
        return large_people(faces.features, sample)


def _whole(large: NDArray[np.int32], labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """(N,) int32, the people, but each of the large ones is one, and nobody else is with them."""
    return first_seen(np.where(large == NOBODY, labels, len(labels) + large).astype(np.int32))


def _torn(large: NDArray[np.int32], labels: NDArray[np.int32]) -> bool:
    """Whether less than half of one of the large people is together."""
    return any(
        2 * np.bincount(labels[large == person]).max() < np.sum(large == person)
        for person in range(int(large.max(initial=NOBODY)) + 1)
    )
