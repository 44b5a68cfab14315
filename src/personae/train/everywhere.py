"""A threshold that holds where people have many faces, and where they have one or two."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personae.clustering.decision import Decision
from personae.data.faceset import FaceSet
from personae.evaluation.within import scores_within
from personae.graph.search import knn_graph
from personae.link.links import LinkModel
from personae.train.exam import Exam
from personae.train.worlds import Shape, world

TAUS = (0.3, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.95)  # of a probability
CROWD = Shape(few=0.8, grown=0.0, strangers=4.0)
HALVING = 0.5  # share of the people with one face, of the others with two, and so on
DRAWS = 2  # thinned exams
ALBUMS = (1.0, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25)  # for models that learn from albums
SLACK = 0.0025  # of the mean; false links grow with the crowd, so the highest threshold that is nearly best


def decide_everywhere(
    exam: Exam,
    model: LinkModel,
    clusterers: Sequence[str],
    seed: int,
    options: Mapping[str, Sequence[dict[str, Any]]] = MappingProxyType({}),
    albums: Sequence[float] = (),
) -> tuple[Decision, float]:
    """The decision that is best in the mean over the exam, thinned ones and albums; its mean of both F in the
    exam.

    options: other parameters to try, by clusterer
    albums:  shares of the validation identities that are an album each

    Where everybody has several faces, as in what people train on, any low threshold does, and joins the lone
    people of the next collection to others. In an album lists reach far, and strangers look near.
    """
    thin = [thinned(exam, np.random.default_rng([seed, draw])) for draw in range(DRAWS)]
    small = [album(exam, share, np.random.default_rng([seed, draw])) for draw, share in enumerate(albums)]
    rooms = [(one, model.links(one.faces, one.graph)) for one in (exam, *thin, *small)]
    weight = np.array([1.0, *[1 / DRAWS] * DRAWS, *(1 / len(albums) for _ in albums)])

    def worths(decision: Decision) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        pairs = (scores_within(one.truth, decision.people(links), one.held) for one, links in rooms)
        return np.array([(pairwise.f + bcubed.f) / 2 for pairwise, bcubed in pairs])

    tried = [
        Decision(name, tau, other) for name in clusterers for other in options.get(name, ({},)) for tau in TAUS
    ]
    found = [worths(decision) for decision in tried]
    means = np.array([weight @ worth / weight.sum() for worth in found])
    top = tried[int(means.argmax())]
    nearly = [
        place
        for place in np.flatnonzero(means >= means.max() - SLACK)
        if (tried[place].clusterer, tried[place].parameters) == (top.clusterer, top.parameters)
    ]
    best = max(nearly, key=lambda place: tried[place].tau)
    return tried[best], float(found[best][0])


def thinned(exam: Exam, rng: np.random.Generator) -> Exam:
    """An exam in which half of the people keep one face, a quarter two, ..., among strangers."""
    lesson, learned = exam.lesson()
    crowd, names = world(lesson, learned, CROWD, rng)
    rows = few_of_each(exam.truth, np.flatnonzero(exam.held), rng)
    people = np.unique(exam.truth[rows], return_inverse=True)[1]
    truth = np.concatenate([names, names.max() + 1 + people]).astype(np.int32)
    faces = FaceSet.of(np.concatenate([crowd.features, exam.faces.features[rows]]))
    held = np.arange(len(truth)) >= len(names)
    return Exam(faces, truth, held, knn_graph(faces, exam.graph.k))


def album(exam: Exam, share: float, rng: np.random.Generator) -> Exam:
    """An exam in which a share of the validation identities keep few faces each, and nobody else is there."""
    people = np.unique(exam.truth[exam.held])
    some = rng.permutation(people)[: max(2, round(share * len(people)))]
    rows = few_of_each(exam.truth, np.flatnonzero(np.isin(exam.truth, some)), rng)
    faces = FaceSet(exam.faces.features[rows])
    truth = np.unique(exam.truth[rows], return_inverse=True)[1].astype(np.int32)
    return Exam(faces, truth, np.ones(len(rows), dtype=np.bool_), knn_graph(faces, exam.graph.k))


def few_of_each(truth: NDArray[np.int32], rows: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.intp]:
    """Of these faces those that stay where half of the people keep one, a quarter two, ..., by person."""
    rows = rng.permutation(rows)
    rows = rows[np.argsort(truth[rows], kind="stable")]
    _, first, sizes = np.unique(truth[rows], return_index=True, return_counts=True)
    kept = np.minimum(rng.geometric(HALVING, len(sizes)), sizes)
    place = np.arange(len(rows)) - np.repeat(first, sizes)
    return np.asarray(rows[place < np.repeat(kept, sizes)])
