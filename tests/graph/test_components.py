import networkx
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from personae.graph import KnnGraph, component_labels, first_seen
from personae.graph.components import components_of, joining_links


@given(n=st.integers(1, 60), k=st.integers(0, 4), kept=st.floats(0, 1), seed=st.integers(0, 999))
def test_components_are_those_of_networkx(n, k, kept, seed):
    rng = np.random.default_rng(seed)
    neighbors = np.where(rng.random((n, k)) < kept, rng.integers(0, n, (n, k)), -1).astype(np.int32)
    graph = networkx.Graph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from((i, int(j)) for i in range(n) for j in neighbors[i] if j >= 0)
    expected = sorted(sorted(part) for part in networkx.connected_components(graph))
    labels = component_labels(KnnGraph(neighbors, np.ones((n, k), np.float32)))
    assert sorted(np.flatnonzero(labels == c).tolist() for c in range(labels.max() + 1)) == expected
    assert (first_seen(labels) == labels).all()


@given(n=st.integers(1, 60), k=st.integers(0, 4), run=st.integers(1, 70), seed=st.integers(0, 999))
def test_components_follow_from_the_forests_of_runs(n, k, run, seed):
    rng = np.random.default_rng(seed)
    neighbors = np.where(rng.random((n, k)) < 0.3, rng.integers(0, n, (n, k)), -1).astype(np.int32)
    forests = [joining_links(neighbors[first : first + run], first, n) for first in range(0, n, run)]
    labels = components_of(np.concatenate(forests), n)
    assert (labels == component_labels(KnnGraph(neighbors, np.ones((n, k), np.float32)))).all()
    assert all(len(forest) < n for forest in forests)


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=50))
def test_labels_are_numbered_by_their_first_face(values):
    seen: dict[int, int] = {}
    assert first_seen(np.array(values)).tolist() == [seen.setdefault(v, len(seen)) for v in values]


def test_links_that_are_left_are_those_of_the_definition(tmp_path):
    rng = np.random.default_rng(3)
    neighbors = rng.integers(-1, 40, (40, 6)).astype(np.int32)
    graph = KnnGraph(neighbors, np.where(neighbors < 0, 0, rng.normal(size=(40, 6))).astype(np.float32))
    for name, table in vars(graph).items():
        np.save(tmp_path / f"{name}.npy", table)
    there = KnnGraph(*(np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in vars(graph)))
    for some in (graph, there):
        for found, kept in (
            (some.at_least(0.3), graph.similarities >= 0.3),
            (some.positive(), graph.similarities > 0),
        ):
            assert (found.neighbors == graph.where(kept).neighbors).all()
            assert (found.similarities == graph.where(kept).similarities).all()
