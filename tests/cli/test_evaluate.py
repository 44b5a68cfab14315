"""`personae evaluate`: the truth of every kind of file against the labels that were written."""

import json
from dataclasses import replace

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

from personae.data import FaceSet, Ids, write_faces
from personae.data.formats import WITH_IDS
from personae.errors import InputError, listed
from personae.methods import LEARNED, BallClusters
from tests.planted import made_faces

SUFFIXES = (".npz", ".parquet", ".csv", ".npy", ".bin")


@pytest.fixture
def faces(tmp_path):
    made = made_faces([20, 10, *[5] * 10, *[1] * 20])
    return FaceSet(made.features, made.truth, ids=Ids.of([f"{face:03d}" for face in range(100)]))


def score(run, *words, said=""):
    code, out, problem = run("evaluate", *words, "--json")
    assert (code, problem) == (0, said)
    return json.loads(out)


def by_order(why):
    return f"faces are matched by their order: {why}\n"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_faces_that_are_clustered_are_a_truth(run, faces, tmp_path, suffix):
    write_faces(faces, tmp_path / f"faces{suffix}")
    for labels in ("labels.csv", "labels.npz", "labels.parquet", "labels.npy", "labels.txt"):
        code, out, _ = run("cluster", "threshold", f"faces{suffix}", "--out", labels)
        bare = not labels.endswith(WITH_IDS)
        assert code == 0
        assert ("face_id was not written; .csv, .npz, .parquet keep the ids" in out) == bare
        said = by_order(f"{labels} holds no ids") if bare else ""
        assert score(run, f"faces{suffix}", labels, said=said)["bcubed"]["f"] > 0.9


def test_the_ids_of_the_input_find_the_truth_in_any_order(run, faces, tmp_path):
    write_faces(faces, tmp_path / "faces.parquet")
    assert run("cluster", "threshold", "faces.parquet", "--out", "labels.csv")[0] == 0
    shuffled = faces.take(np.random.default_rng(0).permutation(100))
    write_faces(shuffled, tmp_path / "truth.csv")
    joined = score(run, "truth.csv", "labels.csv")
    assert joined == score(run, "faces.parquet", "labels.csv")
    assert joined["bcubed"]["f"] > 0.9
    write_faces(FaceSet(shuffled.features, shuffled.truth), tmp_path / "bare.csv")  # by place
    assert score(run, "bare.csv", "labels.csv", said=by_order("bare.csv holds no ids"))["bcubed"]["f"] < 0.7


def test_faces_without_a_truth_are_left_out_by_one_option(run, faces, tmp_path):
    write_faces(faces, tmp_path / "faces.npz")
    assert run("cluster", "threshold", "faces.npz", "--out", "labels.csv")[0] == 0
    write_faces(faces.take(np.arange(70)), tmp_path / "truth.csv")
    code, out, problem = run("evaluate", "truth.csv", "labels.csv")
    assert (code, out) == (3, "")
    assert problem == (
        "personae: truth.csv lacks 30 faces, such as face_id '070', of the 100 in labels.csv; "
        "tell who they are, or leave them out by --ignore-unknown\n"
    )
    left = score(run, "truth.csv", "labels.csv", "--ignore-unknown")
    assert (left["faces"], left["unknown"]) == (70, 30)
    (tmp_path / "truth.txt").write_text("".join(f"{one if one else ''}\n" for one in faces.truth))
    (tmp_path / "truth.meta").write_text("".join(f"{one or -1}\n" for one in faces.truth))
    for name in ("truth.txt", "truth.meta"):
        code, out, problem = run("evaluate", name, "labels.csv")
        rows = listed(np.flatnonzero(faces.truth == 0).tolist())
        mend = "tell who they are, or leave them out by --ignore-unknown"
        assert (code, out) == (3, "")
        assert problem == f"personae: {name} knows no identity of 20 faces ({rows}); {mend}\n"
        told = by_order(f"{name} holds no ids")
        assert score(run, name, "labels.csv", "--ignore-unknown", said=told)["unknown"] == 20
        assert "20   left out" in run("evaluate", name, "labels.csv", "--ignore-unknown")[1]


@pytest.mark.parametrize("method", ["ball-clusters", "gcn-v"])
def test_what_is_trained_on_finds_its_truth_by_ids(run, faces, tmp_path, monkeypatch, method):
    pytest.importorskip("torch")
    seen = []

    def fit(self, faces, y=None, **_):
        seen.append(y if y is not None else faces.truth)
        raise InputError("seen enough")

    monkeypatch.setattr(BallClusters, "fit", fit)
    monkeypatch.setattr(LEARNED["gcn_v"], "fit", fit)
    write_faces(replace(faces, truth=None), tmp_path / "faces.npz")
    write_faces(faces.take(np.random.default_rng(0).permutation(100)), tmp_path / "truth.csv")
    assert run("train", method, "faces.npz", "--truth", "truth.csv", "--out", "model.safetensors")[0] == 3
    assert seen[0].tolist() == faces.truth.tolist()


@pytest.mark.parametrize("suffix", [".csv", ".npz", ".parquet"])
@pytest.mark.parametrize("column", ["identity", "person", "truth"])
def test_exchanged_files_are_refused(run, tmp_path, suffix, column):
    for name, called, labels in (("found", "cluster", [0, 0, 1]), ("truth", column, [5, 5, 5])):
        (tmp_path / f"{name}.csv").write_text("".join(f"{cell}\n" for cell in (called, *labels)))
        np.savez(tmp_path / f"{name}.npz", **{called: labels})
        parquet.write_table(pyarrow.table({called: labels}), tmp_path / f"{name}.parquet")
    code, told, problem = run("evaluate", f"found{suffix}", f"truth{suffix}")
    assert (code, told) == (3, "")
    assert problem == (
        f"personae: found{suffix} holds clusters (cluster) and truth{suffix} identities ({column}); "
        "give the truth first, then the labels\n"
    )
    assert score(run, f"truth{suffix}", f"found{suffix}")["pairwise"]["precision"] == 1


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_embeddings_are_no_clusters(run, faces, tmp_path, suffix):
    write_faces(faces, tmp_path / f"faces{suffix}")
    code, told, problem = run("evaluate", f"faces{suffix}", f"faces{suffix}")
    assert (code, told) == (3, "")
    assert problem.startswith(f"personae: faces{suffix} holds embeddings and who they are (")
    assert problem.count("\n") == 1


def test_files_with_neutral_names_are_scored_in_either_place(run, tmp_path):
    (tmp_path / "a.csv").write_text("face,label,probability\n0,3,0.5\n1,3,0.5\n2,4,0.5\n")
    np.savez(tmp_path / "b.npz", labels=[0, 0, 1])
    np.save(tmp_path / "c.npy", [0, 0, 1])
    for one in ("a.csv", "b.npz", "c.npy"):
        for other in ("a.csv", "b.npz", "c.npy"):
            code, told, _ = run("evaluate", one, other, "--json")
            assert (code, json.loads(told)["bcubed"]["f"]) == (0, 1)


def test_a_truth_of_two_dimensions_is_refused(run, tmp_path):
    np.save(tmp_path / "nan.npy", np.full((3, 2), np.nan))
    np.save(tmp_path / "y.npy", [0, 0, 1])
    code, _, problem = run("evaluate", "nan.npy", "y.npy")
    assert (code, problem.count("\n")) == (3, 1)
    assert "labels have shape (3, 2)" in problem
