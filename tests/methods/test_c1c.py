import numpy as np

from personae import C1C, Constraints
from personae.evaluation import bcubed
from personae.methods import FINCH
from personae.train.balls import tracks_of
from tests.planted import made_faces


def test_tracks_of_a_film_are_its_people():
    faces = made_faces([40] * 12, spread=1.2, seed=3)
    track = tracks_of(faces.truth, 9, np.random.default_rng(0))
    held = Constraints.of(len(faces), [np.flatnonzero(track == one) for one in range(track.max() + 1)])
    found = C1C().fit(faces, constraints=held)
    assert bcubed(faces.truth, found.labels_).f > 0.98
    assert bcubed(faces.truth, FINCH().fit_predict(faces)).f < bcubed(faces.truth, found.labels_).f
    for one in range(track.max() + 1):
        assert len(set(found.labels_[track == one].tolist())) == 1
    known = C1C(n_clusters=12).fit(faces, constraints=held)
    assert known.labels_.max() + 1 == 12
    assert bcubed(faces.truth, known.labels_).f > 0.98


def test_without_constraints_it_is_finch(planted):
    one, other = C1C().fit(planted), FINCH().fit(planted)
    assert (one.labels_ == other.labels_).all()
    assert (one.hierarchy_ == other.hierarchy_).all()
