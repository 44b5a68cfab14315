"""The main job, from photos to files."""

import re
import shutil
import subprocess
import sys
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from personae import Constraints
from personae.cli.people import grouped
from personae.data import FaceSet, Sources, read_constraints
from tests.cli.sample_album import ALBUM, rows
from tests.embed.made_video import play, write_video
from tests.planted import made_faces


def people(*words):
    command = [sys.executable, "-m", "personae", "people", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def some_photos(tmp_path_factory):
    """Six photos of the sample album in two folders."""
    folder = tmp_path_factory.mktemp("photos")
    (folder / "older").mkdir()
    for number, photo in enumerate(sorted((ALBUM / "photos").iterdir())[:6]):
        shutil.copy(photo, folder / ("older" if number % 3 == 0 else ""))
    return folder


def test_the_sample_album_gives_its_people(run, tmp_path):
    code, told, problems = run("people", ALBUM / "photos", "--out", tmp_path, "--truth", ALBUM / "truth.csv")
    assert code == 0, problems
    assert float(re.search(r"BCubed F ([\d.]+)", told)[1]) >= 0.95
    assert len(rows(tmp_path / "faces.csv")) == 177
    assert "open" in told
    page = (tmp_path / "index.html").read_text()
    person, face = re.search(r'data-rows="(person-\d+)" data-faces="(face-\d+)"', page).groups()
    asked = re.search(rf'id="{face}" href="[^"]*?([^"/]+)"', page)[1]
    row = re.search(rf'<article id="{person}".*?</article>', page, re.DOTALL)[0]
    who = {photo["photo"]: photo["person"] for photo in rows(ALBUM / "truth.csv")}
    others = Counter(who[photo] for photo in re.findall(r'href="[^"]*?([^"/#]+)" data-place', row))
    assert who[asked] != others.most_common(1)[0][0]


def test_a_second_run_embeds_only_new_photos(run, some_photos, tmp_path):
    photos = tmp_path / "photos"
    shutil.copytree(some_photos, photos)
    extra = next(photos.glob("*.jpg"))
    aside = tmp_path / extra.name
    extra.rename(aside)
    assert "(5 new)" in run("people", photos, "--out", tmp_path / "out")[1]
    aside.rename(extra)
    assert "(1 new)" in run("people", photos, "--out", tmp_path / "out")[1]
    assert "(0 new)" in run("people", photos, "--out", tmp_path / "out", "--folders", "link")[1]
    assert "(6 new)" in run("people", some_photos, "--out", tmp_path / "afresh")[1]
    assert rows(tmp_path / "out" / "faces.csv") == rows(tmp_path / "afresh" / "faces.csv")
    assert list((tmp_path / "out" / "folders" / "Person 1").iterdir())


def test_photos_are_the_first_stage_where_there_is_a_folder_to_work_in(run, some_photos, tmp_path):
    assert run("embed", some_photos, "--out", "faces.npz", "--constraints", "held.csv")[0] == 0
    told = ["--constraints", "held.csv", "--out", "plain.csv"]
    assert run("cluster", "auto", "faces.npz", *told)[0] == 0
    command = ["cluster", "auto", some_photos, "--out", "staged.csv", "--workdir", "work"]
    code, told, _ = run(*command)
    assert code == 0
    assert "6 photos, 6 new files" in told
    assert rows(tmp_path / "staged.csv") == rows(tmp_path / "plain.csv")
    code, told, _ = run(*command)
    assert "6 photos, 0 new files" in told
    assert told.count("done before") == 5
    (tmp_path / "file").touch()
    assert run("cluster", "auto", some_photos, "--workdir", "file")[0] == 5


KILLED_AT_RANDOM = """
import os, random, signal, sys, time
from pathlib import Path
import onnxruntime, typer, personae.embed, personae.export, personae.methods  # once, since it takes long
from personae.cli.app import app

photos, out = sys.argv[1], Path(sys.argv[2])
command = typer.main.get_command(app)  # once as well

def started(folder):
    child = os.fork()
    if child == 0:
        try:
            command(["people", photos, "--out", str(out / folder)])
        finally:
            os._exit(0)  # what was imported before has threads to wait for that a fork does not have
    return child

os.waitpid(started("compiled"), 0)
began = time.monotonic()
os.waitpid(started("whole"), 0)
whole = time.monotonic() - began
chance = random.Random(0)
killed = 0
for _ in range(12):
    child = started("killed")
    time.sleep(chance.uniform(0.05, 0.95) * whole)
    os.kill(child, signal.SIGKILL)
    killed += os.WIFSIGNALED(os.waitpid(child, 0)[1])
print(killed)
"""


def test_killed_at_any_moment_it_goes_on_and_gives_the_same_people(some_photos, tmp_path):
    command = [sys.executable, "-c", KILLED_AT_RANDOM, str(some_photos), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    assert int(done.stdout.splitlines()[-1]) > 3  # the others had ended
    assert people(some_photos, "--out", tmp_path / "killed").returncode == 0
    for name in ("faces.csv", "people.csv", "index.html"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    names = {path.name for path in (tmp_path / "killed").iterdir()}
    assert {name for name in names if not name.startswith(".faces")} == {
        "faces.csv",
        "people.csv",
        "index.html",
    }


def test_a_precision_to_reach_is_passed_on_and_checked_before_the_work(run, some_photos, tmp_path):
    code, _, told = run("people", some_photos, "--out", "out", "--target-precision", 99)
    assert code == 3
    assert "a share between 0 and 1" in told
    assert not (tmp_path / "out").exists()
    code, told, _ = run("people", some_photos, "--out", "out", "--target-precision", 0.9999999)
    assert code == 0
    assert "a precision of 0.9999999 cannot be expected here" in told


def test_corrections_that_cannot_be_read_are_told_before_the_work(run, some_photos, tmp_path):
    (tmp_path / "wrong.csv").write_text("name\nAda\n")
    code, _, told = run("people", some_photos, "--out", "out", "--corrections", "wrong.csv")
    assert code == 3
    assert "photo and person" in told
    assert not (tmp_path / "out").exists()


def test_a_photo_that_is_there_twice_makes_no_person():
    once = made_faces([10, 10, 10, *[1] * 30], d=128, spread=0.3)
    twice = np.r_[:60, :60]
    sources = Sources(
        tuple(f"{row}.jpg" for row in range(120)),
        np.arange(120, dtype=np.int32),
        np.ones((120, 4), np.float32),
        np.ones(120, np.float32),
    )
    faces = FaceSet(once.features[twice], sources=sources)
    album = SimpleNamespace(
        faces=faces,
        constraints=Constraints.of(120),
        contents=[""] * 120,
        thumbnails=[b""] * 120,
        strangers=None,
    )
    found, _ = grouped(album)
    assert len(found.lone) > 15
    assert found.lone.max() < 60
    assert len(found.of_nobody) == 2 * len(found.lone)
    assert len(found.persons) + len(found.lone) == len(set(found.labels.tolist()))


def test_one_person_alone_is_one_person(run, tmp_path):
    table = rows(ALBUM / "truth.csv")
    alone = [row["photo"] for row in table if sum(r["photo"] == row["photo"] for r in table) == 1]
    someone = max({row["person"] for row in table}, key=[row["person"] for row in table].count)
    (tmp_path / "photos").mkdir()
    for row in table:
        if row["person"] == someone and row["photo"] in alone:
            shutil.copy(ALBUM / "photos" / row["photo"], tmp_path / "photos")
    assert run("people", tmp_path / "photos", "--out", tmp_path / "out")[0] == 0
    assert int(rows(tmp_path / "out" / "people.csv")[0]["faces"]) >= 0.8 * len(
        list((tmp_path / "photos").iterdir())
    )


def test_folders_of_people_are_never_taken_for_photos(run, some_photos, tmp_path):
    photos = tmp_path / "photos"
    shutil.copytree(some_photos, photos)
    (photos / "broken.jpg").touch()
    Image.new("RGB", (200, 200), "grey").save(photos / "wall.png")
    command = ["people", photos, "--out", photos / "people", "--folders", "copy"]
    assert run(*command)[0] == 0
    assert "8 photos (0 new)" in run(*command)[1]
    assert "<dt>without a face</dt><dd>1</dd>" in (photos / "people" / "index.html").read_text()


def test_photos_without_a_face_are_said_to_be_so(run, tmp_path):
    Image.new("RGB", (200, 200), "grey").save(tmp_path / "wall.png")
    code, _, said = run("people", tmp_path, "--out", tmp_path / "out")
    assert code == 3
    assert "no face" in said
    assert run("people", tmp_path, "--out", tmp_path / "out", "--rate", 0)[0] == 3
    assert run("embed", tmp_path, "--out", tmp_path / "faces.npz")[0] == 3
    for place, code in (("faces.txt", 3), ("nowhere/faces.npz", 5)):
        assert run("embed", tmp_path, "--out", tmp_path / place)[0] == code
    assert [path.name for path in tmp_path.iterdir()] == ["wall.png"]


@pytest.mark.data
def test_a_real_album_gives_its_people(shared, tmp_path):
    command = [shared / "album" / "photos", "--out", tmp_path, "--truth", shared / "album" / "truth.csv"]
    done = people(*command)
    assert done.returncode == 0, done.stderr
    pairwise, bcubed = map(float, re.search(r"pairwise F ([\d.]+), BCubed F ([\d.]+)", done.stdout).groups())
    assert pairwise >= 0.97
    assert bcubed >= 0.97
    assert "(0 new)" in people(*command).stdout


def test_a_video_gives_its_people_with_their_times(run, tmp_path):
    shots = play(ALBUM, people=3, tracks=9, pictures=20)
    (tmp_path / "films").mkdir()
    write_video(tmp_path / "films" / "film.mp4", shots)
    code, told, _ = run("people", tmp_path / "films", "--out", tmp_path / "out", "--rate", 4)
    assert code == 0
    assert "faces in 1 video (1 new): 3 people" in told
    found = rows(tmp_path / "out" / "faces.csv")
    assert len(found) == 9
    assert all(0 <= float(row["from"]) < float(row["to"]) < 4 for row in found)
    assert (tmp_path / "out" / "index.html").read_text().count('<p class="times">') == 3
    assert "(0 new)" in run("people", tmp_path / "films", "--out", tmp_path / "out", "--rate", 4)[1]
    assert run("people", tmp_path / "films", "--out", tmp_path / "out", "--rate", 0)[0] == 3


def test_what_photos_and_tracks_tell_goes_from_embed_to_cluster(run, tmp_path):
    shots = play(ALBUM, people=3, tracks=9, pictures=20)
    (tmp_path / "films").mkdir()
    write_video(tmp_path / "films" / "film.mp4", shots)
    embed = ["embed", tmp_path / "films", "--out", "faces.csv", "--constraints"]
    assert run(*embed, "held.txt")[0] == 3
    code, told, _ = run(*embed, "held.csv")
    assert code == 0
    assert "constraints: held.csv" in told
    assert "9 faces in 1 video, 1 new file\n" in told
    times = [(float(row["from"]), float(row["to"])) for row in rows(tmp_path / "faces.csv")]
    assert all(0 <= begin < end < 8 for begin, end in times)
    pairs = [(int(row["face"]), int(row["other"])) for row in rows(tmp_path / "held.csv")]
    assert {row["apart"] for row in rows(tmp_path / "held.csv")} == {"1"}
    told, staged = ["faces.csv", "--constraints", "held.csv"], [tmp_path / "films", "--workdir", "work"]
    for words in (["hac", *told], ["threshold", *told], ["threshold", *staged]):
        assert run("cluster", *words, "--tau", "-1", "--out", "a.csv")[0] == 0
        found = [row["cluster"] for row in rows(tmp_path / "a.csv")]
        assert len(set(found)) > 1
        assert all(found[a] != found[b] for a, b in pairs)
    a, b = pairs[0]
    (tmp_path / "said.csv").write_text(f"face,other,apart\n{a},{b},0\n")
    words = ["threshold", *staged, "--constraints", "said.csv"]
    assert run("cluster", *words, "--tau", "-1", "--out", "a.csv")[0] == 0
    found = [row["cluster"] for row in rows(tmp_path / "a.csv")]
    assert found[a] == found[b]
    assert len(set(found)) > 1
    code, told, _ = run(*embed, "looks.csv", "--frames")
    looks = rows(tmp_path / "faces.csv")
    assert len(looks) > 3 * 9
    assert f"{len(looks)} looks at 9 faces in 1 video, 0 new files\n" in told
    assert {row["file"] for row in looks} == {"film.mp4"}
    assert all(row["from"] == row["to"] for row in looks)
    known = read_constraints(tmp_path / "looks.csv", len(looks))
    assert known.group.max() == 8
    assert known.group[known.hard].tolist() == [list(pair) for pair in pairs]
    assert run(*embed, "held.csv")[0] == 0
    (tmp_path / "held.csv").write_text("face,other,apart\n0,99,1\n")
    code, _, told = run("cluster", "auto", "faces.csv", "--constraints", "held.csv")
    assert code == 3
    assert "9 faces are 0 to 8" in told
