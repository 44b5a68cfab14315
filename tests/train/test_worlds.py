"""Collections made of the training faces: as large, lone and crowded as their shape says."""

import numpy as np
import pytest

from personae.train.worlds import LARGEST, Shape, strangers, variation, world, worlds
from tests.planted import made_faces

FACES = made_faces([1, 1, 4, 9, 16, 2] * 10, d=16)


def made(shape, seed=0):
    return world(FACES, FACES.truth, shape, np.random.default_rng(seed))


def test_the_first_collection_is_the_faces_themselves():
    faces, truth = next(worlds(FACES, FACES.truth, 3, 0))
    assert faces is FACES
    assert (truth == FACES.truth).all()


def test_a_plain_collection_holds_whole_people():
    faces, truth = made(Shape(0, 0, 0))
    rows = [np.flatnonzero((FACES.features == row).all(axis=1))[0] for row in faces.features]
    people = FACES.truth[rows]
    assert len(np.unique(people)) >= 36
    assert np.bincount(FACES.truth)[np.unique(people)].sum() == len(faces)
    assert ((truth[:, None] == truth) == (people[:, None] == people)).all()


def test_people_of_few_faces_have_some_of_their_own():
    faces, truth = made(Shape(1, 0, 0))
    assert 0.3 < (np.bincount(truth) == 1).mean() < 1
    assert np.bincount(truth).max() < 16
    assert all((FACES.features == row).all(axis=1).any() for row in faces.features)


def test_strangers_are_people_of_one_face():
    before, after = made(Shape(0, 0, 0))[1], made(Shape(0, 0, 2.0))[1]
    people = len(np.unique(before))
    assert (np.bincount(after) == 1).sum() == (np.bincount(before) == 1).sum() + 2 * people


@pytest.mark.parametrize("drawn", [1, 200, 60 * 7, 1 << 26])
def test_strangers_are_the_same_however_many_are_drawn_at_a_time(drawn, monkeypatch):
    centre = np.random.default_rng(0).normal(size=(60, 16))
    rng, plain = (np.random.default_rng(1) for _ in range(2))
    mixed = plain.normal(size=(25, 60)) / 60**0.5 @ (centre - centre.mean(axis=0))
    monkeypatch.setattr("personae.train.worlds.DRAWN", drawn)
    assert np.allclose(strangers(centre, 25, rng), centre.mean(axis=0) + mixed, rtol=0, atol=1e-12)
    assert rng.random() == plain.random()
    assert strangers(centre, 0, rng).shape == (0, 16)


def test_grown_people_look_like_their_mates():
    faces, truth = made(Shape(0, 1.0, 0))
    sizes = np.bincount(truth)
    assert 30 < sizes.max() <= LARGEST
    cosines = faces.features @ faces.features.T
    mates = truth[:, None] == truth
    np.fill_diagonal(mates, False)
    real = FACES.features @ FACES.features.T
    real_mates = FACES.truth[:, None] == FACES.truth
    np.fill_diagonal(real_mates, False)
    assert abs(cosines[mates].mean() - real[real_mates].mean()) < 0.1


def test_variation_is_as_large_as_around_the_true_centre():
    rng = np.random.default_rng(0)
    truth = np.repeat(np.arange(2000), 3).astype(np.int32)
    features = rng.normal(size=(6000, 4)).astype(np.float32)
    centre = features.reshape(2000, 3, 4).mean(axis=1)
    away = variation(features, truth, centre.astype(float), np.full(2000, 3))
    assert np.allclose(away.std(), 1, atol=0.03)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_seed_makes_the_same_collections(seed):
    for (a, people), (b, others) in zip(
        worlds(FACES, FACES.truth, 4, seed), worlds(FACES, FACES.truth, 4, seed), strict=True
    ):
        assert (a.features == b.features).all()
        assert (people == others).all()


def test_albums_hold_as_many_people_as_they_are_told_to():
    _, truth = made(Shape(0, 0, 0, people=(6, 12)))
    assert 6 <= len(np.unique(truth)) <= 12


def test_the_other_collections_have_the_shapes_in_turn():
    shapes = (Shape(0, 0, 0), Shape(0, 0, 0, people=(6, 7)), Shape(0, 0, 0, people=(20, 21)))
    counts = [len(np.unique(truth)) for _, truth in worlds(FACES, FACES.truth, 4, 0, shapes)]
    assert counts[1:3] == [6, 20]
    assert counts[3] >= 36
