"""People who do not exist, as an embedder sees them."""

from pathlib import Path

import numpy as np
import pytest

from personae import read_faces
from personae.embed import Embedder, sface
from personae.embed.session import WEIGHTS
from personae.embed.strangers import rendered, strangers
from personae.link.strangers import log_distance


def test_those_of_sface_are_a_hundred_and_always_the_same():
    people = strangers(sface())
    assert people.shape == (100, sface().dimension)
    assert people.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(people, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(people, strangers(sface()))
    cosines = (people @ people.T)[np.triu_indices(len(people), 1)]
    assert cosines.max() < 0.6


def test_any_other_embedder_looks_at_pictures_of_people():
    other = Embedder.load(WEIGHTS / "sface.onnx")
    np.testing.assert_array_equal(strangers(other), rendered(other))
    assert rendered(other).shape == (30, other.dimension)


@pytest.mark.data
def test_faces_are_as_far_from_them_as_from_people_of_other_photos(shared: Path):
    faces = read_faces(shared / "data" / "lfw.sface.npz")
    people = faces.features[np.unique(faces.truth, return_index=True)[1]]
    some, others = people[::20], people[1::5]
    real = np.quantile(log_distance(some.astype(np.float64) @ others.T), (0.5, 0.16, 0.01), axis=1)
    made = np.quantile(log_distance(some.astype(np.float64) @ strangers(sface()).T), (0.5, 0.16, 0.01), axis=1)
    assert np.abs(made - real).mean(axis=1).max() < 0.06
    assert np.corrcoef(made[0], real[0])[0, 1] > 0.7
