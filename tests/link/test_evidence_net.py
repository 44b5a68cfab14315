"""How many neighbors a model of evidence asks."""

import numpy as np
import pytest

from personae import KnnGraph
from personae.graph.lists import in_reach


@pytest.mark.parametrize(("faces", "k", "asked"), [(200, 80, 10), (200, 5, 5), (1000, 80, 20), (4000, 80, 80)])
def test_a_small_collection_is_asked_for_fewer_neighbors(faces, k, asked):
    neighbors = (np.arange(faces)[:, None] + np.arange(1, k + 1)) % faces
    graph = KnnGraph(
        neighbors.astype(np.int32), np.linspace(1, 0, k, dtype=np.float32) * np.ones((faces, 1), "f")
    )
    near = in_reach(graph)
    assert near.k == asked
    assert (near.neighbors == neighbors[:, :asked]).all()
