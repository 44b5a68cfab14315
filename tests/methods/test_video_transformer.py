from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone

from personae import HAC, Auto, Constraints, FaceSet, InputError, Siamese, VideoTransformer
from personae.evaluation import bcubed
from personae.methods import OF_FILMS
from personae.methods.estimator import PRECISION, people_of, tracks_of
from personae.train.plan import Plan

PLAN = Plan(steps=60, optimizer="adamw", learning_rate=4e-3, schedule="cosine", warmup=5, validate_every=60)
PEOPLE, TRACKS, FRAMES, D = 12, 8, 6, 24


@pytest.fixture(scope="module")
def film():
    """Tracks half of whose frames show the same blur, or somebody else; each overlaps another's."""
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(PEOPLE), TRACKS)
    track = np.repeat(np.arange(len(person)), FRAMES)
    centres = rng.normal(size=(PEOPLE, D)) / np.sqrt(D)
    shown = np.where(rng.random(len(track)) < 0.2, rng.integers(0, PEOPLE, len(track)), person[track])
    features = centres[shown] + 0.8 * rng.normal(size=(len(track), D)) / np.sqrt(D)
    blurred = rng.random(len(track)) < 0.5
    features[blurred] = 0.3 * features[blurred] + rng.normal(size=D) / np.sqrt(D)
    groups = [np.flatnonzero(track == one) for one in range(len(person))]
    apart = [[groups[a][0], groups[-1 - a][0]] for a in range(len(person) // 2)]
    return FaceSet.of(features, person[track]), Constraints.of(len(track), groups, apart)


def people_of_averages(faces, held):
    averages, apart, track = tracks_of(faces, held)
    return people_of(averages.features, apart, n_clusters=PEOPLE)[track]


def worth(method, film):
    faces, held = film
    return bcubed(faces.truth, method.fit(faces, constraints=held).labels_).f


def test_it_beats_the_temporal_average_where_frames_are_bad(film):
    faces, held = film
    average = people_of_averages(faces, held)
    learned = VideoTransformer(n_clusters=PEOPLE, plan=PLAN)
    assert worth(learned, film) > bcubed(faces.truth, average).f + 0.05
    assert learned.tracks_.shape == (PEOPLE * TRACKS, 2 * D)


def test_it_is_the_temporal_average_where_all_frames_are_good(film):
    faces, held = film
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(PEOPLE, D))
    clean = FaceSet.of(centres[faces.truth] + 0.2 * rng.normal(size=(len(faces), D)), faces.truth)
    found = VideoTransformer(plan=PLAN).fit(clean, constraints=held)
    averages, _, _ = tracks_of(clean, held)
    np.testing.assert_allclose(
        found.tracks_ @ found.tracks_.T, averages.features @ averages.features.T, atol=1e-6
    )


@pytest.mark.parametrize("method", OF_FILMS.values(), ids=OF_FILMS)
def test_what_is_known_of_tracks_holds(method, film):
    faces, held = film
    found = method(plan=replace(PLAN, steps=10, validate_every=10)).fit(faces, constraints=held)
    labels = found.labels_
    assert (labels[held.hard[:, 0]] != labels[held.hard[:, 1]]).all()
    for one in range(held.group.max() + 1):
        assert len(set(labels[held.group == one].tolist())) == 1
    again = clone(found).fit(faces, constraints=held)
    assert (again.labels_ == labels).all()
    assert (again.tracks_ == found.tracks_).all()


def test_nobody_has_to_choose_a_threshold():
    rng = np.random.default_rng(2)
    vectors = FaceSet.of(np.repeat(np.eye(30), 3, axis=0) + 0.05 * rng.normal(size=(90, 30))).features
    apart = Constraints.of(90, apart=[[0, 1]])
    found = people_of(vectors, apart)
    assert (found == Auto(target_precision=PRECISION).fit(vectors, constraints=apart).labels_).all()
    assert found[0] != found[1]
    for cut in ({"tau": 0.5}, {"n_clusters": 31}):
        assert (
            people_of(vectors, apart, **cut) == HAC("average", **cut).fit(vectors, constraints=apart).labels_
        ).all()


def test_pairs_of_either_kind_find_the_people_of_clean_tracks(film):
    faces, held = film
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(PEOPLE, D))
    clean = FaceSet.of(centres[faces.truth] + 0.5 * rng.normal(size=(len(faces), D)), faces.truth)
    for pairs in ("tracks", "ranked"):
        assert worth(Siamese(pairs, n_clusters=PEOPLE, plan=PLAN), (clean, held)) > 0.98


def test_what_cannot_be_is_refused(film):
    faces, held = film
    with pytest.raises(InputError, match="two tracks are needed"):
        VideoTransformer().fit(faces)
    with pytest.raises(InputError, match="constraints are of 2 faces"):
        VideoTransformer().fit(faces, constraints=Constraints.of(2))
    with pytest.raises(InputError, match="pairs is 'all'"):
        Siamese("all").fit(faces, constraints=held)
