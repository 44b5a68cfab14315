"""What is asked is what is wrong, likeliest first, and nothing that is known."""

import numpy as np
import pytest

from personae import Auto, Constraints, FaceSet, knn_graph, read_faces
from personae.clustering.look_alikes import Means
from personae.clustering.suggestions import LIKELY, near_groups, suggestions
from personae.graph import first_seen
from personae.link.strangers import Strangers
from tests.planted import made_faces

FACES = made_faces([16] * 8 + [1] * 40, d=24, spread=0.8, seed=5)
STRANGERS = Strangers(np.full(len(FACES), np.log(1.0)), np.full(len(FACES), 0.2))
FLOOR = 3.0


def people(person):
    return np.flatnonzero(FACES.truth == person)


def asked(labels, constraints=None):
    return suggestions(labels, FACES.features, STRANGERS, FLOOR, constraints)


@pytest.fixture
def torn():
    """One person as two groups."""
    labels = FACES.truth.copy()
    labels[people(2)[:6]] = labels.max() + 1
    return first_seen(labels)


@pytest.fixture
def mixed():
    """A face among the faces of somebody else."""
    labels = FACES.truth.copy()
    labels[people(4)[0]] = 1
    return first_seen(labels)


def test_people_torn_in_two_are_asked_for_first(torn):
    found = asked(torn)
    assert set(found.pairs[0]) == set(torn[people(2)])
    assert found.one[0] > 0.5
    assert (np.diff(found.one) <= 0).all()
    assert (found.one >= LIKELY).all()


def test_a_face_among_others_is_the_first_stray(mixed):
    found = asked(mixed)
    assert found.strays[0] == people(4)[0]
    assert found.elsewhere[0] > 0.5
    assert (np.diff(found.elsewhere) <= 0).all()


def test_a_lone_face_is_asked_for_with_its_person_and_lone_faces_never_with_each_other():
    face = people(3)[0]
    labels = FACES.truth.copy()
    labels[face] = labels.max() + 1
    labels = first_seen(labels)
    found = asked(labels)
    assert sorted((labels[face], labels[people(3)[1]])) in found.pairs.tolist()
    assert (np.bincount(labels)[found.pairs] > 1).any(axis=1).all()


def test_widths_of_groups_are_those_of_their_mean_faces(torn):
    rng = np.random.default_rng(0)
    strangers = Strangers(rng.normal(size=len(FACES)), rng.uniform(0.1, 0.5, len(FACES)))
    means = Means.of(torn, np.arange(len(torn)), FACES.features, strangers)
    pairs, near = near_groups(torn, FACES.features, strangers)
    assert near == pytest.approx(means.widths(*pairs.T))
    for (a, b), width in zip(pairs[:50], near, strict=False):
        one, other = np.flatnonzero(torn == a), np.flatnonzero(torn == b)
        cosine = np.mean(FACES.features[one].astype(float) @ FACES.features[other].astype(float).T)
        slow = [np.mean((strangers.level[i] - np.log(1 - cosine)) / strangers.spread[i]) for i in (one, other)]
        assert width == pytest.approx(np.mean(slow), abs=1e-4)


def test_what_is_known_is_not_asked_again(torn, mixed):
    pair = asked(torn).pairs[0]
    apart = [(np.flatnonzero(torn == pair[0])[1], np.flatnonzero(torn == pair[1])[2])]
    assert pair.tolist() not in asked(torn, Constraints.of(len(torn), apart=apart)).pairs.tolist()
    stray = asked(mixed).strays[0]
    together = [[stray, people(1)[0]]]
    assert stray not in asked(mixed, Constraints.of(len(mixed), together=together)).strays


def test_of_two_who_are_likely_apart_the_odds_are_smaller_by_that_weight(torn):
    pair, before = asked(torn).pairs[0], asked(torn).one[0]
    apart = [(np.flatnonzero(torn == pair[0])[0], np.flatnonzero(torn == pair[1])[0])]
    found = asked(torn, Constraints.of(len(torn), apart=apart, weight=0.6))
    after = found.one[found.pairs.tolist().index(pair.tolist())]
    assert after / (1 - after) == pytest.approx(0.4 * before / (1 - before), rel=1e-5)


def test_of_two_faces_of_one_group_in_one_photo_the_farther_one_is_asked_about():
    labels = first_seen(FACES.truth)
    a, b = people(6)[:2]
    known = Constraints.of(len(labels), apart=[(a, b)], weight=0.9999)
    before, found = asked(labels), asked(labels, known)
    assert not {a, b} & {*before.strays.tolist()}
    assert len({a, b} & {*found.strays.tolist()}) == 1


def test_the_order_of_the_faces_does_not_matter(torn):
    order = np.random.default_rng(1).permutation(len(torn))
    moved = first_seen(torn[order])
    found = suggestions(moved, FACES.features[order], STRANGERS, FLOOR)
    same = asked(torn)
    place = np.zeros(torn.max() + 1, int)
    place[torn[order]] = moved
    assert np.sort(place[same.pairs], axis=1).tolist() == found.pairs.tolist()
    assert found.one == pytest.approx(same.one, rel=1e-4)
    assert order[found.strays].tolist() == same.strays.tolist()


def test_the_second_of_two_alone_stands_for_both():
    rows = np.array([[1, 0.0], [-1, 0], [0, 1], [0, -1]])
    labels = np.array([0, 0, 1, 1], np.int32)
    strangers = Strangers(np.zeros(4), np.ones(4))
    assert suggestions(labels, rows, strangers, 3.0).strays.tolist() == [1, 3]


@pytest.mark.parametrize("labels", [[0], [0, 1], [0, 0]])
def test_few_faces_give_few_questions(labels):
    faces = FaceSet.of(np.eye(3)[: len(labels)])
    strangers = Strangers(np.zeros(len(labels)), np.ones(len(labels)))
    found = suggestions(np.array(labels, np.int32), faces.features, strangers, 0.0)
    assert len(found.pairs) == 0 == len(found.one)


def test_where_all_is_right_nobody_is_asked(planted):
    looks, rung = Auto().fit_looks(planted)
    found = looks.suggestions(rung)
    assert len(found.pairs) <= 1
    assert len(found.strays) <= 1


@pytest.fixture(scope="module", params=["sface", "dlib"])
def real(request, shared):
    """A third of the people of a real collection, two of three of whom are there once."""
    faces = read_faces(shared / "data" / f"lfw.{request.param}.npz")
    chosen = np.random.default_rng(2).permutation(faces.truth.max() + 1) < 1800
    faces = faces.take(chosen[faces.truth])
    return faces.truth, Auto().looks(faces, knn_graph(faces))


def most_of(labels, truth):
    """Who most faces of each group are."""
    table = np.zeros((labels.max() + 1, truth.max() + 1), int)
    np.add.at(table, (labels, truth), 1)
    return table.argmax(axis=1)


@pytest.mark.data
def test_half_of_the_faces_that_are_wrong_are_asked_about(real):
    truth, looks = real
    labels, found = looks.labels(1), looks.suggestions(1)
    who = most_of(labels, truth)
    wrong = who[labels[found.strays]] != truth[found.strays]
    assert wrong[:10].sum() >= 5
    assert wrong.mean() == pytest.approx(found.elsewhere.mean(), abs=0.2)
    assert wrong.sum() >= 0.35 * (who[labels] != truth).sum()


@pytest.mark.data
def test_people_torn_by_a_stricter_look_are_asked_for_and_as_likely_one_as_it_says(real):
    truth, looks = real
    labels, found = looks.labels(3), looks.suggestions(3)
    who = most_of(labels, truth)
    right = who[found.pairs[:, 0]] == who[found.pairs[:, 1]]
    assert len(right) >= 20
    assert right[:10].sum() >= 6
    assert right.mean() == pytest.approx(found.one.mean(), abs=0.2)
