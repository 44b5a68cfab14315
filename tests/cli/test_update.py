import numpy as np

from personae.data import write_faces
from tests.planted import made_faces


def test_faces_are_added_and_ids_stay(run, tmp_path):
    made = made_faces([20, 10, *[5] * 10, *[1] * 20])
    write_faces(made.take(np.arange(80)), tmp_path / "first.npz")
    write_faces(made.take(np.arange(80, 100)), tmp_path / "second.npz")
    code, told, _ = run("update", "people.npz", "first.npz", "--out", "labels.npy")
    assert code == 0
    assert "80 new faces" in told
    before = np.load(tmp_path / "labels.npy")
    code, told, _ = run("update", "people.npz", "second.npz", "--out", "labels.npy", "--local")
    assert code == 0
    assert "20 new faces" in told
    assert "of people known before" in told
    assert "no full run is needed" in told
    after = np.load(tmp_path / "labels.npy")
    assert len(after) == 100
    assert (after[:80] == before).mean() > 0.95


def test_faces_are_removed_alone_and_before_others_are_added(run, tmp_path):
    made = made_faces([20, 10, *[5] * 10, *[1] * 20])
    write_faces(made.take(np.arange(80)), tmp_path / "first.npz")
    write_faces(made.take(np.arange(80, 100)), tmp_path / "second.npz")
    assert run("update", "people.npz", "first.npz", "--out", "labels.npy")[0] == 0
    before = np.load(tmp_path / "labels.npy")
    code, told, _ = run("update", "people.npz", "--remove", "3, 0,79", "--out", "labels.npy")
    assert code == 0
    assert "3 faces removed" in told
    assert (np.load(tmp_path / "labels.npy") == np.delete(before, [0, 3, 79])).all()
    code, told, _ = run("update", "people.npz", "second.npz", "--remove", "5", "--out", "labels.npy")
    assert code == 0
    assert len(np.load(tmp_path / "labels.npy")) == 96


def test_what_is_known_of_faces_holds_when_others_are_added(run, tmp_path):
    made = made_faces([20, 10, *[5] * 10, *[1] * 20])
    write_faces(made.take(np.arange(80)), tmp_path / "first.npz")
    write_faces(made.take(np.arange(80, 100)), tmp_path / "second.npz")
    (tmp_path / "held.csv").write_text("face,other,apart\n0,1,1\n2,25,0\n")
    assert run("update", "people.npz", "first.npz")[0] == 0
    for words in (["--constraints", "held.csv"], ["second.npz", "--local"], ["--remove", "99"]):
        assert run("update", "people.npz", *words, "--out", "labels.npy")[0] == 0
        labels = np.load(tmp_path / "labels.npy")
        assert labels[0] != labels[1]
        assert labels[2] == labels[25]
    (tmp_path / "held.csv").write_text("face,other,apart\n0,99,1\n")
    before = (tmp_path / "people.npz").read_bytes()
    code, _, said = run("update", "people.npz", "--constraints", "held.csv")
    assert code == 3
    assert "99 faces are 0 to 98" in said
    assert (tmp_path / "people.npz").read_bytes() == before
    assert run("update", "other.npz", "--constraints", "held.csv")[0] == 3


def test_a_wrong_gallery_gets_one_line(run, tmp_path):
    write_faces(made_faces([5, 5]), tmp_path / "faces.npz")
    (tmp_path / "people.npz").write_bytes(b"nothing")
    for words, code, says in (
        (["people.npz", "faces.npz"], 3, "no gallery"),
        (["people.txt", "faces.npz"], 3, ".npz"),
        (["nowhere/people.npz", "faces.npz"], 5, "no folder"),
        (["people.npz"], 3, "nothing to do"),
        (["people.npz", "--remove", "-1"], 3, "no list of faces"),
        (["none.npz", "--remove", "1"], 3, "no such file"),
    ):
        found, _, line = run("update", *words)
        assert found == code
        assert says in line
        assert line.count("\n") == 1
    assert (tmp_path / "people.npz").read_bytes() == b"nothing"
