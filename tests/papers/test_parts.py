import numpy as np
import pytest

from personae import InputError, knn_graph
from personae.papers.parts import Part, parts_of
from tests.papers.published_files import write_set


def test_parts_are_read_with_their_identities_and_graphs(tmp_path):
    made = write_set(tmp_path, ["part0_train", "part9_test", "part10_test"], 20)
    learn, tests = parts_of(tmp_path)
    assert learn == Part("part0_train", tmp_path)
    assert [part.name for part in tests] == ["part9_test", "part10_test"]
    assert [part.number for part in tests] == ["9", "10"]
    faces = tests[0].faces()
    assert np.allclose(faces.features, made[1].features, atol=1e-6)
    assert (faces.truth == made[1].truth).all()
    graph = tests[0].graph(faces, 12)
    assert (graph.neighbors == knn_graph(made[1], 11).neighbors).all()


def test_the_shortest_lists_that_are_enough_are_taken_and_others_searched(tmp_path):
    write_set(tmp_path, ["deepfashion_train", "deepfashion_test"], 8)
    [part] = parts_of(tmp_path)[1]
    assert part.number == ""
    faces = part.faces()
    graphs = tmp_path / "knns" / part.name
    long = np.load(graphs / "faiss_k_8.npz")["data"]
    np.savez(graphs / "faiss_k_5.npz", data=long[:, :, :5])
    (graphs / "faiss_k_8.npz").unlink()
    assert (part.graph(faces, 5).neighbors == knn_graph(faces, 4).neighbors).all()
    assert (part.graph(faces, 6).neighbors == knn_graph(faces, 5).neighbors).all()


def test_features_and_labels_may_be_arrays(tmp_path):
    for kind in ("features", "labels"):
        (tmp_path / kind).mkdir()
    np.save(tmp_path / "features" / "512.npy", np.eye(4, 8))
    np.save(tmp_path / "labels" / "512.npy", np.arange(4))
    np.save(tmp_path / "features" / "CASIA.npy", np.eye(4, 8))
    learn, [part] = parts_of(tmp_path)
    assert learn.name == "CASIA"
    assert part.faces().truth.tolist() == [0, 1, 2, 3]
    with pytest.raises(InputError, match=r"CASIA\.meta: no such file"):
        learn.faces()


def test_what_is_missing_or_of_another_set_is_told_in_one_line(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        parts_of(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no part to be tested on"):
        parts_of(tmp_path)
    write_set(tmp_path, ["part0_train", "part1_test"], 6)
    (tmp_path / "features" / "more_train.bin").write_bytes(b"")
    with pytest.raises(InputError, match="more_train and part0_train to learn from"):
        parts_of(tmp_path)
    (tmp_path / "features" / "more_train.bin").unlink()
    [part] = parts_of(tmp_path)[1]
    np.savez(tmp_path / "knns" / "part1_test" / "faiss_k_6.npz", data=np.zeros((3, 2, 6)))
    with pytest.raises(InputError, match="is of 3 faces and the part has 170"):
        part.graph(part.faces(), 6)
    graphs = tmp_path / "knns"
    of_others = (graphs / "part0_train" / "faiss_k_6.npz").read_bytes()
    (graphs / "part1_test" / "faiss_k_6.npz").write_bytes(of_others)
    with pytest.raises(InputError, match="similarities are not those of the features"):
        part.graph(part.faces(), 6)
