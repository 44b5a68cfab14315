"""No command writes over what it reads, or two results over each other."""

import numpy as np
import pytest

from personae.cli.cluster import cluster_commands
from personae.cli.export import export_commands
from personae.cli.learned import train_commands
from personae.data import write_faces
from tests.planted import made_faces

OWN_INPUT = [
    ["cluster", "threshold", "in.npz", "--out", "in.npz"],
    ["cluster", "threshold", "in.npz", "--out", "link.npz"],
    ["cluster", "threshold", "link.npz", "--out", "in.npz"],
    ["cluster", "threshold", "in.npz", "--out", "folder/../in.npz"],
    ["cluster", "threshold", "in.npz", "--graph", "other.npz", "--out", "other.npz"],
    ["cluster", "hac", "in.npz", "--constraints", "other.csv", "--out", "other.csv"],
    ["cluster", "auto", "in.npz", "--strangers", "other.npz", "--out", "other.npz"],
    ["cluster", "cdp", "in.npz", "--committee", "in.npz", "--committee", "other.npz", "--out", "other.npz"],
    ["cluster", "threshold", "bare.npy", "--out", "bare.meta"],
    ["knn", "in.npz", "--out", "in.npz"],
    ["knn", "in.npz", "--out", "folder/../link.npz"],
    ["update", "other.npz", "--renew", "--out", "other.npz"],
    ["update", "other.npz", "in.npz", "--out", "in.npz"],
    ["update", "begun.npz", "in.npz", "--out", "begun.npz"],
    ["people", "folder", "--out", "folder"],
]


@pytest.fixture
def places(tmp_path):
    made = made_faces([20, 10, *[5] * 10])
    write_faces(made, tmp_path / "in.npz")
    write_faces(made, tmp_path / "bare.npy")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.npz").symlink_to(tmp_path / "in.npz")
    (tmp_path / "other.npz").write_bytes(b"other")
    (tmp_path / "other.csv").write_bytes(b"other")
    return tmp_path


@pytest.mark.parametrize("words", OWN_INPUT, ids=" ".join)
def test_what_is_read_stays(run, places, words):
    before = {file: file.read_bytes() for file in places.glob("*.*")}
    code, told, problem = run(*words)
    assert (code, told) == (5, "")
    assert problem == f"personae: cannot write {words[-1]}: it is what is read; choose another name\n"
    assert {file: file.read_bytes() for file in places.glob("*.*")} == before


def test_no_two_results_go_to_one_file(run, places):
    code, told, problem = run("embed", "folder", "--out", "a.csv", "--constraints", "folder/../a.csv")
    assert (code, told) == (5, "")
    assert problem == "personae: cannot write two results to folder/../a.csv; choose another name for one\n"
    assert not (places / "a.csv").exists()


def test_a_gallery_is_written_to_its_own_place(run, places):
    for _ in range(2):
        assert run("update", "people.npz", "in.npz", "--renew", "--out", "labels.npz")[0] == 0
    assert len(np.load(places / "labels.npz")["labels"]) == 160


def test_labels_may_come_to_lie_beside_features_that_have_none(run, places):
    (places / "bare.meta").unlink()
    assert run("cluster", "threshold", "bare.npy", "--out", "bare.meta")[0] == 0


def test_every_command_is_watched():
    from personae.cli.app import app

    groups = (app, cluster_commands, train_commands, export_commands)
    commands = [each.callback for group in groups for each in group.registered_commands]
    assert len(commands) > 40
    assert all(hasattr(command, "__wrapped__") for command in commands)
