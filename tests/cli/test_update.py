import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from personae import Gallery, update
from personae.data import write_faces
from personae.data.formats import read_labelled
from personae.data.ids import Ids
from personae.data.names import Choice
from personae.data.one_writer import one_writer_of
from personae.errors import OutputError
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


def test_labels_that_were_not_written_are_written_later(run, tmp_path):
    write_faces(made_faces([20, 10, *[5] * 10]), tmp_path / "faces.npz")
    assert run("update", "people.npz", "faces.npz", "--out", "labels.npy")[0] == 0
    gallery, labels = ((tmp_path / name).read_bytes() for name in ("people.npz", "labels.npy"))
    (tmp_path / "labels.npy").unlink()
    code, told, _ = run("update", "people.npz", "--out", "labels.npy")
    assert code == 0
    assert "80 faces in all" in told
    assert (tmp_path / "labels.npy").read_bytes() == labels
    assert (tmp_path / "people.npz").read_bytes() == gallery
    code, _, line = run("update", "none.npz", "--out", "labels.npy")
    assert code == 3
    assert "no such file" in line


def test_a_command_whose_labels_cannot_be_written_adds_nothing(run, tmp_path, monkeypatch):
    def full(*_):
        raise OutputError("cannot write labels.npy: no space; make room or choose another place")

    write_faces(made_faces([20, 10, *[5] * 10]), tmp_path / "faces.npz")
    monkeypatch.setattr("personae.data.write_labels", full)
    assert run("update", "people.npz", "faces.npz", "--out", "labels.npy")[0] == 5
    assert not (tmp_path / "people.npz").exists()


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


@pytest.mark.parametrize("name", ["people.npz", "link.npz"])
def test_of_two_updates_at_once_the_second_waits_and_no_face_is_lost(run, tmp_path, name):
    made = made_faces([20, 10, *[5] * 10, *[1] * 20])
    gallery, held = tmp_path / "people.npz", threading.Event()
    Gallery.of(made.features[:60]).save(gallery)
    (tmp_path / "link.npz").symlink_to("people.npz")
    write_faces(made.take(np.arange(80, 100)), tmp_path / "faces.npz")

    def first():
        before = Gallery.read(gallery)
        with one_writer_of(gallery):
            held.set()
            time.sleep(0.5)
            update(before, made.features[60:80]).save(gallery)

    thread = threading.Thread(target=first)
    thread.start()
    held.wait()
    code, told, line = run("update", name, "faces.npz")
    thread.join()
    assert code == 0
    assert "people.npz is in use by process" in line
    assert "100 faces in all" in told
    assert (Gallery.read(gallery).features == made.features).all()
    assert (tmp_path / "link.npz").is_symlink()


def test_lone_faces_are_counted_beside_people(run, tmp_path):
    made = made_faces([10, 10, 10, *[1] * 30], d=256, spread=0.3)
    write_faces(made.take(np.arange(50)), tmp_path / "first.npz")
    write_faces(made.take(np.arange(50, 60)), tmp_path / "second.npz")
    told = run("update", "people.npz", "first.npz", "--out", "labels.npy")[1]
    before = np.load(tmp_path / "labels.npy")
    sizes = np.unique(before, return_counts=True)[1]
    counts = f"people and {(sizes == 1).sum()} lone faces"
    assert (sizes == 1).sum() > 15
    assert f"0 of people known before, {(sizes > 1).sum()} new {counts}" in told
    assert f"50 faces in all: {(sizes > 1).sum()} {counts}" in told
    told = run("update", "people.npz", "second.npz", "--local", "--out", "labels.npy")[1]
    found = np.load(tmp_path / "labels.npy")
    known, lone = np.isin(found[50:], before).sum(), (np.bincount(found)[found] == 1)
    assert f"{known} of people known before, 0 new people and {lone[50:].sum()} lone faces" in told
    assert f"{lone.sum()} lone faces" in told
    assert known + lone[50:].sum() == 10


def test_copies_that_come_make_no_people(run, tmp_path):
    made = made_faces([10, 10, 10, *[1] * 30], d=256, spread=0.3)
    write_faces(made, tmp_path / "faces.npz")
    counts = run("update", "people.npz", "faces.npz")[1].split("60 faces in all: ")[1].splitlines()[0]
    assert int(counts.split("and ")[1].split()[0]) > 15
    told = run("update", "people.npz", "faces.npz", "--out", "labels.npy")[1]
    assert f"120 faces in all, 60 of them copies: {counts}\n" in told
    assert len(np.load(tmp_path / "labels.npy")) == 120
    write_faces(made.take(np.r_[:60, :60]), tmp_path / "twice.npz")
    assert f"120 faces of 256 values, 60 of them copies: {counts}, in" in run("cluster", "auto", "twice.npz")[1]


def test_a_full_run_that_is_worth_it_is_told_with_its_command(run, tmp_path):
    made = made_faces([20, 10, *[5] * 10, *[1] * 20])
    write_faces(made.take(np.arange(60)), tmp_path / "first.npz")
    write_faces(made.take(np.arange(60, 100)), tmp_path / "second.npz")
    assert "--renew" not in run("update", "my people.npz", "first.npz")[1]
    told = run("update", "my people.npz", "second.npz", "--local")[1]
    assert "a full run is worth it: personae update 'my people.npz' --renew\n" in told
    code, told, _ = run("update", "my people.npz", "--renew", "--out", "labels.npy")
    assert code == 0
    assert "0 new faces since all 100 were looked at" in told
    whole = Gallery.of(made.features).labels
    found = np.load(tmp_path / "labels.npy")
    assert len(np.unique(np.stack([whole, found]), axis=1)[0]) == len(set(whole)) == len(set(found))
    assert run("update", "my people.npz", "second.npz", "--renew", "--local")[0] == 3


def test_a_wrong_gallery_gets_one_line(run, tmp_path):
    write_faces(made_faces([5, 5]), tmp_path / "faces.npz")
    (tmp_path / "people.npz").write_bytes(b"nothing")
    Gallery.of(made_faces([5, 5])).save(tmp_path / "whole.npz")
    for words, code, says in (
        (["people.npz", "faces.npz"], 3, "no gallery"),
        (["people.txt", "faces.npz"], 3, ".npz"),
        (["nowhere/people.npz", "faces.npz"], 5, "no folder"),
        (["people.npz"], 3, "nothing to do"),
        (["people.npz", "--out", "labels.npy"], 3, "no gallery"),
        (["whole.npz", "--remove", "-1"], 3, "no list of faces"),
        (["whole.npz", "--remove", ""], 3, "faces to remove"),
        (["none.npz", "--remove", "1"], 3, "no such file"),
        (["whole.npz", "--local", "--constraints", "pairs.csv"], 3, "leave one out"),
    ):
        found, _, line = run("update", *words)
        assert found == code
        assert says in line
        assert line.count("\n") == 1
    assert (tmp_path / "people.npz").read_bytes() == b"nothing"


def test_ids_of_faces_stay_with_them(run, tmp_path):
    made = made_faces([20, 10, *[5] * 10, *[1] * 20])
    names = np.array([f"f{row}" for row in range(100)])

    def part(name, rows, ids):
        write_faces(replace(made.take(rows), ids=ids), tmp_path / name)

    part("first.npz", np.arange(80), Ids.of(names[:80]))
    part("second.npz", np.arange(80, 100), Ids.of(names[80:]))
    part("again.npz", np.arange(79, 100), Ids.of(names[79:]))
    part("bare.npz", np.arange(80, 100), None)
    part("other.npz", np.arange(80, 100), Ids.of(names[80:], "id"))
    assert run("update", "people.npz", "first.npz")[0] == 0
    before = (tmp_path / "people.npz").read_bytes()
    for words, says in (
        (["again.npz"], "'f79', are there already"),
        (["bare.npz"], "have ids in face_id"),
        (["other.npz"], "ids in id"),
        (["--remove", "f3,3"], "no face has the face_id '3'"),
    ):
        code, _, line = run("update", "people.npz", *words)
        assert code == 3
        assert says in line
        assert line.count("\n") == 1
    assert (tmp_path / "people.npz").read_bytes() == before
    words = ["second.npz", "--remove", "f3, f79", "--renew", "--out", "labels.csv"]
    assert run("update", "people.npz", *words)[0] == 0
    found = read_labelled(tmp_path / "labels.csv", Choice(ids=True))
    assert found.ids.values.tolist() == np.delete(names, [3, 79]).tolist()
    (tmp_path / "held.csv").write_text("face_id,other,apart\nf0,f1,1\nf2,f25,0\n")
    assert run("update", "people.npz", "--constraints", "held.csv", "--out", "labels.csv")[0] == 0
    labels = read_labelled(tmp_path / "labels.csv", Choice()).labels
    assert labels[0] != labels[1]
    assert labels[2] == labels[24]
    assert run("update", "bare_people.npz", "bare.npz")[0] == 0
    code, told, _ = run("update", "bare_people.npz", "first.npz")
    assert code == 0
    assert "face_id is not kept" in told
