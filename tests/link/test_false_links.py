"""How much of a face's own is believed, and how close a link must be for few to be false."""

import numpy as np
import pytest
from scipy.stats import norm

from personae import FaceSet, knn_graph
from personae.graph import KnnGraph
from personae.link import Sample, Strangers, strangers_of
from personae.link.false_links import (
    BELIEVED,
    SHARES,
    USUAL,
    StrangerPairs,
    bell_line,
    least_widths,
    lightest_tail,
    tail_of,
)
from personae.link.strangers import bell_floor
from tests.planted import made_faces


def crowd(own):
    """400 strangers; `own` is how much nearer to everybody some of them are than others."""
    rng = np.random.default_rng(3)
    features = rng.normal(size=(400, 48)) / 48**0.5
    features[:, 0] += own * rng.random(400)
    return FaceSet.of(features)


def test_what_is_a_faces_own_is_believed_and_what_is_chance_is_not():
    everybody, labels = np.arange(400), np.arange(400, dtype=np.int32)
    for own, wrong in ((1.5, False), (0.0, True)):
        faces = crowd(own)
        sample = Sample.among(faces.features, knn_graph(faces, 10), 400)
        found = strangers_of(faces.features, sample, side="near")
        if wrong:
            chance = np.random.default_rng(4).normal(size=400)
            found = Strangers(found.level + found.spread * chance, found.spread)
        pairs = StrangerPairs.among(faces.features, everybody, sample, labels)
        share = lightest_tail(found, pairs)
        assert share <= 0.25 if wrong else share >= 0.75


def test_a_tail_is_the_quantile_of_the_widths_between_strangers(planted):
    graph = knn_graph(planted, 10)
    sample = Sample.among(planted.features, graph, 60)
    found = strangers_of(planted.features, sample, side="near", labels=planted.truth)
    rows = np.arange(0, len(planted), 3)
    tails = []
    for share in BELIEVED:
        level = np.median(found.level) + share * (found.level - np.median(found.level))
        spread = np.exp(np.log(np.median(found.spread)) * (1 - share) + share * np.log(found.spread))
        z = [
            np.mean(
                [(level[f] - np.log(1 - planted.features[i] @ planted.features[j])) / spread[f] for f in (i, j)]
            )
            for i in rows
            for j in sample.face
            if planted.truth[i] != planted.truth[j]
        ]
        tails.append(np.quantile(z, 1 - SHARES[-1]))
    pairs = StrangerPairs.among(planted.features, rows, sample, planted.truth)
    assert lightest_tail(found, pairs) == BELIEVED[int(np.argmin(tails))]


def test_one_person_leaves_nothing_to_choose_by():
    faces = crowd(0.0)
    sample = Sample.among(faces.features, knn_graph(faces, 10), 50)
    found = strangers_of(faces.features, sample, side="near")
    one = np.zeros(400, np.int32)
    assert lightest_tail(found, StrangerPairs.among(faces.features, np.arange(400), sample, one)) == 1


@pytest.mark.parametrize("stretch", [1.1, 1.4, 2.0])
def test_the_line_takes_strangers_to_the_normal_curve(stretch):
    z = norm.isf((np.arange(200_000) + 0.5) / 200_000) * stretch + 0.2
    slope, shift = bell_line(z)
    assert slope == pytest.approx(1 / stretch, abs=0.01)
    assert shift == pytest.approx(-0.2 / stretch, abs=0.02)


@pytest.mark.parametrize("torn", [2e-4, 6e-4, 5e-3, 5e-2])
def test_faces_of_a_person_who_was_torn_apart_are_not_taken_for_strangers(torn):
    z = norm.isf((np.arange(1_000_000) + 0.5) / 1_000_000) * 1.3 - 0.3
    mixed = np.concatenate([z, np.random.default_rng(0).normal(12, 3, int(torn * len(z)))])
    assert len(tail_of(z)) == len(SHARES) > len(tail_of(mixed))
    slope, shift = bell_line(mixed)
    if torn < 4e-3:
        assert slope == pytest.approx(1 / 1.3, abs=0.1)
        assert shift == pytest.approx(0.3 / 1.3, abs=0.25)
    else:
        assert (slope, shift) == USUAL


def test_too_few_strangers_are_taken_for_the_usual_ones_and_too_light_tails_for_normal():
    assert bell_line(np.linspace(-2, 2, 500)) == USUAL
    assert bell_line(norm.isf((np.arange(200_000) + 0.5) / 200_000) * 0.7) == (1.0, 0.0)  # a tail cut off
    assert bell_line(np.empty(0)) == USUAL


@pytest.mark.parametrize("apart", [2.0, 10.0])
def test_two_faces_are_one_person_if_they_are_nearer_than_strangers_come(apart):
    strangers = Strangers(np.zeros(2), np.ones(2))
    cosine = 1 - np.exp(-np.float32(apart))
    graph = KnnGraph(np.array([[1], [0]], np.int32), np.full((2, 1), cosine))
    others = np.array([[1], [0]])
    pairs = StrangerPairs(np.arange(2), others, graph.similarities, np.ones((2, 1), bool), np.arange(2))
    assert (least_widths(strangers, pairs, graph, [0.2], bell_floor(1e-3, 2))[0] < apart) == (apart > 5)


def looked_at(sizes):
    faces = made_faces(sizes, d=24, spread=1.0, seed=2)
    graph = knn_graph(faces, 40)
    sample = Sample.among(faces.features, graph, 1024)
    found = strangers_of(faces.features, sample, side="near", labels=faces.truth)
    return faces, graph, found, StrangerPairs.among(faces.features, sample.face, sample, faces.truth)


def test_few_links_at_the_least_width_are_false():
    faces, graph, found, pairs = looked_at([*[10] * 60, *[1] * 200])
    z = found.widths(np.arange(len(faces)), graph.neighbors, graph.similarities)
    false = faces.truth[graph.neighbors] != faces.truth[:, None]
    shares = (0.05, 0.2, 0.5)
    own = bell_floor(1e-3, len(faces))
    slope, shift = bell_line(pairs.widths(found))
    own_links = (slope * z + shift > own).sum(axis=1, keepdims=True)
    weight = np.broadcast_to(1 / np.maximum(own_links, 1), z.shape)
    for share, floor in zip(shares, least_widths(found, pairs, graph, shares, own), strict=True):
        near = (z > floor) & (z < floor + 0.4)
        assert near.sum() > 60
        assert abs(np.average(false[near], weights=weight[near]) - share) < 0.5 * share


def test_where_people_have_many_faces_links_may_be_longer():
    floors = [
        least_widths(*(looked_at(sizes)[i] for i in (2, 3, 1)), [0.2], 4.0)[0]
        for sizes in ([1] * 600, [5] * 120, [20] * 30)
    ]
    assert floors[0] > floors[1] > floors[2]


def test_links_between_lone_faces_are_never_close_enough():
    faces, graph, found, pairs = looked_at([1] * 600)
    widths = found.widths(np.arange(len(faces)), graph.neighbors, graph.similarities)
    assert least_widths(found, pairs, graph, [0.2], 4.0)[0] > widths.max()


def test_of_few_strangers_the_body_tells_the_line_too():
    widths = 1.3 * norm.isf((np.arange(1500) + 0.5) / 1500)
    slope, shift = bell_line(widths)
    assert slope == pytest.approx(1 / 1.3, abs=0.02)
    assert shift == pytest.approx(0, abs=0.02)


def test_a_face_has_as_many_strangers_as_there_are_faces_of_others():
    faces = made_faces([140, *[1] * 60], spread=1.0, seed=0)
    graph, labels = knn_graph(faces, 80), faces.truth.astype(np.int32)
    sample = Sample.among(faces.features, graph, 200)
    found = strangers_of(faces.features, sample, side="near", labels=labels)
    pairs = StrangerPairs.among(faces.features, np.arange(200), sample, labels)
    assert least_widths(found, pairs, graph, [0.6], bell_floor(1e-3, 200))[0] > 2
