import numpy as np
import pytest

from personae import Auto, Constraints, FaceSet, InputError, cluster, evaluate, knn_graph
from personae.data import SyntheticIdentities, synthetic_faces
from personae.data.synthetic_embedder import like_sface
from personae.graph.knn_graph import NOBODY
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
    assert cluster(crowd.features[alone], strangers=crowd.features[~alone]).max() == 0


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
    few, found = some.take(np.flatnonzero(some.truth < 12)[:30]), []
    for seed in range(5):
        alike = np.random.default_rng(seed).normal(size=few.dimension)
        family = FaceSet.of(0.45 * alike / np.linalg.norm(alike) + 0.89 * few.features)
        assert np.median(family.features @ family.features.T) > 0.25
        found.append(evaluate(few.truth, Auto(strangers=strangers).fit_predict(family)).bcubed.f)
    assert np.mean(found) > 0.9


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


def test_large_people_who_fall_apart_were_none(planted, monkeypatch):
    graph = knn_graph(planted, 80)
    found = Auto().looks(planted, graph).unconstrained()
    two_as_one = np.where(planted.truth < 2, 0, NOBODY).astype(np.int32)
    monkeypatch.setattr(auto, "large_people", lambda *_: two_as_one)
    assert (found == Auto().looks(planted, graph).unconstrained()).all()


@pytest.mark.parametrize("sizes", [[200] * 3, [200] * 5, [100] * 10, [90] * 24], ids=str)
@pytest.mark.parametrize("spread", [0.6, 1.0])
def test_people_who_all_fill_their_lists_are_not_taken_for_one(sizes, spread):
    faces = made_faces(sizes, spread=spread)
    assert evaluate(faces.truth, Auto().fit_predict(faces)).bcubed.f > 0.99


@pytest.mark.parametrize("times", [4, 30, 100])
@pytest.mark.parametrize("noise", [0.05, 0.2])
def test_pictures_of_one_moment_count_once(times, noise):
    once = made_faces([4] * 20)
    rows = np.repeat(once.features, times, axis=0)
    rng = np.random.default_rng(0)
    faces = FaceSet.of(
        rows + noise / np.sqrt(once.dimension) * rng.normal(size=rows.shape), np.repeat(once.truth, times)
    )
    found = Auto().fit(faces)
    assert evaluate(faces.truth, found.labels_).bcubed.f > 0.97
    assert found.labels_[0] == 0
    assert found.confidence_.shape == found.labels_.shape
    assert len(found.expected_.people) == found.labels_.max() + 1


def test_moments_of_a_person_that_are_no_copies_leave_it_whole():
    once = made_faces([4] * 100)
    rows = np.repeat(once.features, 30, axis=0)
    noise = 0.4 / np.sqrt(once.dimension) * np.random.default_rng(0).normal(size=rows.shape)
    faces = FaceSet.of(rows + noise, np.repeat(once.truth, 30))
    assert evaluate(faces.truth, Auto().fit_predict(faces)).bcubed.f > 0.9


def test_a_start_and_constraints_hold_for_all_faces_of_a_moment(planted):
    rng = np.random.default_rng(0)
    rows = np.repeat(planted.features, 3, axis=0)
    faces = FaceSet.of(rows + 0.1 / 8 * rng.normal(size=rows.shape), np.repeat(planted.truth, 3))
    found = Auto().fit(faces, start=faces.truth, constraints=Constraints.of(len(faces), apart=[[0, 2]])).labels_
    assert found[0] != found[2]
    assert evaluate(faces.truth, found).bcubed.f > 0.98
    with pytest.raises(InputError, match="start is"):
        Auto().fit(faces, start=faces.truth[1:])


def test_looks_at_all_faces_say_of_any_rung_what_those_at_distinct_ones_say(planted):
    looks, rung = Auto().fit_looks(planted.take(np.repeat(np.arange(len(planted)), 2)))
    for other in (rung, len(looks.floors) - 1):
        labels = looks.labels(other)
        assert (labels[::2] == labels[1::2]).all()


def test_people_found_before_are_found_again(planted):
    found = Auto().fit(planted).labels_
    assert (Auto().fit(planted, start=found).labels_ == found).all()


def test_a_start_takes_the_place_of_the_first_look_and_binds_nobody(planted, monkeypatch):
    found = Auto().fit(planted).labels_
    torn = np.where(np.arange(len(planted)) % 2, found, NOBODY)
    monkeypatch.setattr(Auto, "first_look", None)
    assert evaluate(found, Auto().fit(planted, start=torn).labels_).bcubed.f > 0.98


@pytest.mark.parametrize("known", [0.0, 0.6])
def test_who_has_most_of_the_faces_is_found_from_a_start_that_knows_few(known):
    faces = made_faces([300, *[10] * 30])
    start = np.where(np.random.default_rng(0).random(len(faces)) < known, faces.truth, NOBODY)
    assert evaluate(faces.truth, Auto().fit(faces, start=start).labels_).bcubed.f > 0.98


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


def test_strangers_of_another_dimension_are_refused_before_the_search(planted, monkeypatch):
    monkeypatch.setattr(auto, "graph_of", None)
    with pytest.raises(InputError, match="strangers have 3 values, the faces 64"):
        Auto(strangers=np.eye(3)).fit(planted)


def test_of_many_strangers_some_are_looked_at(planted):
    many = np.random.default_rng(0).normal(size=(5000, 64))
    sample = Auto(strangers=many).compared_with(planted, knn_graph(planted, 20))
    assert (sample.face < 0).sum() == 1024


def test_what_to_expect_is_open_where_it_was_not_learned(planted):
    assert Auto().unforeseen(200, 30) == ""
    assert "20%" in Auto(false_links=0.9).unforeseen(200, 30)
    assert "strangers" in Auto().unforeseen(200, 198)
    assert "strangers" in Auto().unforeseen(30, 10)
    assert Auto(strangers=planted.features).unforeseen(30, 30) == ""
    with pytest.raises(InputError, match="give one of the two"):
        Auto(false_links=0.5, target_precision=0.99).fit(planted)


def test_no_faces_are_refused():
    with pytest.raises(InputError, match="no faces; give at least one"):
        Auto().fit(FaceSet(np.empty((0, 8), np.float32)))
