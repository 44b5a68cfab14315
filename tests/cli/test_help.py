"""What the command line says of itself, and of words that it does not know."""

import numpy as np
import pytest

from personae.comparison import Compared
from personae.data import write_faces
from personae.errors import PersonaeError
from personae.evaluation import evaluate
from personae.methods import FaceMap
from tests.planted import made_faces


@pytest.fixture
def faces(tmp_path):
    made = made_faces([20, 10, *[5] * 10, *[1] * 20])
    write_faces(made, tmp_path / "faces.npz")
    return made


@pytest.mark.parametrize("words", [[], ["cluster"], ["train"], ["export"]], ids=" ".join)
def test_what_each_command_does_fits_a_line(run, monkeypatch, words):
    monkeypatch.setenv("COLUMNS", "80")
    told = run(*words, "--help")[1].split("Commands:")[1]
    assert not [line for line in told.splitlines() if line.endswith("...")]


def test_all_exit_codes_are_told(run):
    told = " ".join(run("--help")[1].split())
    for code in ("0 done", "1 a defect", "2 wrong", "3 bad", "4 package", "5 cannot", "130 stopped"):
        assert code in told


def test_a_failed_self_test_is_a_failure(run, monkeypatch):
    def failed():
        raise PersonaeError("the self-test found the wrong people")
        yield

    monkeypatch.setattr("personae.cli.doctor._self_test", failed)
    assert run("doctor")[0] == 1


@pytest.mark.parametrize(
    ("words", "method"),
    [
        (["--albums"], FaceMap.for_albums()),
        (["--albums", "--k", 5], FaceMap(5, 4)),
        (["--albums", "--window", 10, "--directed"], FaceMap(24, 10, directed=True)),
        (["--k", 30], FaceMap(30)),
    ],
    ids=str,
)
@pytest.mark.parametrize("workdir", [[], ["--workdir", "work"]], ids=["", "workdir"])
def test_facemap_holds_to_every_option(run, faces, tmp_path, words, method, workdir):
    assert run("cluster", "facemap", "faces.npz", "--out", "labels.npy", *words, *workdir)[0] == 0
    assert (np.load(tmp_path / "labels.npy") == method.fit(faces).labels_).all()


def test_methods_are_called_as_on_the_command_line(run, faces, monkeypatch):
    asked = []

    def results(faces, truth, methods, *, k, **_):
        asked.append((methods, k))
        return [Compared(name, {"k": k}, False, evaluate(truth, truth), 0.0, 0, None) for name in methods]

    monkeypatch.setattr("personae.comparison.compare", results)
    words = ["compare", "faces.npz", "--methods", "chinese-whispers, rank_order", "--k", 20]
    code, told, _ = run(*words)
    assert code == 0
    assert asked == [(["chinese_whispers", "rank_order"], 20)]
    assert "\nchinese-whispers k=20" in told
    assert "\nrank-order k=20" in told
    assert "_" not in told


@pytest.mark.parametrize("methods", ["magic", "", "hac,,dbscan"])
def test_a_table_begins_only_when_there_is_something_in_it(run, faces, methods):
    code, told, problem = run("compare", "faces.npz", "--methods", methods)
    assert code == 3
    assert told == ""
    assert "chinese-whispers" in problem
    assert run("compare", "faces.npz", "--methods", "hac", "--k", 0)[1] == ""


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["train", "star-fc", "plain.npy", "--out", "model.safetensors"], 3, "give them with --truth"),
        (["train", "star-fc", "faces.npz", "--out", "model.safetensors", "--seed", "-1"], 2, "--seed"),
        (["cluster", "kmeans", "faces.npz", "--seed", "-1"], 2, "--seed"),
        (["cluster", "star-fc", "faces.npz", "--model", "plain.safetensors"], 3, "no such file"),
        (["cluster", "star-fc", "faces.npz", "--model", "plain.npy"], 3, "holds no trained model"),
        (["cluster", "auto", "."], 3, "`personae embed`"),
        (["cluster", "hac", "faces.npz", "--clusters", 101], 3, "101 clusters are asked for"),
    ],
)
def test_what_is_wrong_is_said_in_words_of_the_command_line(run, faces, tmp_path, words, code, says):
    np.save(tmp_path / "plain.npy", faces.features)
    got, told, problem = run(*words)
    assert (got, told) == (code, "")
    assert says in problem
    assert not {"None", "save`", "personae.load", "second argument"} & set(problem.split())
