"""`personae evaluate`: the truth of every kind of file against the labels that were written."""

import json
from dataclasses import replace

import numpy as np
import pytest

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
    kept = suffix in WITH_IDS
    for labels in ("labels.csv", "labels.npz", "labels.parquet", "labels.npy", "labels.txt"):
        code, out, _ = run("cluster", "threshold", f"faces{suffix}", "--out", labels)
        bare = kept and not labels.endswith(WITH_IDS)
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
