"""How far a growing collection has moved away from the one that was looked at as a whole."""

import numpy as np
import pytest

from personae import Auto, Gallery, update
from personae.scale import Drift
from personae.scale.growth import _of_some
from tests.planted import made_faces


@pytest.fixture(scope="module")
def faces():
    return made_faces([30, 20, 20, *[8] * 15, *[3] * 20, *[1] * 60], seed=2)


@pytest.fixture(scope="module")
def begun(faces):
    return Gallery.of(faces.features[:200])


def test_other_faces_are_told_by_their_shift(faces, begun, monkeypatch):
    monkeypatch.setattr(Gallery, "refuse_foreign", lambda gallery, faces: None)
    alike = Gallery.of(faces.features[:200] + np.eye(64)[0])  # strangers at a cosine of a half
    drift = update(alike, faces.features[200:240], renew=False).drift
    assert drift.shift < -1
    assert drift.full_run_is_worth_it
    assert abs(update(begun, faces.features[200:240], renew=False).drift.shift) < 0.5


def test_faces_that_are_gone_no_longer_count_for_the_drift(faces, begun):
    grown_by = update(begun, faces.features[200:230], renew=False)
    assert (grown_by.drift.faces, grown_by.drift.new) == (200, 30)
    fewer = grown_by.without(np.arange(20, 210))
    assert (fewer.drift.faces, fewer.drift.new, fewer.drift.shift) == (20, 20, grown_by.drift.shift)
    assert fewer.drift.full_run_is_worth_it
    old = grown_by.without(np.arange(200, 230))
    assert old.drift == Drift(200)
    few = begun.without(np.arange(20, 200))
    assert str(few.drift) == "0 new faces since all 20 were looked at, +0.00 widths off; no full run is needed"
    assert update(few, faces.features[230:236], renew=False).drift.full_run_is_worth_it


def test_the_same_faces_in_half_precision_are_who_they_were(faces, begun):
    again = update(begun, faces.features[:200].astype(np.float16), renew=False)
    assert (again.labels == np.tile(begun.labels, 2)).all()
    assert len(again.features) == len(begun.features)


def test_only_people_with_new_faces_are_joined():
    labels, joined = np.array([0, 0, 1, 2, 3, 3]), np.array([0, 0, 0, 1, 1, 1])
    assert _of_some(labels, joined, np.array([3])).tolist() == [0, 0, 1, 2, 2, 2]
    assert _of_some(labels, joined, np.array([0, 4])).tolist() == joined.tolist()


def test_two_galleries_at_once_keep_their_people(faces):
    method = Auto()
    one, other = Gallery.of(faces.features[:100], method), Gallery.of(faces.features[100:200], method)
    assert not hasattr(method, "labels_")
    assert (one.labels == Gallery.of(faces.features[:100]).labels).all()
    assert (other.labels == Gallery.of(faces.features[100:200]).labels).all()
