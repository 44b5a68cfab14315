import numpy as np
import pytest

from personae import InputError, knn_graph
from personae.graph import KnnGraph
from personae.graph.files import read_distances, read_graph, write_graph


def test_a_graph_reads_back_as_it_was_written(planted, tmp_path):
    graph = knn_graph(planted, 7)
    write_graph(graph, tmp_path / "graph.npz")
    again = read_graph(tmp_path / "graph.npz")
    assert (again.neighbors == graph.neighbors).all()
    assert (again.similarities == graph.similarities).all()


def test_what_is_no_graph_is_refused(tmp_path):
    np.save(tmp_path / "array.npz", np.eye(3))
    np.savez(tmp_path / "other.npz", neighbors=np.eye(3))
    np.savez(tmp_path / "wide.npz", neighbors=np.array([[5]], np.int32), similarities=np.float32([[1]]))
    (tmp_path / "cut.npz").write_bytes((tmp_path / "wide.npz").read_bytes()[:100])
    for path in [*tmp_path.iterdir(), tmp_path / "nothing.npz", tmp_path]:
        with pytest.raises(InputError, match="personae knn"):
            read_graph(path)


def test_a_graph_is_written_as_npz_only(tmp_path):
    with pytest.raises(InputError, match="npz"):
        write_graph(KnnGraph(np.zeros((1, 0), np.int32), np.zeros((1, 0), np.float32)), tmp_path / "graph.csv")
    assert not list(tmp_path.iterdir())


def test_neighbors_and_distances_become_a_graph_without_the_face_itself(tmp_path, monkeypatch):
    monkeypatch.setattr("personae.graph.files.BLOCK", 7)
    rng = np.random.default_rng(0)
    rows = np.empty((30, 2, 6))
    rows[:, 0] = rng.integers(-1, 8, (30, 6))  # with faces that are there twice, and places without any
    rows[:, 1] = rng.integers(-1, 30, (30, 6)) / 10
    rows[:, 0, rng.integers(0, 6)] = np.arange(30)
    np.savez(tmp_path / "faiss_k_6.npz", data=rows)
    graph = read_distances(tmp_path / "faiss_k_6.npz")
    assert graph.neighbors.shape == (30, 5)
    for face, (others, distances) in enumerate(rows):
        near = {}
        for other, distance in zip(others.astype(int), distances, strict=True):
            if other not in (-1, face):
                near[other] = max(near.get(other, -1), np.clip(1 - distance, -1, 1))
        best = sorted(near.values(), reverse=True)[:5]
        there = graph.neighbors[face] >= 0
        assert graph.neighbors[face][there].tolist() != [face]
        assert len(set(graph.neighbors[face][there])) == there.sum() == len(best)
        assert np.allclose(graph.similarities[face][there], best)
        assert np.allclose([near[other] for other in graph.neighbors[face][there]], best)
        assert (graph.similarities[face][~there] == 0).all()
        assert (np.sort(~there) == ~there).all()


def test_cosines_without_the_face_itself_are_told_from_distances(planted, tmp_path):
    graph = knn_graph(planted, 6)
    np.savez(tmp_path / "faiss_k_6.npz", data=np.stack([graph.neighbors, graph.similarities], axis=1))
    found = read_distances(tmp_path / "faiss_k_6.npz")
    assert (found.neighbors == graph.neighbors[:, :5]).all()
    assert (found.similarities == graph.similarities[:, :5]).all()


def test_a_face_pushed_out_of_its_own_list_costs_the_last_neighbor(tmp_path):
    data = np.array([[[1, 2], [0.1, 0.2]], [[1, 0], [0, 0.1]], [[0, 2], [0.2, 0]]])
    np.savez(tmp_path / "faiss_k_2.npz", data=data)
    assert read_distances(tmp_path / "faiss_k_2.npz").neighbors.tolist() == [[1], [0], [0]]


def test_what_holds_no_neighbors_and_distances_is_refused(tmp_path):
    np.save(tmp_path / "array.npz", np.zeros((3, 2, 2)))
    np.savez(tmp_path / "flat.npz", data=np.zeros((3, 2)))
    np.savez(tmp_path / "far.npz", data=np.full((3, 2, 2), 7.0))
    np.savez(tmp_path / "nan.npz", data=np.full((3, 2, 2), np.nan))
    np.savez(tmp_path / "words.npz", data=np.full((3, 2, 2), "a"))
    np.savez(tmp_path / "empty.npz")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "far.npz").read_bytes()[:100])
    for path in [*tmp_path.iterdir(), tmp_path / "nothing.npz", tmp_path]:
        with pytest.raises(InputError, match=path.name):
            read_distances(path)


def test_a_graph_is_shown_in_a_line():
    assert (
        repr(KnnGraph(np.array([[1], [0]], np.int32), np.ones((2, 1), np.float32)))
        == "KnnGraph(2 faces, 1 neighbor each)"
    )
