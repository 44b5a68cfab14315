"""Graphs of what other programs found."""

import numpy as np
import pytest

from personae import InputError, KnnGraph, knn_graph
from tests.planted import made_faces


def test_what_another_index_found_makes_the_same_graph():
    faces = made_faces([8, 5, 5, *[1] * 20])
    expected = knn_graph(faces, 6)
    products = faces.features @ faces.features.T
    found = np.argsort(-products, axis=1)[:, :7].astype(np.int64)
    cosines = np.take_along_axis(products, found, axis=1)
    chance = np.random.default_rng(0).permuted(np.tile(np.arange(7), (len(faces), 1)), axis=1)
    turned = [np.take_along_axis(table, chance, axis=1) for table in (found, cosines)]
    for tables in ((found, cosines), turned, [np.hstack([table, table]) for table in turned]):
        graph = KnnGraph.of(*tables)
        assert (graph.neighbors == expected.neighbors).all()
        assert np.allclose(graph.similarities, expected.similarities, atol=1e-6)


def test_short_lists_end_with_nobody():
    graph = KnnGraph.of(
        [[2, 1, -1], [1, -1, -1], [0, 1, 2]], np.array([[0.3, 0.5, 0], [1, 0, 0], [0.3, 0.2, 1]])
    )
    assert graph.neighbors.tolist() == [[1, 2], [-1, -1], [0, 1]]
    assert graph.similarities == pytest.approx(np.array([[0.5, 0.3], [0, 0], [0.3, 0.2]]))
    assert KnnGraph.of([[0], [1]], [[1.0], [1.0]]).k == 0


@pytest.mark.parametrize(
    ("neighbors", "cosines", "says"),
    [
        ([[1], [2]], [[0.5], [0.5]], "2 faces are -1 to 1"),
        ([[1], [0]], [[0.5], [np.nan]], "not finite"),
        ([[1.0], [0.0]], [[0.5], [0.5]], "int32 and float32"),
        ([1, 0], [0.5, 0.5], "of one shape"),
    ],
)
def test_what_is_no_list_of_neighbors_is_refused(neighbors, cosines, says):
    with pytest.raises(InputError, match=says):
        KnnGraph.of(neighbors, cosines)


def test_of_no_faces_there_is_an_empty_graph():
    assert len(KnnGraph.of(np.empty((0, 3), np.int64), np.empty((0, 3)))) == 0
