import tracemalloc

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from personae.graph import KnnGraph
from personae.graph.confidence import confidence


@given(n=st.integers(1, 20), k=st.integers(1, 19), people=st.integers(1, 6), seed=st.integers(0, 999))
def test_confidence_is_the_overlap_of_linked_faces_and_mates(n, k, people, seed):
    rng = np.random.default_rng(seed)
    k = min(k, n - 1)
    neighbors = np.array([rng.permutation(np.delete(np.arange(n), i))[:k] for i in range(n)]).reshape(n, k)
    neighbors = np.where(rng.random((n, k)) < 0.5, neighbors, -1).astype(np.int32)
    labels = rng.integers(0, people, n).astype(np.int32)
    linked = [
        {int(j) for j in neighbors[i] if j >= 0} | {j for j in range(n) if i in neighbors[j]} for i in range(n)
    ]
    for i, share in enumerate(confidence(KnnGraph(neighbors, np.ones((n, k), np.float32)), labels)):
        mates = {j for j in range(n) if labels[j] == labels[i] and j != i}
        inside = len(linked[i] & mates)
        counted = min(len(mates), max(inside, k)) + len(linked[i] - mates)
        assert share == np.float32(inside / counted if counted else 1.0)


def test_it_takes_some_dozen_bytes_a_link():
    n, offsets = 50_000, np.r_[-15:0, 1:16]
    neighbors = ((np.arange(n)[:, None] + offsets) % n).astype(np.int32)
    links = KnnGraph(neighbors, np.ones(neighbors.shape, np.float32))
    labels = (np.arange(n) // 50).astype(np.int32)
    confidence(links, labels)  # compiles
    tracemalloc.start()
    try:
        confidence(links, labels)
        assert tracemalloc.get_traced_memory()[1] < 45 * neighbors.size
    finally:
        tracemalloc.stop()
