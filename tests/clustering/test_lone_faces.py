"""Faces left alone join whom they are close to in the mean, and nobody else."""

import numpy as np
import pytest

from personae import Constraints, FaceSet, knn_graph
from personae.clustering.lone_faces import lone_faces_joined
from personae.graph.components import first_seen
from personae.link.strangers import Strangers
from tests.planted import made_faces

FACES = made_faces([12] * 8 + [1] * 60, seed=3)
STRANGERS = Strangers(np.full(len(FACES), np.log(1.0)), np.full(len(FACES), 0.1))
GRAPH = knn_graph(FACES, 20)


def left_alone(rows):
    """The true people, but for some faces who are alone."""
    truth = FACES.truth.copy()
    truth[rows] = truth.max() + 1 + np.arange(len(rows))
    return first_seen(truth)


def joined(labels, floor, **more):
    return lone_faces_joined(labels, FACES.features, GRAPH, STRANGERS, floor, **more)


def widths(face, person):
    cosine = FACES.features[face].astype(float) @ FACES.features[person].mean(axis=0)
    return -np.log(1 - cosine) / 0.1


@pytest.fixture
def lone():
    """A face of each person."""
    return np.array([np.flatnonzero(FACES.truth == person)[0] for person in range(8)])


def test_a_lone_face_joins_its_person_if_it_is_close_enough_in_the_mean(lone):
    labels = left_alone(lone)
    rest = [np.setdiff1d(np.flatnonzero(FACES.truth == person), lone) for person in range(8)]
    near = np.array([widths(face, person) for face, person in zip(lone, rest, strict=True)])
    floor = float(np.median(near)) + 1
    found = joined(labels, floor)
    assert 0 < (near > floor - 1).sum() < 8
    for face, person, close in zip(lone, rest, near, strict=True):
        assert (found[face] == found[person[0]]) == (close > floor - 1)
        assert len(np.unique(found[person])) == 1
    others = FACES.truth >= 8
    assert (np.bincount(found)[found[others]] == 1).all()


def test_between_two_people_a_face_stays_alone():
    both = np.array([FACES.features[FACES.truth == person].mean(axis=0) for person in (0, 1)])
    middle = np.linalg.solve(both @ both.T, np.ones(2)) @ both  # as close to one as to the other
    faces = FaceSet.of(np.vstack([FACES.features, middle]))
    strangers = Strangers(np.zeros(len(faces)), np.full(len(faces), 0.1))
    labels = first_seen(np.r_[FACES.truth, FACES.truth.max() + 1])
    found = lone_faces_joined(labels, faces.features, knn_graph(faces, 20), strangers, 8.0)
    assert (found == labels).all()


def test_people_of_two_have_no_mean(lone):
    labels = FACES.truth.copy()
    labels[FACES.truth < 8] = 100 + np.flatnonzero(FACES.truth < 8) // 2
    labels[lone] = 1000 + lone
    labels = first_seen(labels)
    assert (joined(labels, 8.0) == labels).all()


def test_pairs_that_are_apart_do_not_come_together(lone):
    one, another, held = np.flatnonzero(FACES.truth == 0)[:3]
    labels = left_alone(np.r_[lone, another])
    free = joined(labels, 8.0)
    assert free[one] == free[another] == free[held]
    found = joined(labels, 8.0, constraints=Constraints.of(len(FACES), apart=[[one, held]]))
    assert found[one] != found[held] == found[another]
    found = joined(labels, 8.0, constraints=Constraints.of(len(FACES), apart=[[one, another]]))
    assert len({int(found[face]) for face in (one, another, held)}) == 3
    assert (np.bincount(found)[found[lone[1:]]] == 12).all()


def test_the_order_of_the_faces_does_not_matter(lone):
    order = np.random.default_rng(0).permutation(len(FACES))
    labels = left_alone(lone)
    some = FaceSet(FACES.features[order])
    turned = lone_faces_joined(labels[order], some.features, knn_graph(some, 20), STRANGERS, 3.0)
    found = joined(labels, 3.0)[order]
    assert (found[:, None] == found).tolist() == (turned[:, None] == turned).tolist()
