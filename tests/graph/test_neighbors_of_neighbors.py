import numpy as np
import pytest

from personae import knn_graph
from personae.data import FaceSet
from personae.graph.exact import nearest_faces
from personae.graph.neighbors_of_neighbors import THROUGH, extended
from tests.planted import made_faces


def longer(features, found, bound):
    parts = [extended(features, found, bound, rows) for rows in ((0, 50), (50, len(bound)))]
    return tuple(np.concatenate(tables) for tables in zip(*parts, strict=True))


@pytest.mark.parametrize("seed", range(4))
def test_those_who_stand_out_for_the_first_that_stand_out_are_taken_in(seed):
    rng = np.random.default_rng(seed)
    features = FaceSet.of(
        rng.integers(-1, 2, size=(90, 4)) + np.array([0, 0, 0, 0.1])
    ).features  # many are equal
    graph = knn_graph(features, 12)
    bound = rng.uniform(0.2, 1.1, len(features)).astype(np.float32)
    neighbors, similarities = longer(features, (graph.neighbors, graph.similarities), bound)
    for face in range(len(features)):
        known = set(graph.neighbors[face].tolist())
        for middle in graph.neighbors[face, :THROUGH][graph.similarities[face, :THROUGH] > bound[face]]:
            known |= set(graph.neighbors[middle][graph.similarities[middle] > bound[middle]].tolist())
        others = np.array(sorted(known - {face}))
        cosines = (features[others].astype(np.float64) @ features[face]).astype(np.float32)
        best = np.argsort(-cosines, kind="stable")[:12]
        assert similarities[face] == pytest.approx(cosines[best], abs=1e-6)
        assert set(neighbors[face].tolist()) <= known - {face}
        pairs = list(zip((-similarities[face]).tolist(), neighbors[face].tolist(), strict=True))
        assert pairs == sorted(pairs)
        assert len(set(neighbors[face].tolist())) == 12


def test_neighbors_that_a_search_missed_are_found_through_others():
    faces = made_faces([12] * 20)
    n = len(faces)
    exact = nearest_faces(faces.features, np.arange(n), 11)
    missed = np.random.default_rng(0).random(exact[0].shape) < 0.4
    rank = np.argsort(missed, axis=1, kind="stable")
    kept = np.sort(missed, axis=1)
    found = [np.take_along_axis(table, rank, axis=1) for table in exact]
    found[0][kept], found[1][kept] = -1, 0
    bound = np.full(n, 0.3, np.float32)
    held = (exact[0][:, :, None] == longer(faces.features, tuple(found), bound)[0][:, None, :]).any(axis=2)
    assert held.mean() > 0.95 > 0.7 > 1 - missed.mean()
