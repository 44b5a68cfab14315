"""Groups of look-alikes are taken apart, people are not."""

import numpy as np
import pytest

from personae import Constraints, FaceSet, knn_graph
from personae.clustering import look_alikes
from personae.clustering.look_alikes import closeness, look_alikes_apart
from personae.data import pages
from personae.evaluation import pairwise
from personae.link.strangers import Strangers
from tests.planted import made_faces

K = 20


def family():
    """Two hundred strangers, thirty more who look alike, and six people of ten faces; and who looks alike."""
    rng = np.random.default_rng(0)
    alike = 0.7 * np.eye(64)[0] + 1.1 * rng.normal(size=(30, 64)) / 8
    others = made_faces([10] * 6 + [1] * 200, seed=1)
    features = np.vstack([others.features, alike])
    truth = np.r_[others.truth, others.truth.max() + 1 + np.arange(30)]
    order = rng.permutation(len(truth))
    return FaceSet.of(features[order], truth[order]), truth[order] > others.truth.max()


FACES, ALIKE = family()
STRANGERS = Strangers(np.full(len(FACES), np.log(1.0)), np.full(len(FACES), 0.1))
FLOORS = [5.0, 6.0, 7.0, 9.0, 12.0]


def taken_apart(labels, faces=FACES, strangers=STRANGERS, constraints=None):
    graph = knn_graph(faces, K)
    return look_alikes_apart(labels, faces.features, graph, strangers, FLOORS, constraints)


def grouped(truth=FACES.truth, alike=ALIKE):
    return np.unique(np.where(alike, -1, truth), return_inverse=True)[1].astype(np.int32)


def test_closeness_is_measured_from_both_sides_and_to_the_mean_of_the_others():
    labels = grouped()
    strangers = Strangers(*np.random.default_rng(3).uniform(0.1, 0.5, (2, len(FACES))))
    found = closeness(labels, FACES.features, strangers)
    for group in np.unique(labels):
        rows = np.flatnonzero(labels == group)
        for face in rows:
            others = rows[rows != face]
            if len(others) == 0:
                assert np.isinf(found[face])
                continue
            cosine = (FACES.features[others].astype(np.float64) @ FACES.features[face]).mean()
            z = strangers.widths(
                np.repeat(face, len(others)), others[:, None], np.full((len(others), 1), cosine)
            )
            assert found[face] == pytest.approx(z.mean(), rel=1e-5)


def test_closeness_of_features_on_disk_is_the_same_some_groups_after_the_others(tmp_path, monkeypatch):
    labels, strangers = grouped(), Strangers(*np.random.default_rng(3).uniform(0.1, 0.5, (2, len(FACES))))
    parts = np.unique(np.c_[labels, np.arange(len(labels)) % 3], axis=0, return_inverse=True)[1].ravel()
    parts = parts.astype(np.int32)
    np.save(tmp_path / "faces.npy", FACES.features)
    there = np.load(tmp_path / "faces.npy", mmap_mode="r")
    whole, between = (closeness(labels, FACES.features, strangers, of) for of in (None, parts))
    for size in (1, 15, 50):  # the largest group has 30 faces
        monkeypatch.setattr(pages, "READ", size)
        monkeypatch.setattr(pages, "READS", 1 << 20)
        monkeypatch.setattr(look_alikes, "BLOCK", size // 3 + 1)
        assert (closeness(labels, there, strangers) == whole).all()
        assert (closeness(labels, there, strangers, parts) == between).all()


def test_closeness_between_parts_is_to_those_of_other_parts():
    labels, parts = np.zeros(3, np.int32), np.array([0, 1, 1], np.int32)
    features = np.array([[1, 0], [0, 1], [0.6, 0.8]])
    strangers = Strangers(np.zeros(3), np.ones(3))
    found = closeness(labels, features, strangers, parts)
    assert found == pytest.approx([-np.log(1 - 0.3), -np.log(1), -np.log(1 - 0.6)], abs=1e-5)
    assert np.isinf(closeness(labels, features, strangers, np.zeros(3, np.int32))).all()


def test_look_alikes_are_taken_apart_and_people_stay():
    found = taken_apart(grouped())
    assert np.bincount(found[ALIKE]).max() < 10
    assert pairwise(FACES.truth[~ALIKE], found[~ALIKE]).f == 1


def test_a_face_that_is_far_from_the_others_leaves():
    labels = grouped()
    stranger = np.flatnonzero(np.bincount(FACES.truth)[FACES.truth] == 1)[0]
    person = np.flatnonzero(FACES.truth == np.bincount(FACES.truth).argmax())
    labels[stranger] = labels[person[0]]
    found = taken_apart(labels)
    assert (found == found[stranger]).sum() == 1
    assert len(np.unique(found[person])) == 1


def test_what_is_known_to_be_one_person_stays_together():
    rows = np.flatnonzero(ALIKE)[:5]
    found = taken_apart(grouped(), constraints=Constraints.of(len(FACES), together=[rows]))
    assert len(np.unique(found[rows])) == 1
    assert np.bincount(found[ALIKE]).max() < 15


def test_a_crowd_that_is_known_to_be_one_person_stays_as_loose_as_it_is():
    rng = np.random.default_rng(0)
    crowd = FaceSet.of(rng.normal(size=(60, 64)))
    one = Constraints.of(60, together=[np.arange(45)])  # more than twice a list
    graph, strangers = knn_graph(crowd, K), Strangers(np.zeros(60), np.full(60, 0.1))
    found = look_alikes_apart(np.zeros(60, np.int32), crowd.features, graph, strangers, FLOORS, one)
    assert (found[:45] == 0).all()
    assert len(np.unique(found)) == 16


def test_the_order_of_the_faces_does_not_matter():
    order = np.random.default_rng(5).permutation(len(FACES))
    turned = taken_apart(
        grouped(FACES.truth[order], ALIKE[order]),
        FaceSet(FACES.features[order]),
        STRANGERS.take(order),
    )
    assert pairwise(taken_apart(grouped())[order], turned).f == 1


def test_a_crowd_of_poor_pictures_is_no_person_and_a_person_with_as_many_faces_stays_one():
    rng = np.random.default_rng(0)
    poor = 1.2 * np.eye(64)[0] + 1.1 * rng.normal(size=(200, 64)) / 8
    person = 1.8 * np.eye(64)[1] + 1.1 * rng.normal(size=(200, 64)) / 8
    faces = FaceSet.of(np.vstack([poor, person, rng.normal(size=(200, 64))]))
    strangers = Strangers(np.zeros(600), np.full(600, 0.1))
    labels = np.repeat([0, 1, 2], [200, 200, 200]).astype(np.int32)
    labels[400:] = 2 + np.arange(200)
    near = closeness(labels, faces.features, strangers)
    floor = float(near[:200].mean()) + 0.5  # looser than links reach, by less than a few faces may be
    assert near[200:400].mean() > floor
    found = look_alikes_apart(
        labels, faces.features, knn_graph(faces, K), strangers, [floor, floor + 0.2], None
    )
    assert np.bincount(found[:200]).max() < 60
    assert len(np.unique(found[200:400])) == 1
    few = np.r_[0:K, 200:600]
    kept = look_alikes_apart(
        labels[few],
        faces.features[few],
        knn_graph(faces.take(few), K),
        strangers.take(few),
        [floor, floor + 0.2],
        None,
    )
    assert np.bincount(kept[:K]).max() >= K - 1  # one is far from the others
