"""Whether features are of an embedder: right ones of any number and of any people pass, foreign ones hardly."""

from dataclasses import replace

import numpy as np
import pytest

from personae import FaceSet, InputError
from personae.data import SyntheticIdentities, like_dlib, like_sface, synthetic_faces
from personae.link.geometry import Geometry
from tests.planted import made_faces


@pytest.fixture(scope="module")
def made():
    return {
        name: synthetic_faces(SyntheticIdentities(faces=3000, people=400, embedder=embedder, seed=seed))
        for seed, (name, embedder) in enumerate({"sface": like_sface(), "dlib": like_dlib()}.items())
    }


def strangers(faces, n):
    return faces.take(np.unique(faces.truth, return_index=True)[1][:n])


def one_person(faces, n):
    return faces.take(np.flatnonzero(faces.truth == np.bincount(faces.truth).argmax())[:n])


def passes(geometry, faces):
    try:
        geometry.check(faces)
    except InputError:
        return False
    return True


def test_the_mean_cosine_of_strangers_is_that_of_all_pairs():
    faces = made_faces([1] * 50)
    cosines = faces.features.astype(np.float64) @ faces.features.T
    assert Geometry.of(faces).strangers == pytest.approx(cosines[np.triu_indices(50, 1)].mean())


@pytest.mark.parametrize("n", [1, 2, 5, 12, 60, 128])
@pytest.mark.parametrize("some", [strangers, one_person])
@pytest.mark.parametrize("name", ["sface", "dlib"])
def test_right_faces_pass_however_few_and_whoever(made, name, some, n):
    assert passes(Geometry.of(made[name]), some(made[name], n))


@pytest.mark.parametrize("n", [12, 60, 128, 300])
def test_a_dozen_foreign_strangers_are_refused(made, n):
    for name, other in (("sface", "dlib"), ("dlib", "sface")):
        assert not passes(Geometry.of(made[name]), strangers(made[other], n))


@pytest.mark.parametrize("n", [2, 5, 300])
def test_where_strangers_are_alike_two_foreign_faces_are_refused(made, n):
    assert not passes(Geometry.of(made["dlib"]), strangers(made["sface"], n))


def test_faces_whose_space_is_turned_pass_where_cosines_are_what_counts(made):
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(made["sface"].dimension,) * 2))[0]
    turned = FaceSet.of(made["sface"].features @ turn)
    geometry = Geometry.of(made["sface"])
    assert passes(geometry, turned)
    assert geometry.is_foreign(turned)


def test_an_embedder_without_a_common_part_tells_by_many_equal_faces_alone():
    geometry = Geometry.of(made_faces([1] * 300))
    equal = np.random.default_rng(0).normal(size=(300, 64)) * 0.1 + 1
    assert passes(geometry, FaceSet.of(equal[:20]))
    assert not passes(geometry, FaceSet.of(equal))


def test_without_a_common_direction_nothing_is_foreign(made):
    assert not replace(Geometry.of(made["dlib"]), common=()).is_foreign(made["sface"])


@pytest.mark.data
def test_real_faces_are_told(shared):
    sets = {name: np.load(shared / "data" / f"{name}.npz")["X"] for name in ("lfw.sface", "lfw.dlib")}
    for name, other in (("sface", "dlib"), ("dlib", "sface")):
        held = np.load(shared / "data" / f"train.{name}.npz")
        geometry = Geometry.of(FaceSet.of(held["X"]))
        for seed in range(50):
            some = np.random.default_rng(seed).permutation(len(sets["lfw.sface"]))[:12]
            assert passes(geometry, FaceSet.of(sets[f"lfw.{name}"][some]))
            assert not passes(geometry, FaceSet.of(sets[f"lfw.{other}"][some]))
