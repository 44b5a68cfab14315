import numpy as np
import pytest

from personae import InputError, evaluate, knn_graph, read_faces
from personae.graph import first_seen
from personae.methods.c1c import C1C
from personae.methods.finch import FINCH, codelengths, finest
from tests.planted import made_faces


@pytest.mark.parametrize(
    "sizes",
    [[2] * 100, [3] * 100, [20] * 15, [60, 40, 30], [300, 200, 100]],
    ids=["twos", "threes", "twenties", "large", "larger"],
)
def test_the_level_is_close_to_the_best_whatever_the_sizes(sizes):
    faces = made_faces(sizes, seed=4)
    found = FINCH().fit(faces)
    scores = [evaluate(faces.truth, partition).bcubed.f for partition in found.hierarchy_]
    assert evaluate(faces.truth, found.labels_).bcubed.f > max(scores) - 0.02
    assert max(scores) > 0.95


def test_the_labels_are_the_partition_with_the_shortest_description(planted):
    found = FINCH().fit(planted)
    assert found.hierarchy_.shape == (len(found.codelengths_), len(planted))
    assert len(found.codelengths_) > 2
    assert (found.labels_ == found.hierarchy_[found.codelengths_.argmin()]).all()


def test_the_finest_of_equal_partitions_is_taken_whatever_rounding_says():
    assert finest(np.array([3.0, 2.0 + 4e-16, 2.0, 2.5])) == 1
    assert finest(np.array([3.0, 2.0 + 1e-6, 2.0, 2.5])) == 2


def test_a_longer_graph_that_is_there_already_is_taken(planted):
    plain = FINCH(k=30).fit(planted)
    found = FINCH(k=30).fit(planted, graph=knn_graph(planted, 50))
    assert (found.hierarchy_ == plain.hierarchy_).all()
    assert (found.codelengths_ == plain.codelengths_).all()


def test_other_graphs_are_refused(planted):
    graph = knn_graph(planted.take(np.arange(50)), 10)
    with pytest.raises(InputError, match="50 faces and there are 280"):
        FINCH().fit(planted, graph=graph)
    with pytest.raises(InputError, match="needs features"):
        FINCH().fit(graph)


def test_one_child_and_lone_faces_are_not_torn_into_pairs():
    faces = made_faces([150, *[1] * 50])
    pairs, everybody = np.arange(200) // 2, np.zeros(200)
    hierarchy = np.array([pairs, everybody], np.int32)
    assert codelengths(faces, knn_graph(faces, 80), hierarchy, 1e-3).argmin() == 1


def test_any_number_of_people_can_be_asked_for():
    faces = made_faces([20] * 15, seed=4)
    for clusters in (1, 15, 40, 300):
        labels = FINCH(n_clusters=clusters).fit_predict(faces)
        assert labels.max() + 1 == clusters
        assert (first_seen(labels) == labels).all()
    assert evaluate(faces.truth, FINCH(n_clusters=15).fit_predict(faces)).bcubed.f > 0.9
    for wrong in (0, 301):
        with pytest.raises(InputError, match=f"{wrong} clusters are asked for; 300 faces make 1 to 300"):
            FINCH(n_clusters=wrong).fit(faces)


@pytest.mark.parametrize("alpha", [0, -1e-3, np.nan])
@pytest.mark.parametrize("method", [FINCH, C1C])
def test_an_alpha_that_is_no_number_of_false_links_is_refused(method, alpha, planted):
    with pytest.raises(InputError, match=f"^alpha is {alpha}; it needs to be above 0"):
        method(alpha=alpha).fit(planted)


@pytest.mark.data
@pytest.mark.parametrize("embedder", ["sface", "dlib"])
def test_the_level_is_the_best_one_for_people_with_a_dozen_faces_or_more(shared, embedder):
    faces = read_faces(shared / "data" / f"train.{embedder}.npz")
    large = faces.take(np.bincount(faces.truth)[faces.truth] >= 12)
    found = FINCH().fit(large)
    scores = [evaluate(large.truth, partition).pairwise.f for partition in found.hierarchy_]
    assert found.codelengths_.argmin() == np.argmax(scores)
    assert max(scores) >= 0.84


@pytest.mark.data
def test_on_lone_faces_it_is_as_weak_as_its_page_says(shared):
    faces = read_faces(shared / "data" / "lfw.sface.npz")
    score = evaluate(faces.truth, FINCH().fit_predict(faces))
    assert score.pairwise.f == pytest.approx(0.453, abs=0.02)
    assert score.bcubed.f == pytest.approx(0.461, abs=0.02)
