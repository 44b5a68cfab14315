"""People with more faces than the lists of neighbors hold."""

import numpy as np
import pytest

from personae import Auto, Constraints, FaceSet, knn_graph
from personae.clustering import MapEquation
from personae.clustering.full_lists import joined_again
from personae.evaluation import pairwise
from personae.graph.adjacency import canonical_order

K, TAU = 10, 0.5


def crowded():
    """Faces that differ in three ways from their person's, so that each has its neighbors on its own side."""
    rng = np.random.default_rng(0)
    truth = rng.permutation(np.repeat(np.arange(32), [300, 120, *[6] * 10, *[1] * 20]))
    features = np.hstack([np.eye(32)[truth], 0.4 * rng.normal(size=(len(truth), 3))])
    return FaceSet.of(features, truth)


CROWDED = crowded()


def found(faces, constraints=None):
    """The people by the cosines above `TAU`, before and after."""
    graph = knn_graph(faces, K)
    links = graph.at_least(TAU)
    torn = MapEquation().cluster(links, constraints)

    def among(rows):
        return knn_graph(FaceSet(faces.features[rows]), min(K, len(rows) - 1)).at_least(TAU)

    return torn, joined_again(torn, links, canonical_order(graph), among, constraints)


def test_large_people_that_were_torn_are_whole_again():
    torn, joined = found(CROWDED)
    assert pairwise(CROWDED.truth, torn).recall < 0.5
    assert pairwise(CROWDED.truth, joined).f > 0.99


def test_people_are_joined_as_a_whole_and_the_others_stay():
    torn, joined = found(CROWDED)
    for person in np.unique(torn):
        assert len(np.unique(joined[torn == person])) == 1
    small = np.flatnonzero(np.bincount(CROWDED.truth)[CROWDED.truth] < K)
    assert len(np.unique(joined[small])) == len(np.unique(torn[small]))


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


@pytest.mark.parametrize("k", [10, 20])
def test_the_default_holds_with_lists_shorter_than_its_largest_person(k):
    assert pairwise(CROWDED.truth, Auto(k=k).fit(CROWDED).labels_).f > 0.98
