import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import personae
from personae import BallClusters, Constraints, FaceSet, InputError, Siamese
from personae.evaluation import bcubed
from personae.methods import ball_clusters as module
from personae.train.balls import tracks_of
from personae.train.plan import Plan
from tests.planted import made_faces

PLAN = Plan(steps=40, learning_rate=0.1, weight_decay=0.0, schedule="cosine", validate_every=10)


@pytest.fixture(scope="module")
def balls():
    return BallClusters(PLAN).fit(made_faces([8] * 40, spread=0.4, seed=1))


@pytest.fixture(scope="module")
def others():
    return made_faces([10] * 15, spread=0.4, seed=2)


def test_people_that_were_not_learned_from_are_found_from_their_tracks(balls, others):
    track = tracks_of(others.truth, 5, np.random.default_rng(0))
    held = Constraints.of(len(others), [np.flatnonzero(track == one) for one in range(track.max() + 1)])
    labels = balls.predict(others, constraints=held)
    assert bcubed(others.truth, labels).f > 0.95
    for one in range(track.max() + 1):
        assert len(set(labels[track == one].tolist())) == 1
    assert 0 < balls.radius_ < 1
    assert balls.validation_ > 0.9


def test_hard_pairs_are_never_joined(balls, others):
    pair = np.flatnonzero(others.truth == 0)[:2]
    labels = balls.predict(others, constraints=Constraints.of(len(others), apart=[pair]))
    assert labels[pair[0]] != labels[pair[1]]


def test_the_clusters_are_complete_linkage_on_squared_distances_cut_at_4_b(balls, others):
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist

    embedded = balls.model_.embedded(others.features).astype(float)
    tree = linkage(pdist(embedded, "sqeuclidean"), "complete")
    expected = fcluster(tree, 4 * balls.model_.squared_radius, "distance")
    assert (personae.graph.first_seen(expected) == balls.predict(others)).all()


def test_a_saved_model_is_read_again(balls, others, tmp_path):
    balls.save(tmp_path / "balls.safetensors")
    again = personae.load(tmp_path / "balls.safetensors")
    assert isinstance(again, BallClusters)
    assert again.radius_ == balls.radius_
    assert (again.predict(others) == balls.predict(others)).all()


def test_training_is_the_same_again_and_goes_on_after_an_interrupt(balls, tmp_path):
    faces = made_faces([8] * 40, spread=0.4, seed=1)

    def stops(done, _):
        if done == 25:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        BallClusters(PLAN).fit(faces, folder=tmp_path, progress=stops)
    resumed = BallClusters(PLAN).fit(faces, folder=tmp_path)
    assert resumed.radius_ == balls.radius_


def test_what_cannot_be_is_refused(balls, others, monkeypatch, tmp_path):
    assert clone(BallClusters(seed=3)).seed == 3
    with pytest.raises(NotFittedError):
        BallClusters().predict(others)
    with pytest.raises(NotFittedError):
        BallClusters().save(tmp_path / "balls.safetensors")
    with pytest.raises(InputError, match="the faces have 3 values"):
        balls.predict(np.eye(3))
    with pytest.raises(InputError, match="constraints are of 2 faces"):
        balls.predict(others, constraints=Constraints.of(2))
    monkeypatch.setattr(module, "MOST", 10)
    with pytest.raises(InputError, match="150 faces are too many for BallClusters"):
        balls.predict(others)
    pair = Constraints.of(len(others), [[0, 1]])
    with pytest.raises(InputError, match="149 faces are too many for BallClusters"):
        balls.fine_tuned(others, constraints=pair)


def test_a_film_of_its_own_teaches_further(balls):
    """Faces that vary along one direction, as in a light of its own: tracks tell which."""
    rng = np.random.default_rng(4)
    faces = made_faces([24] * 12, spread=0.3, seed=6)
    light = np.outer(rng.normal(size=len(faces)), rng.normal(size=64)) / 8
    film = personae.FaceSet.of(faces.features + light, faces.truth)
    track = tracks_of(film.truth, 6, rng)
    held = Constraints.of(len(film), [np.flatnonzero(track == one) for one in range(track.max() + 1)])
    pairs = rng.integers(0, len(film), (60, 2))
    held |= Constraints.of(len(film), apart=pairs[film.truth[pairs[:, 0]] != film.truth[pairs[:, 1]]])
    tuned = balls.fine_tuned(film, constraints=held)
    before, after = (bcubed(film.truth, one.predict(film, constraints=held)).f for one in (balls, tuned))
    assert after > before + 0.05
    assert tuned.radius_ == balls.radius_
    assert balls.predict(film, constraints=held).tolist() == balls.predict(film, constraints=held).tolist()
    with pytest.raises(InputError, match="no two faces are one track"):
        balls.fine_tuned(film, constraints=Constraints.of(len(film)))


def test_the_middle_of_a_ball_is_the_mean_of_its_embedded_tracks(balls, others):
    labels = balls.predict(others)
    found = balls.centroids(others, labels)
    embedded = balls.model_.embedded(others.features).astype(float)
    for one in range(labels.max() + 1):
        mean = embedded[labels == one].mean(axis=0)
        np.testing.assert_allclose(found[one], mean / np.linalg.norm(mean), atol=1e-5)
    every = embedded / np.linalg.norm(embedded, axis=1, keepdims=True)
    np.testing.assert_allclose(balls.centroids(others, np.full(len(others), -1)), every, atol=1e-5)
    with pytest.raises(InputError, match="150 faces but 2 labels"):
        balls.centroids(others, [0, 1])


def test_unknown_faces_are_no_person_to_learn_from():
    faces = made_faces([8] * 10)
    with pytest.raises(InputError, match="the truth is -1 for 8 faces"):
        BallClusters(PLAN).fit(faces.features, np.where(faces.truth == 3, -1, faces.truth))


def test_a_run_of_other_faces_is_not_gone_on_with(tmp_path):
    plan = Plan(steps=2, validate_every=2)
    BallClusters(plan).fit(made_faces([8] * 10), folder=tmp_path)
    with pytest.raises(InputError, match="other faces or settings"):
        BallClusters(plan).fit(made_faces([8] * 10, seed=1), folder=tmp_path)


def test_torch_draws_on_as_if_nothing_had_been_trained(balls):
    faces = made_faces([8] * 10)
    tracks = Constraints.of(len(faces), [np.flatnonzero(faces.truth == one) for one in range(10)])
    plan = Plan(steps=2, validate_every=2)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    BallClusters(plan).fit(faces)
    balls.fine_tuned(faces, constraints=tracks, plan=plan)
    Siamese(plan=plan, pairs="ranked", n_clusters=10).fit(faces, constraints=tracks)
    assert torch.equal(torch.rand(3), expected)


def test_faces_that_cancel_out_are_learned_from_all_the_same():
    faces = made_faces([8] * 10)
    opposed = FaceSet.of(np.concatenate([faces.features, -faces.features]), np.tile(faces.truth, 2))
    method = BallClusters(Plan(steps=4, validate_every=2)).fit(opposed)
    assert np.isfinite(method.radius_)
