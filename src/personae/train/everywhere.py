"""A threshold that holds where people have many faces, and where they have one or two."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

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
SLACK = 0.005  # of the mean; false links grow with the crowd, so the highest threshold that is nearly best


def decide_everywhere(
    exam: Exam,
    model: LinkModel,
    clusterers: Sequence[str],
    seed: int,
    options: Mapping[str, Sequence[dict[str, Any]]] = MappingProxyType({}),
) -> tuple[Decision, float]:
    """The decision that is best in the mean over the exam and thinned ones; its mean of both F in the exam.

    options: other parameters to try, by clusterer

    Where everybody has several faces, as in what people train on, any low threshold does, and joins the lone
    people of the next collection to others.
    """
    thin = [thinned(exam, np.random.default_rng([seed, draw])) for draw in range(DRAWS)]
    rooms = [(one, model.links(one.faces, one.graph)) for one in (exam, *thin)]
    weight = np.array([1.0, *[1 / DRAWS] * DRAWS])

    def worths(decision: Decision) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        pairs = (scores_within(one.truth, decision.people(links), one.held) for one, links in rooms)
        return np.array([(pairwise.f + bcubed.f) / 2 for pairwise, bcubed in pairs])

    tried = [
        Decision(name, tau, other) for name in clusterers for other in options.get(name, ({},)) for tau in TAUS
    ]
    found = [worths(decision) for decision in tried]
    means = np.array([weight @ worth / weight.sum() for worth in found])
    nearly = np.flatnonzero(means >= means.max() - SLACK)
    best = max(nearly, key=lambda place: (tried[place].tau, means[place]))
    return tried[best], float(found[best][0])


def thinned(exam: Exam, rng: np.random.Generator) -> Exam:
    """An exam in which half of the people keep one face, a quarter two, ..., among strangers."""
    lesson, learned = exam.lesson()
    crowd, names = world(lesson, learned, CROWD, rng)
    rows = rng.permutation(np.flatnonzero(exam.held))
    rows = rows[np.argsort(exam.truth[rows], kind="stable")]
    people, first, sizes = np.unique(exam.truth[rows], return_index=True, return_counts=True)
    kept = np.minimum(rng.geometric(HALVING, len(people)), sizes)
    place = np.arange(len(rows)) - np.repeat(first, sizes)
    rows = rows[place < np.repeat(kept, sizes)]
    truth = np.concatenate([names, names.max() + 1 + np.repeat(np.arange(len(people)), kept)]).astype(np.int32)
    faces = FaceSet.of(np.concatenate([crowd.features, exam.faces.features[rows]]))
    held = np.arange(len(truth)) >= len(names)
    return Exam(faces, truth, held, knn_graph(faces, exam.graph.k))
