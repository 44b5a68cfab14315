from importlib.util import find_spec

import numpy as np
import pytest

from personae.data import FaceSet, Ids, write_faces
from tests.planted import made_faces


@pytest.fixture
def faces(tmp_path):
    made = made_faces([20, 10, *[5] * 10, *[1] * 20], d=128)
    write_faces(made, tmp_path / "faces.npz")
    return made


@pytest.mark.parametrize("words", [["auto"], ["facemap", "--albums"], ["threshold"], ["star-fc"]], ids=" ".join)
def test_labels_with_a_folder_to_work_in_are_those_without(run, faces, tmp_path, words, monkeypatch):
    if words == ["star-fc"]:
        pytest.importorskip("torch")
        monkeypatch.setattr("personae.link.weights.Geometry.check", lambda self, faces: None)
    assert run("cluster", *words, "faces.npz", "--out", "plain.npy")[0] == 0
    command = ["cluster", *words, "faces.npz", "--out", "staged.npy", "--workdir", "work", "--memory", "8G"]
    code, told, progress = run(*command)
    assert code == 0
    assert (np.load(tmp_path / "plain.npy") == np.load(tmp_path / "staged.npy")).all()
    assert "memory at most: cells " in told
    assert "8.0G may be held" in told
    for stage in ("knn", "links", "labels"):
        looks = 300 if (stage, words[0]) == ("links", "auto") else 100
        assert f"{stage}: {looks} of {looks} faces" in progress
    code, told, progress = run(*command)
    assert code == 0
    assert told.count("done before") == 4
    assert not progress


def test_labels_with_a_folder_to_work_in_keep_the_ids(run, faces, tmp_path):
    called = FaceSet(faces.features, ids=Ids.of([f"f{face}" for face in range(100)], "id"))
    write_faces(called, tmp_path / "called.parquet")
    assert run("cluster", "threshold", "faces.npz", "--out", "plain.csv")[0] == 0
    assert run("cluster", "threshold", "called.parquet", "--out", "staged.csv", "--workdir", "work")[0] == 0
    first, *plain = (tmp_path / "plain.csv").read_text().splitlines()
    assert first == "face,cluster"
    staged = ["id,cluster", *(f'"f{line.split(",")[0]}",{line.split(",")[1]}' for line in plain)]
    assert (tmp_path / "staged.csv").read_text().splitlines() == staged


@pytest.mark.skipif(find_spec("ray") is None, reason="needs ray; pip install 'personae[ray]'")
@pytest.mark.parametrize("address", ["127.0.0.1:1", "no address", "127.0.0.1:many"])
def test_a_cluster_that_does_not_answer_is_told_in_one_line(run, faces, address):
    code, _, told = run("cluster", "auto", "faces.npz", "--workdir", "work", "--ray", address)
    assert code == 3
    assert "no Ray cluster answers" in told
    assert told.count("\n") == 1


def test_ray_that_is_missing_is_told_in_one_line(run, faces, monkeypatch):
    monkeypatch.setattr("personae.scale.shards.find_spec", lambda _: None)
    code, _, told = run("cluster", "auto", "faces.npz", "--workdir", "work", "--ray", "local")
    assert code == 4
    assert told == "personae: --ray needs ray; pip install 'personae[ray]'\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["auto", "--memory", "8G"], "--workdir"),
        (["auto", "--ray", "local"], "--workdir"),
        (["auto", "--workdir", "work", "--graph", "graph.npz"], "--graph"),
        (["auto", "--workdir", "work", "--memory", "much"], "20G"),
        (["auto", "--workdir", "work", "--memory", "50M"], "give --memory"),
        (["auto", "--workdir", "work", "--target-precision", "0.9"], "--target-precision"),
        (["auto", "--workdir", "work", "--false-links", "2"], "false_links is 2"),
        (["facemap", "--workdir", "faces.npz"], "faces.npz"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(run, faces, words, says):
    code, _, told = run("cluster", words[0], "faces.npz", *words[1:])
    assert code in (3, 5)
    assert says in told
    assert told.count("\n") == 1
