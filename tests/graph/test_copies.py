"""Copies against all pairs of rows, and what becomes of lists and of constraints."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components

from personae import Constraints, InputError, KnnGraph, knn_graph
from personae.data import FaceSet
from personae.graph import copies as module
from personae.graph import first_seen
from personae.graph.copies import HALF, SAME, TRIES, Copies
from tests.planted import made_faces


def distinct_by_all_pairs(features):
    wide = features.astype(np.float64)
    same = HALF if features.dtype == np.float16 else SAME
    near = np.linalg.norm(wide[:, None] - wide[None], axis=2) < same
    return first_seen(connected_components(near)[1])


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 1e-6, 3e-6]), st.sampled_from([np.float32, np.float16]))
def test_copies_are_those_that_all_pairs_show(seed, noise, dtype):
    rng = np.random.default_rng(seed)
    of = rng.integers(0, 12, 40)
    rows = rng.normal(size=(12, 16))[of]
    features = FaceSet.of(
        rows / np.linalg.norm(rows, axis=1, keepdims=True) + noise * rng.normal(size=rows.shape)
    )
    features = features.features.astype(dtype)
    expected = distinct_by_all_pairs(features)
    copies = Copies.among(features)
    assert (copies.of == expected).all()
    assert (copies.first == np.unique(expected, return_index=True)[1]).all()


def test_faces_that_differ_by_more_than_rounding_are_no_copies(planted):
    assert Copies.among(planted.features) is None
    near = planted.features + 1e-4 / 8 * np.random.default_rng(0).normal(size=planted.features.shape)
    assert Copies.among(FaceSet.of(np.concatenate([planted.features, near])).features) is None


def test_many_copies_of_one_face_are_found_in_one_look_at_each():
    features = np.repeat(made_faces([1, 1]).features, [100_000, 1], axis=0)
    assert Copies.among(features).first.tolist() == [0, 100_000]


def test_rows_that_are_nearly_copies_are_compared_with_few_others(monkeypatch):
    rng, compared, alike = np.random.default_rng(0), [], module._alike
    monkeypatch.setattr(
        module, "_alike", lambda features, a, *rest: compared.append(len(a)) or alike(features, a, *rest)
    )
    rows = rng.normal(size=128) / np.sqrt(128) + 2e-4 / np.sqrt(128) * rng.normal(size=(1000, 128))
    cloud = FaceSet.of(rows).features
    assert Copies.among(cloud) is None
    assert TRIES * 500 < sum(compared) <= TRIES * 1100
    twice = Copies.among(np.concatenate([cloud, cloud]))
    assert (twice.of[:1000] == twice.of[1000:]).mean() > 0.99


@pytest.mark.parametrize("noise", [0.0, 1e-6, 1e-5])
def test_half_precision_hides_no_copy(planted, noise):
    near = planted.features + noise / 8 * np.random.default_rng(0).normal(size=planted.features.shape)
    halves = np.concatenate([planted.features, near]).astype(np.float16)
    assert (Copies.among(halves).of == np.tile(np.arange(len(planted)), 2)).all()


def test_links_of_no_weights_show_no_copies(planted):
    graph = knn_graph(planted, 5)
    assert Copies.listed(KnnGraph(graph.neighbors, np.ones_like(graph.similarities))) is None


def test_the_graph_of_distinct_faces_is_that_of_a_search_among_them(planted):
    of = np.r_[np.arange(280), np.full(40, 7), [9, 9, 30]]
    faces = planted.take(of)
    copies = Copies.among(faces.features)
    found, expected = copies.graph(knn_graph(faces, 20), copies.faces(faces)), knn_graph(planted, 20)
    assert (found.neighbors == expected.neighbors).all()
    assert (found.similarities == expected.similarities).all()


def test_a_graph_shows_copies_unless_it_lists_something_else(planted):
    of = np.r_[np.arange(280), np.full(40, 7), [9, 9, 30]]
    graph = knn_graph(planted.take(of), 20)
    copies = Copies.listed(graph)
    assert (copies.of == of).all()
    lists = copies.graph(graph)
    assert (lists.neighbors[7] == -1).all()  # forty copies leave room for nobody
    assert (
        lists.neighbors[30, :-1] == Copies.among(planted.features[of]).graph(graph).neighbors[30, :-1]
    ).all()
    assert Copies.listed(knn_graph(planted, 20)) is None
    sure = KnnGraph(np.array([[1, 2], [0, 2], [1, 0]], np.int32), np.float32([[1, 0.9], [1, 0.4], [0.9, 0.4]]))
    assert Copies.listed(sure) is None  # probabilities


def test_constraints_of_copies_are_those_of_their_face():
    copies = Copies(np.array([0, 1, 3]), np.array([0, 1, 0, 2], np.int32))
    known = Constraints.of(4, together=[[2, 3]], apart=[[0, 1]], weight=0.5)
    told = copies.constraints(known)
    assert told.group.tolist() == [0, 1, 0]
    assert told.apart.tolist() == [[0, 1]]
    assert told.weight.tolist() == [0.5]


def test_copies_that_are_known_to_be_two_people_are_distinct():
    features = np.eye(4, dtype=np.float32)[[0, 0, 1, 1, 2]]
    apart = Constraints.of(5, apart=[[0, 1]])
    assert Copies.among(features, apart).of.tolist() == [0, 1, 2, 2, 3]
    chain = Constraints.of(5, together=[[1, 2]], apart=[[0, 3]])  # 0 = 1 with 2 = 3, but not 0 with 3
    assert Copies.among(features, chain) is None
    soft = Constraints.of(5, apart=[[0, 1]], weight=0.9)
    assert Copies.among(features, soft).of.tolist() == [0, 0, 1, 1, 2]
    with pytest.raises(InputError, match="constraints are of"):
        Copies.among(features, Constraints.of(4))


def test_faces_stand_for_those_near_to_them(planted):
    graph = knn_graph(planted, 40)
    copies = Copies.near(graph, 0.8)
    leader = copies.first[copies.of]
    cosines = np.einsum("ij,ij->i", planted.features, planted.features[leader])
    assert len(copies.first) < len(planted)
    assert (np.diff(copies.first) > 0).all()
    assert (cosines >= 0.8 - 1e-6).all()
    among = planted.features[copies.first] @ planted.features[copies.first].T
    assert among[~np.eye(len(among), dtype=bool)].max() < 0.8
    assert Copies.near(graph, 1.0) is None


def test_who_stands_for_a_face_does_not_depend_on_the_order(planted):
    order = np.random.default_rng(0).permutation(len(planted))
    before = Copies.near(knn_graph(planted, 40), 0.8)
    after = Copies.near(knn_graph(planted.take(order), 40), 0.8)
    assert (order[after.first[after.of]] == before.first[before.of][order]).all()


def test_near_faces_that_are_held_apart_stand_for_themselves(planted):
    graph = knn_graph(planted, 40)
    copies = Copies.near(graph, 0.8)
    one = int(np.flatnonzero(np.bincount(copies.of) > 1)[0])
    a, b = np.flatnonzero(copies.of == one)[:2]
    held = Copies.near(graph, 0.8, Constraints.of(len(planted), apart=[[a, b]]))
    assert (np.bincount(held.of)[held.of[copies.of == one]] == 1).all()
    assert len(held.first) == len(copies.first) + np.sum(copies.of == one) - 1


def test_a_correction_within_a_moment_leaves_the_other_moments_of_a_person_whole(planted):
    graph = knn_graph(planted, 40)
    copies = Copies.near(graph, 0.75)
    large = np.flatnonzero(np.bincount(copies.of) > 2)[:2]
    one, other = (np.flatnonzero(copies.of == moment) for moment in large)
    known = Constraints.of(len(planted), together=[[*one[1:], *other]], apart=[[one[0], one[1]]])
    held = Copies.near(graph, 0.75, known)
    assert len(np.unique(held.of[other])) == 1
    assert held.of[one[0]] != held.of[one[1]]


def test_distinct_faces_were_who_any_of_their_copies_was():
    copies = Copies(np.array([0, 2]), np.array([0, 0, 1, 1, 1], np.int32))
    assert copies.start(np.array([-1, 7, -1, 4, 5])).tolist() == [7, 4]
    assert copies.start(np.array([-1, -1, 3, -1, -1])).tolist() == [-1, 3]
