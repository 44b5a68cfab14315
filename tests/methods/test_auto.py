import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.preprocessing import StandardScaler

from personae import Auto, FaceSet, InputError, evaluate, knn_graph
from personae.data import SyntheticIdentities, synthetic_faces
from personae.data.synthetic_embedder import like_sface
from personae.graph.knn_graph import NOBODY
from personae.link.large_people import large_people
from personae.link.strangers import Sample
from personae.methods import auto
from tests.planted import made_faces


@pytest.mark.parametrize(
    "sizes",
    [
        [1] * 200,
        [2] * 100,
        [5] * 60,
        [20] * 15,
        [60, 40, 30, *[1] * 100],
        [30, 30, 30],
        [15, 15],
        [60, 30, 10],
        [80, 5, 5, 5, 5],
        [90, *[1] * 10],
        [190, 4, *[1] * 6],
        [27, 1, 1, 1],
        [50, 50],
    ],
    ids=str,
)
def test_people_are_found_whatever_their_sizes(sizes):
    faces = made_faces(sizes, seed=4)
    assert evaluate(faces.truth, Auto().fit_predict(faces)).bcubed.f > 0.95


@pytest.mark.parametrize("offset", [0.0, 1.0, 2.0])
def test_the_embedders_scale_of_cosines_does_not_matter(offset):
    faces = made_faces([30, *[8] * 20, *[1] * 60], seed=1)
    moved = faces.features + offset * np.eye(64)[0]
    assert evaluate(faces.truth, Auto().fit_predict(moved)).bcubed.f > 0.95


def test_a_graph_that_is_there_already_is_not_searched_again(planted):
    assert (Auto().fit(planted, graph=knn_graph(planted)).labels_ == Auto().fit(planted).labels_).all()


def test_a_graph_of_shorter_lists_is_refused(planted):
    short = knn_graph(planted, 10)
    with pytest.raises(InputError, match="holds 10 neighbors a face and 80 are asked for"):
        Auto().fit(planted, graph=short)
    assert (Auto(k=10).fit(planted, graph=short).labels_ == Auto(k=10).fit(planted).labels_).all()


def test_strangers_from_elsewhere_let_one_person_be_found():
    crowd = made_faces([12, *[1] * 60], seed=3)
    alone = crowd.truth == 0
    assert Auto(strangers=crowd.features[~alone]).fit(crowd.features[alone]).labels_.max() == 0


def test_confidence_is_high_for_planted_people(planted):
    found = Auto().fit(planted)
    assert found.confidence_.shape == (len(planted),)
    assert np.median(found.confidence_) > 0.9


def test_few_people_who_are_more_alike_than_strangers_from_elsewhere_are_told_apart():
    some, others = (
        synthetic_faces(SyntheticIdentities(faces=1200, people=300, embedder=like_sface(), seed=seed))
        for seed in (5, 3)
    )
    strangers = others.features[np.unique(others.truth, return_index=True)[1]][:100]
    few = some.take(np.flatnonzero(some.truth < 12)[:30])
    alike = np.random.default_rng(1).normal(size=few.dimension)
    family = FaceSet.of(0.45 * alike / np.linalg.norm(alike) + 0.89 * few.features)
    assert np.median(family.features @ family.features.T) > 0.25
    found = Auto(strangers=strangers).fit(family).labels_
    assert evaluate(few.truth, found).bcubed.f > 0.9


def test_strangers_of_another_dimension_are_refused(planted):
    with pytest.raises(InputError, match="strangers"):
        Auto(strangers=np.eye(3)).fit(planted)


def test_a_target_is_reached_by_asking_for_closer_links():
    faces = made_faces([30, *[8] * 20, *[1] * 60], d=24, spread=1.0, seed=1)
    plain = Auto().fit(faces)
    target = (plain.expected_.pairwise.precision + 1) / 2
    strict = Auto(target_precision=target).fit(faces)
    assert strict.false_links_ < plain.false_links_ == 0.2
    assert strict.expected_.pairwise.precision > plain.expected_.pairwise.precision
    assert strict.labels_.max() > plain.labels_.max()


@pytest.mark.parametrize("target", [0.0, 1.0, 95])
def test_a_target_that_is_no_share_is_refused(planted, target):
    with pytest.raises(InputError, match="target_precision"):
        Auto(target_precision=target).fit(planted)


def test_large_people_who_fall_apart_were_none(monkeypatch):
    rows = StandardScaler().fit_transform(make_blobs(n_samples=50, random_state=1)[0])
    faces = FaceSet.of(rows)
    graph = knn_graph(faces, 49)
    assert large_people(faces.features, Sample.among(faces.features, graph, 1024)).max() == 1
    found = Auto().looks(faces, graph).unconstrained()
    assert found.max() == 2
    monkeypatch.setattr(auto, "large_people", lambda features, _: np.full(len(features), NOBODY, np.int32))
    assert (found == Auto().looks(faces, graph).unconstrained()).all()


def test_people_found_before_are_found_again(planted):
    found = Auto().fit(planted).labels_
    assert (Auto().fit(planted, start=found).labels_ == found).all()


def test_a_start_takes_the_place_of_the_first_look_and_binds_nobody(planted, monkeypatch):
    found = Auto().fit(planted).labels_
    torn = np.where(np.arange(len(planted)) % 2, found, NOBODY)
    monkeypatch.setattr(Auto, "first_look", None)
    assert evaluate(found, Auto().fit(planted, start=torn).labels_).bcubed.f > 0.98


def test_a_start_without_strangers_tells_nothing(planted):
    one = np.zeros(len(planted), dtype=int)
    assert (Auto().fit(planted, start=one).labels_ == Auto().fit(planted).labels_).all()


@pytest.mark.parametrize("start", [[0, 1], [0.5] * 200, [["a"] * 200]], ids=["short", "shares", "names"])
def test_a_start_of_other_faces_or_no_integers_is_refused(start):
    with pytest.raises(InputError, match="start"):
        Auto().fit(made_faces([20] * 10), start=start)


def test_a_start_is_of_all_copies(planted):
    found, twice = Auto().fit(planted).labels_, np.r_[np.arange(len(planted)), 0, 1]
    assert (Auto().fit(planted.features[twice], start=found[twice]).labels_ == found[twice]).all()


def test_no_faces_are_refused():
    with pytest.raises(InputError, match="no faces; give at least one"):
        Auto().fit(FaceSet(np.empty((0, 8), np.float32)))
