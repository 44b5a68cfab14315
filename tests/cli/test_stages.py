from importlib.util import find_spec

import numpy as np
import pytest

from personae.data import FaceSet, Ids, write_faces
from personae.data.one_writer import one_writer_in
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
        monkeypatch.setattr("personae.link.geometry.Geometry.check", lambda self, faces: None)
    code, told, _ = run("cluster", *words, "faces.npz", "--out", "plain.npy")
    assert code == 0
    assert ("weights: those for sface" in told) == (words == ["star-fc"])
    command = ["cluster", *words, "faces.npz", "--out", "staged.npy", "--workdir", "work", "--memory", "8G"]
    code, told, progress = run(*command)
    assert code == 0
    assert (np.load(tmp_path / "plain.npy") == np.load(tmp_path / "staged.npy")).all()
    assert "memory at most: cells " in told
    assert "8.0G may be held" in told
    links = [f"links, look {look}" for look in (1, 2, 3)] if words == ["auto"] else ["links"]
    for stage in ("knn", *links, "labels"):
        assert progress.count(f"{stage}: 100 of 100 faces") == 1
    assert len(progress.splitlines()) == len({line.split(":")[0] for line in progress.splitlines()})
    command[-1] = "1M"  # nothing is left to do
    code, told, progress = run(*command)
    assert code == 0
    assert told.count("done before") == (5 if words == ["auto"] else 4)
    assert not progress


def test_of_two_runs_in_one_folder_the_second_is_refused(run, faces, tmp_path):
    command = ["cluster", "threshold", "faces.npz", "--workdir", "work"]
    with one_writer_in(tmp_path / "work"):
        code, _, line = run(*command)
        assert not list((tmp_path / "work").glob("cells*"))
    assert code == 5
    assert "work is in use by process" in line
    assert line.count("\n") == 1
    assert run(*command)[0] == 0


def test_what_is_left_to_do_needs_its_memory(run, faces):
    command = ["cluster", "auto", "faces.npz", "--workdir", "work", "--memory"]
    assert run(*command, "8G")[0] == 0
    code, _, told = run(*command, "1M", "--false-links", 0.3)
    assert code == 3
    assert "the stage links needs" in told


def test_the_quality_to_expect_is_told_as_without_a_folder(run, faces, monkeypatch):
    _, plain, _ = run("cluster", "auto", "faces.npz")
    quality = plain.split("without labels: ")[1].splitlines()[0]
    command = ["cluster", "auto", "faces.npz", "--workdir", "work"]
    for _ in range(2):
        assert f"without labels {quality}" in run(*command)[1]
    monkeypatch.setattr("personae.scale.pipeline.TOLD_UP_TO", 99)
    assert "without labels" not in run(*command)[1]


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


def test_copies_are_told_of(run, faces, tmp_path):
    np.save(tmp_path / "more.npy", np.concatenate([faces.features, faces.features[:30]]))
    code, told, _ = run("cluster", "auto", "more.npy", "--workdir", "work", "--out", "labels.npy")
    assert code == 0
    assert "30 of the 130 faces are copies" in told
    labels = np.load(tmp_path / "labels.npy")
    assert (labels[100:] == labels[:30]).all()
