import numpy as np
import pytest

from personae import InputError, knn_graph
from personae.graph import KnnGraph
from personae.graph.files import read_graph, write_graph


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
