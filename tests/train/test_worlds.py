import numpy as np
import pytest

from personae.train.worlds import SHAPES, Shape, world, worlds
from tests.planted import made_faces

FACES = made_faces([20, 15, *[6] * 10, 1, 1], d=32)


@pytest.mark.parametrize("shape", SHAPES)
def test_people_of_a_world_are_numbered_from_0_and_keep_who_they_are(shape):
    faces, truth = world(FACES, FACES.truth, shape, np.random.default_rng(0))
    assert len(faces) == len(truth)
    assert (np.unique(truth) == np.arange(truth.max() + 1)).all()
    own = (faces.features[:, None] * FACES.features).sum(axis=2).max(axis=1) > 0.9999
    for person in range(truth.max() + 1):
        assert own[truth == person].any()  # each has a face of the training set


def test_without_growth_no_face_is_made():
    faces, truth = world(FACES, FACES.truth, Shape("any", 0.0), np.random.default_rng(0))
    assert ((faces.features @ FACES.features.T).max(axis=1) > 0.9999).all()
    assert (np.bincount(truth) <= 20).all()


def test_few_keeps_mostly_one_or_two():
    sizes = np.bincount(world(FACES, FACES.truth, Shape("few", 0.0), np.random.default_rng(0))[1])
    assert np.median(sizes) <= 2


def test_made_faces_are_as_close_to_their_person_as_real_ones():
    faces, truth = world(FACES, FACES.truth, Shape("all", 1.0), np.random.default_rng(0))
    assert np.bincount(truth).max() > 20
    similarity = faces.features @ faces.features.T
    same = truth[:, None] == truth
    real = FACES.features @ FACES.features.T
    mates = FACES.truth[:, None] == FACES.truth
    assert similarity[same].mean() == pytest.approx(real[mates].mean(), abs=0.1)
    assert similarity[~same].mean() == pytest.approx(real[~mates].mean(), abs=0.05)


def test_worlds_start_with_the_faces_as_they_are_and_are_the_same_each_time():
    one, other = (list(worlds(FACES, FACES.truth, 3)) for _ in range(2))
    assert one[0][0] is FACES
    for (faces, truth), (again, same) in zip(one, other, strict=True):
        assert (faces.features == again.features).all()
        assert (truth == same).all()


def test_people_of_one_face_each_can_be_a_world():
    faces = made_faces([1] * 8, d=16)
    for shape in SHAPES:
        assert len(world(faces, faces.truth, shape, np.random.default_rng(0))[0])
