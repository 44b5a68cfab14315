"""People with more faces than the lists of neighbors hold."""

import numpy as np
import pytest

from personae import Auto, Constraints, FaceSet, evaluate, knn_graph
from personae.clustering import MapEquation
from personae.clustering.full_lists import joined_again, joined_by_links
from personae.clustering.looks import people
from personae.evaluation import pairwise
from personae.graph.components import first_seen
from personae.link.strangers import Strangers
from tests.planted import made_faces

K, FLOOR = 10, 3.0


def crowded():
    """Faces that differ in three ways from their person's, so that each has its neighbors on its own side."""
    rng = np.random.default_rng(0)
    truth = rng.permutation(np.repeat(np.arange(32), [300, 120, *[6] * 10, *[1] * 20]))
    features = np.hstack([np.eye(32)[truth], 0.4 * rng.normal(size=(len(truth), 3))])
    return FaceSet.of(features, truth)


CROWDED = crowded()


def found(faces, constraints=None):
    """The people by the links above `FLOOR`, before and after."""
    graph = knn_graph(faces, K)
    strangers = Strangers(np.zeros(len(faces)), np.full(len(faces), 0.2))
    torn = MapEquation().cluster(strangers.link(graph, FLOOR), constraints)
    return torn, joined_again(torn, faces.features, graph, strangers, FLOOR, constraints)


def test_large_people_that_were_torn_are_whole_again():
    torn, joined = found(CROWDED)
    assert pairwise(CROWDED.truth, torn).recall < 0.5
    assert pairwise(CROWDED.truth, joined).f > 0.98


def test_groups_are_joined_as_a_whole_and_small_ones_stay():
    torn, joined = found(CROWDED)
    for person in np.unique(torn):
        assert len(np.unique(joined[torn == person])) == 1
    small = np.flatnonzero(np.bincount(torn)[torn] < K)
    assert len(np.unique(joined[small])) == len(np.unique(torn[small]))


def test_groups_that_are_less_alike_than_linked_faces_stay_apart():
    rng = np.random.default_rng(1)
    truth = np.repeat(np.arange(12), 30).astype(np.int32)
    centres = 0.6 * np.eye(40)[39] + 0.8 * np.eye(40)[:12]
    alike = FaceSet.of(centres[truth] + 0.07 * rng.normal(size=(len(truth), 40)))
    given = (
        truth,
        alike.features,
        knn_graph(alike, K),
        Strangers(np.zeros(len(truth)), np.full(len(truth), 0.2)),
    )
    assert joined_again(*given, 1.0).max() < 11
    assert (joined_again(*given, 2.5) == truth).all()


def test_people_torn_by_close_links_are_joined_by_looser_ones():
    graph, strangers = knn_graph(CROWDED, K), Strangers(np.zeros(len(CROWDED)), np.full(len(CROWDED), 0.2))
    strict, looser = (people(CROWDED, graph, strangers, [floor, 9.0, 10.0]) for floor in (9.0, 6.0))
    assert pairwise(CROWDED.truth, strict).recall < 0.6
    assert pairwise(CROWDED.truth, looser).f > 0.98
    for person in np.unique(strict):
        assert len(np.unique(looser[strict == person])) == 1


def test_hard_pairs_stay_apart():
    first = np.flatnonzero(CROWDED.truth == 0)
    constraints = Constraints.of(len(CROWDED), apart=[(first[0], other) for other in first[1:4]])
    _, joined = found(CROWDED, constraints)
    assert (joined[first[1:4]] != joined[first[0]]).all()


def test_the_order_of_the_faces_does_not_matter():
    order = np.random.default_rng(0).permutation(len(CROWDED))
    _, joined = found(CROWDED)
    _, turned = found(FaceSet(CROWDED.features[order]))
    assert pairwise(joined[order], turned).f == 1


@pytest.mark.parametrize("k", [5, 10, 20])
def test_the_default_holds_with_lists_much_shorter_than_its_largest_person(k):
    faces = made_faces([300, 120, *[6] * 10, *[1] * 20])
    score = evaluate(faces.truth, Auto(k=k).fit(faces).labels_)
    assert min(score.pairwise.f, score.bcubed.f) > 0.97


def cosines_above(faces, tau):
    """The links of some faces alone."""

    def asked(rows):
        graph = knn_graph(faces.take(rows), K)
        return graph.where(graph.similarities > tau)

    return asked


def test_people_torn_on_the_links_of_a_model_are_whole_again():
    asked = cosines_above(CROWDED, 0.5)
    links = asked(np.arange(len(CROWDED)))
    torn = MapEquation().cluster(links)
    joined = joined_by_links(torn, links, asked)
    assert pairwise(CROWDED.truth, torn).recall < 0.5
    assert pairwise(CROWDED.truth, joined).f > 0.98
    for person in np.unique(torn):
        assert len(np.unique(joined[torn == person])) == 1
    order = np.random.default_rng(0).permutation(len(CROWDED))
    mixed = cosines_above(CROWDED.take(order), 0.5)
    again = joined_by_links(torn[order], mixed(np.arange(len(order))), mixed)
    assert (first_seen(again) == first_seen(joined[order])).all()


def test_groups_stay_apart_where_the_model_links_nobody_of_the_few():
    links = cosines_above(CROWDED, 0.5)(np.arange(len(CROWDED)))
    torn = MapEquation().cluster(links)
    joined = joined_by_links(torn, links, cosines_above(CROWDED, 2.0))
    assert (joined == torn).all()


def test_nobody_is_asked_where_no_lists_are_full():
    faces = made_faces([4, 3, 3, 1, 1], d=8)
    links = knn_graph(faces, K).at_least(0.5)
    torn = MapEquation().cluster(links)

    def asked(rows):
        raise AssertionError

    assert (joined_by_links(torn, links, asked) == torn).all()
