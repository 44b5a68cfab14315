"""The commands as a shell sees them: what they print, what they leave behind, and with which code."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from personae import Constraints
from personae.data import Ids, read_faces, write_constraints, write_faces, write_labels
from personae.errors import InputError
from personae.evaluation import bcubed
from personae.graph.files import read_graph
from personae.methods.learned import identities_of
from personae.train import film
from tests.planted import made_faces


@pytest.fixture
def faces(tmp_path):
    made = made_faces([20, 10, *[5] * 10, *[1] * 20])
    write_faces(made, tmp_path / "faces.npz")
    return made


@pytest.mark.parametrize("method", ["auto", "facemap", "threshold"])
def test_each_method_labels_a_file(run, faces, tmp_path, method):
    code, out, _ = run("cluster", method, "faces.npz", "--out", "labels.npy")
    assert code == 0
    assert "100 faces" in out
    assert "BCubed F" in out
    assert np.load(tmp_path / "labels.npy").shape == (100,)


def test_the_values_of_a_face_are_told_which_shows_a_transposed_file(run, faces, tmp_path):
    np.save(tmp_path / "turned.npy", faces.features.T)
    assert run("cluster", "threshold", "faces.npz")[1].startswith("100 faces of 64 values: ")
    assert run("knn", "turned.npy", "--k", 5, "--out", "graph.npz")[1].startswith("64 faces of 100 values, 5 ")


def test_a_graph_of_the_faces_in_another_order_is_refused(run, faces, tmp_path):
    write_faces(faces.take(np.arange(len(faces))[::-1]), tmp_path / "others.npz")
    assert run("knn", "others.npz", "--out", "graph.npz")[0] == 0
    code, _, problem = run("cluster", "auto", "faces.npz", "--graph", "graph.npz")
    assert code == 3
    assert "the similarities are not those of faces.npz" in problem


@pytest.mark.parametrize("full", [False, True])
def test_the_labels_are_written_whatever_happens_to_what_is_said(faces, tmp_path, full):
    words = [sys.executable, "-m", "personae", "cluster", "threshold", "faces.npz", "--out", "labels.npy"]
    with Path("/dev/full" if full else os.devnull).open("w") as nobody:
        command = subprocess.Popen(
            words, cwd=tmp_path, stdout=nobody if full else subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        if not full:
            command.stdout.close()
        problem = command.stderr.read()
        command.stderr.close()
    assert command.wait() == (5 if full else 0)
    assert problem.count("\n") == full
    assert np.load(tmp_path / "labels.npy").shape == (100,)


def test_a_graph_made_once_serves_a_method(run, faces, tmp_path):
    assert run("knn", "faces.npz", "--out", "graph.npz", "--k", 30)[0] == 0
    assert read_graph(tmp_path / "graph.npz").k == 30
    assert run("cluster", "threshold", "faces.npz", "--graph", "graph.npz", "--k", 30, "--out", "a.txt")[0] == 0
    assert run("cluster", "threshold", "faces.npz", "--k", 30, "--out", "b.txt")[0] == 0
    assert (tmp_path / "a.txt").read_text() == (tmp_path / "b.txt").read_text()


def test_a_search_by_cells_tells_what_it_found(run, faces, tmp_path, monkeypatch):
    monkeypatch.setattr("personae.graph.search.SMALL", 50)
    code, out, _ = run("knn", "faces.npz", "--out", "graph.npz", "--k", 5, "--recall", 0.9)
    assert code == 0
    assert "of a sample's neighbors that stand out" in out
    assert "stand out" not in run("knn", "faces.npz", "--out", "graph.npz", "--recall", 1)[1]
    refused(run("knn", "faces.npz", "--out", "graph.npz", "--recall", 2), 3, "recall is 2")


@pytest.mark.parametrize("method", ["auto", "c1c", "facemap", "fces", "hac", "threshold"])
def test_constraints_are_taken_from_a_file(run, faces, tmp_path, method):
    a, b = np.flatnonzero(faces.truth == 0)[:2]
    (tmp_path / "held.csv").write_text(f"face,other,apart\n{a},{b},1\n")
    for held in ([], ["--constraints", "held.csv"]):
        assert run("cluster", method, "faces.npz", "--out", "labels.npy", *held)[0] == 0
    labels = np.load(tmp_path / "labels.npy")
    assert labels[a] != labels[b]


def test_constraints_may_tell_faces_by_their_ids(run, faces, tmp_path):
    called = replace(faces, ids=Ids.of(np.arange(100)[::-1]))
    write_faces(called, tmp_path / "called.npz")
    a, b = np.flatnonzero(faces.truth == 0)[:2]
    words = ["cluster", "hac", "called.npz", "--constraints", "held.csv", "--out", "labels.npy"]
    (tmp_path / "held.csv").write_text(f"face,other,apart\n{a},{b},1\n")
    refused(run(*words), 3, "call the first column face_id or row")
    for line in (f"face_id,other,apart\n{99 - a},{99 - b},1\n", f"row,other,apart\n{a},{b},1\n"):
        (tmp_path / "held.csv").write_text(line)
        assert run(*words)[0] == 0
        labels = np.load(tmp_path / "labels.npy")
        assert labels[a] != labels[b]


@pytest.mark.parametrize("method", ["c1c", "finch", "hac"])
def test_the_number_of_people_may_be_told(run, faces, tmp_path, method):
    assert run("cluster", method, "faces.npz", "--out", "labels.npy", "--clusters", 7)[0] == 0
    assert np.load(tmp_path / "labels.npy").max() == 6


def test_balls_are_trained_and_found(run, tmp_path):
    write_faces(made_faces([8] * 40, spread=0.3), tmp_path / "known.npz")
    write_faces(made_faces([6] * 10, spread=0.3, seed=1), tmp_path / "faces.npz")
    (tmp_path / "held.csv").write_text("face,other,apart\n0,1,0\n")
    code, told, _ = run("train", "ball-clusters", "known.npz", "--out", "balls.safetensors")
    assert code == 0
    assert "balls of radius" in told
    words = ["cluster", "ball-clusters", "faces.npz", "--model", "balls.safetensors", "--out", "labels.npy"]
    code, told, _ = run(*words, "--constraints", "held.csv")
    assert code == 0
    assert "BCubed F" in told
    labels = np.load(tmp_path / "labels.npy")
    assert labels[0] == labels[1]
    code, _, err = run(*words, "--constraints", "held.csv", "--fine-tune")
    assert code == 0
    assert "fine-tuning" in err
    assert labels.shape == np.load(tmp_path / "labels.npy").shape
    refused(run(*words, "--fine-tune"), 3, "give --constraints")
    refused(run("train", "ball-clusters", "known.npz", "--out", "balls.txt"), 3, "written as .safetensors")
    refused(run("cluster", "ball-clusters", "faces.npz", "--model", "faces.npz"), 3, "faces.npz")


@pytest.mark.parametrize("words", [["video-transformer"], ["siamese"], ["siamese", "--pairs", "ranked"]])
def test_tracks_of_a_film_are_learned_and_grouped(run, tmp_path, words, monkeypatch):
    short = replace(film.PLAN, steps=20, warmup=2, validate_every=20)
    monkeypatch.setattr(film, "PLAN", short)
    monkeypatch.setattr(film, "PAIR_PLAN", short)
    faces = made_faces([12] * 10, spread=0.3, seed=2)
    write_faces(faces, tmp_path / "frames.npz")
    tracks = [half for one in range(10) for half in np.split(np.flatnonzero(faces.truth == one), 2)]
    held = Constraints.of(120, tracks, [[tracks[0][0], tracks[2][0]], [tracks[4][0], tracks[9][0]]])
    write_constraints(held, tmp_path / "held.csv")
    command = ["cluster", *words, "frames.npz", "--constraints", "held.csv", "--out", "labels.npy"]
    code, told, err = run(*command)
    assert code == 0
    assert "BCubed F" in told
    assert "20 of 20 steps" in err
    labels = np.load(tmp_path / "labels.npy")
    assert all(len(set(labels[track])) == 1 for track in tracks)
    assert labels[tracks[0][0]] != labels[tracks[2][0]]
    for option, count in (("--tau", -1), ("--clusters", 7)):
        assert run(*command, option, count)[0] == 0
        assert np.load(tmp_path / "labels.npy").max() + 1 == {-1: 2, 7: 7}[count]
    code, _, err = run("cluster", *words, "frames.npz", "--out", "labels.npy")
    assert code == 2
    assert "--constraints" in err


def test_evaluate_prints_a_table_or_json(run, faces):
    run("cluster", "auto", "faces.npz", "--out", "labels.csv")
    code, out, _ = run("evaluate", "faces.npz", "labels.csv")
    assert code == 0
    assert "BCubed" in out
    code, out, _ = run("evaluate", "faces.npz", "labels.csv", "--json")
    assert json.loads(out)["bcubed"]["f"] > 0.9


def test_doctor_finds_the_machine_well(run, monkeypatch):
    monkeypatch.setattr("personae.cli.doctor.SELF_TEST_SECONDS", 0.5)
    code, out, _ = run("doctor")
    assert code == 0
    assert "GFLOP/s" in out
    assert "made faces" in out


def refused(result, code, *words):
    """One line on standard error, nothing else, and the code."""
    got, out, err = result
    assert got == code
    assert out == ""
    assert err.startswith("personae: ")
    assert err.count("\n") == 1
    for word in words:
        assert word in err


def test_bad_input_gets_one_line_and_code_3(run, faces, tmp_path):
    np.save(tmp_path / "nan.npy", np.full((4, 2), np.nan, np.float32))
    np.save(tmp_path / "zero.npy", np.zeros((4, 2), np.float32))
    np.save(tmp_path / "objects.npy", np.array([{}, 1], dtype=object), allow_pickle=True)
    np.save(tmp_path / "few.npy", np.zeros(3, np.int32))
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.npy").touch()
    refused(run("cluster", "auto", "nothing.npy"), 3, "nothing.npy")
    refused(run("cluster", "auto", "nan.npy"), 3, "nan.npy", "NaN")
    refused(run("cluster", "auto", "zero.npy"), 3, "zero.npy", "zero")
    refused(run("cluster", "auto", "objects.npy"), 3, "objects.npy")
    refused(run("cluster", "auto", "empty.npy"), 3, "empty.npy")
    refused(run("cluster", "auto", "faces.npz", "--dimension", 63), 3, "63")
    refused(run("cluster", "auto", "faces.npz", "--graph", "nan.npy"), 3, "nan.npy", "personae knn")
    refused(run("cluster", "auto", "faces.npz", "--k", 0), 3, "k is 0")
    refused(run("evaluate", "faces.npz", "few.npy"), 3, "100", "3")
    refused(run("people", "nowhere"), 3, "nowhere")
    refused(run("people", "empty"), 3, "empty")
    assert not list(tmp_path.glob(".writing-*"))


def test_a_place_that_cannot_be_written_gets_one_line_and_code_5(run, faces, tmp_path):
    (tmp_path / "file").touch()
    refused(run("knn", "faces.npz", "--out", "file/graph.npz"), 5, "file")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["cluster", "auto", "faces.npz", "--out", "labels.jpg"], 3, "known are .npz"),
        (["cluster", "hac", "faces.npz", "--out", "labels"], 3, "unknown suffix ''"),
        (["cluster", "auto", "faces.npz", "--out", "nowhere/labels.npy"], 5, "no folder nowhere"),
        (["cluster", "auto", "faces.npz", "--out", "taken.npy"], 5, "is a folder"),
        (["compare", "faces.npz", "--out", "figures.txt"], 3, "written as .json"),
        (["compare", "faces.npz", "--out", "nowhere/figures.json"], 5, "no folder nowhere"),
        (["compare", "faces.npz", "--plot", "picture.jpeg"], 3, "written as .png, .svg, .pdf"),
        (["compare", "faces.npz", "--plot", "nowhere/picture.png"], 5, "no folder nowhere"),
    ],
)
def test_a_place_for_results_is_checked_before_the_work(run, faces, tmp_path, monkeypatch, words, code, says):
    (tmp_path / "taken.npy").mkdir()
    monkeypatch.setattr("personae.data.read_faces", lambda *_, **__: pytest.fail("the faces were read"))
    refused(run(*words), code, says)


def test_wrong_words_get_code_2(run):
    assert run("cluster", "no-such-method")[0] == 2
    assert run("people")[0] == 2


def test_nothing_is_printed_twice_and_help_is_there(run):
    for words in (
        [],
        ["people"],
        ["embed"],
        ["knn"],
        ["cluster"],
        ["cluster", "auto"],
        ["evaluate"],
        ["doctor"],
    ):
        code, out, _ = run(*words, "--help")
        assert code == 0
        assert "Usage" in out


def test_what_is_left_of_the_faces_reads_back(faces, tmp_path):
    again = read_faces(tmp_path / "faces.npz")
    assert (again.features == faces.features).all()
    assert (again.truth == faces.truth).all()


def test_importing_personae_loads_nothing_heavy():
    heavy = {"torch", "onnxruntime", "sklearn", "networkit", "numba", "PIL", "jinja2"}
    code = "import sys, personae.cli.app; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert not heavy & set(modules.split())


def test_strangers_tell_that_a_few_faces_are_one_person(run, tmp_path):
    crowd = made_faces([12, *[1] * 40], seed=3)
    np.save(tmp_path / "one.npy", crowd.features[crowd.truth == 0])
    np.save(tmp_path / "others.npy", crowd.features[crowd.truth != 0])
    alone = run("cluster", "auto", "one.npy")[1]
    assert "unknown, for want of strangers" in alone
    command = ["cluster", "auto", "one.npy", "--strangers", "others.npy"]
    for words in (command, [*command, "--workdir", "work"]):
        code, told, _ = run(*words)
        assert code == 0
        assert "12 faces of 64 values: 1 person and 0 lone faces" in told
        assert "without labels" in told
        assert "unknown" not in told
    told = run("cluster", "auto", "one.npy", "--workdir", "work")[1]
    assert "knn: done before" in told
    assert "links: done before" not in told
    assert "unknown, for want of strangers" in told


def test_strangers_of_another_model_are_refused(run, faces, tmp_path):
    np.save(tmp_path / "others.npy", np.eye(3))
    for words in ((), ("--workdir", "work")):
        code, _, problem = run("cluster", "auto", "faces.npz", "--strangers", "others.npy", *words)
        assert code == 3
        assert "strangers have 3 values, the faces 64" in problem
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz", ".npy"])
@pytest.mark.parametrize("unknown", [1, 100])
def test_faces_without_an_identity_are_clustered_and_not_scored(run, faces, tmp_path, suffix, unknown):
    partly = replace(faces, truth=np.where(np.arange(100) < unknown, -1, faces.truth).astype(np.int32))
    write_faces(partly, tmp_path / f"partly{suffix}")
    if suffix == ".csv":
        text = (tmp_path / "partly.csv").read_text()
        (tmp_path / "partly.csv").write_text(text.replace("\n-1,", "\n,"))  # an empty cell
    code, out, _ = run("cluster", "threshold", f"partly{suffix}", "--out", "labels.npy")
    assert code == 0
    known = slice(unknown, None)
    if unknown < 100:
        found = bcubed(faces.truth[known], np.load(tmp_path / "labels.npy")[known])
        said = "against the truth in the file, without 1 face that it does not know: pairwise F"
        assert said in out
        assert f"BCubed F {found.f:.4f}" in out
    else:
        assert "truth" not in out
    assert run("knn", f"partly{suffix}", "--out", "graph.npz")[0] == 0
    for words in (["compare"], ["train", "gcn-v", "--out", "model.safetensors"]):
        code, _, problem = run(*words, f"partly{suffix}")
        assert (code, problem.count("\n")) == (3, 1)
        assert "leave out" in problem or "fill it in or remove the line" in problem


def test_faces_without_an_identity_are_left_out_of_a_comparison(run, faces, tmp_path):
    write_faces(replace(faces, truth=None, ids=Ids.of(np.arange(100))), tmp_path / "called.npz")
    write_labels(faces.truth[3:], tmp_path / "known.csv", Ids.of(np.arange(3, 100)))
    words = ["compare", "called.npz", "--truth", "known.csv", "--methods", "threshold", "--k", 20]
    assert run(*words)[0] == 3
    assert run(*words, "--ignore-unknown", "--out", "figures.json")[0] == 0
    score = json.loads((tmp_path / "figures.json").read_text())["results"][0]["evaluation"]
    assert (score["faces"], score["unknown"]) == (97, 3)


def test_nothing_is_learned_of_faces_without_an_identity(faces):
    partly = replace(faces, truth=np.where(np.arange(100) < 3, -1, faces.truth).astype(np.int32))
    with pytest.raises(InputError, match="3 faces of 100 come without an identity"):
        identities_of(partly, None)
