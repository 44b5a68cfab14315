"""Stages on disk: the labels of the methods in memory, whatever is killed, and nothing done twice."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from personae import Auto, Constraints, FaceMap, FaceSet, OutputError, Threshold, knn_graph
from personae.scale import cells_stage, recipes, search_stages
from personae.scale.pipeline import people_in_stages, stages_of
from personae.scale.recipes import auto_recipe, facemap_recipe, threshold_recipe
from personae.scale.search_stages import read_knn
from personae.scale.shards import HERE, as_file, within_reach
from personae.scale.stages import Run, run_stages
from tests.planted import made_faces
from tests.scale.in_stages import ALL, MEMORY, Elsewhere, fresh, quiet

SIZES = [40, 25, 20, *[10] * 8, *[5] * 11, *[1] * 60]


RECIPES = {Auto: auto_recipe, FaceMap: facemap_recipe, Threshold: threshold_recipe}
METHODS = [Auto(k=30), FaceMap(k=40, window=6), FaceMap.for_albums(), Threshold(tau=0.5, k=np.int64(30))]


@pytest.mark.parametrize("method", METHODS, ids=str)
@pytest.mark.parametrize("held", [False, True], ids=["free", "constrained"])
def test_the_labels_are_those_of_the_method(planted, tmp_path, method, held, monkeypatch):
    monkeypatch.setattr(recipes, "ROWS", 90)
    constraints = None
    if held:
        found = method.fit_predict(planted)
        size = np.bincount(found)
        large = np.flatnonzero(found == size.argmax())
        others = np.flatnonzero(found != size.argmax())[:2]
        constraints = Constraints.of(len(planted), together=[[large[0], *others]], apart=[large[1:3]])
    recipe = RECIPES[type(method)](method, constraints)
    labels, ran = people_in_stages(planted, recipe, tmp_path / "work", Run(MEMORY, quiet))
    assert (labels == method.fit(planted, constraints=constraints).labels_).all()
    assert not held or (labels != found).any()
    done = ALL + ["expected"] * isinstance(method, Auto)
    assert fresh(ran) == done
    assert {path.name for path in (tmp_path / "work").iterdir()} == {*done, *(f"{name}.json" for name in done)}


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_a_graph_of_cells_in_parts_is_that_in_one_piece(planted, tmp_path, in_parts, dtype):
    rows = planted.features[np.random.default_rng(0).integers(0, 250, 300)]  # some faces are there twice
    faces = FaceSet.of(rows.astype(dtype))
    steps = stages_of(faces, auto_recipe(Auto(k=12)), 0.9, faces.features)
    ran = run_stages(steps, tmp_path, Run(MEMORY, quiet))
    whole, found = knn_graph(faces, 12, recall=0.9), read_knn(ran["knn"].folder)
    assert ran["cells"].record["counts"]["cells"] > 0
    assert (found.neighbors == whole.neighbors).all()
    assert (found.similarities == whole.similarities).all()


def test_an_exact_graph_in_parts_is_that_in_one_piece(planted, tmp_path, monkeypatch):
    monkeypatch.setattr(search_stages, "ROWS", 80)
    told = []
    recipe = auto_recipe(Auto(k=12))
    _, ran = people_in_stages(planted, recipe, tmp_path, Run(MEMORY, lambda *done: told.append(done)))
    whole, found = knn_graph(planted, 12), read_knn(ran["knn"].folder)
    assert (found.neighbors == whole.neighbors).all()
    assert (found.similarities == whole.similarities).all()
    assert [done for done in told if done[0] == "knn"] == [
        ("knn", upto, 280) for upto in (0, 80, 160, 240, 280)
    ]


def test_a_changed_parameter_redoes_only_what_depends_on_it(planted, tmp_path):
    def run(**parameters):
        method = FaceMap(**{"k": 24, "window": 4, **parameters})
        labels, ran = people_in_stages(planted, facemap_recipe(method), tmp_path, Run(MEMORY, quiet))
        assert (labels == method.fit_predict(planted)).all()
        return fresh(ran)

    assert run() == ALL
    assert run() == []
    assert run(window=6) == ["links", "labels"]
    assert run(window=6, directed=True) == ["labels"]
    assert run(window=6, directed=True, k=30) == ALL
    shutil.rmtree(tmp_path / "labels")
    assert run(window=6, directed=True, k=30) == ["labels"]


def test_other_faces_and_damaged_files_are_noticed(planted, tmp_path):
    recipe = facemap_recipe(FaceMap.for_albums())
    others = made_faces(SIZES, seed=5)
    for faces, redone in ((planted, ALL), (others, ALL), (others, [])):
        assert fresh(people_in_stages(faces, recipe, tmp_path, Run(MEMORY, quiet))[1]) == redone
    file = tmp_path / "links" / "weights.npy"
    file.write_bytes(file.read_bytes()[:-4] + b"\0\0\0\1")
    assert fresh(people_in_stages(others, recipe, tmp_path, Run(MEMORY, quiet))[1]) == ["links"]
    (tmp_path / "knn.json").write_text("{")
    ran = people_in_stages(others, recipe, tmp_path, Run(MEMORY, quiet))[1]
    assert fresh(ran) == ["knn"]  # and it is as it was


@pytest.mark.parametrize("method", [Auto(k=12), FaceMap(k=12, window=4), Threshold(tau=0.5, k=12)], ids=str)
def test_shards_need_nothing_but_files_and_stand_in_any_order(planted, tmp_path, in_parts, monkeypatch, method):
    for module, name in ((recipes, "ROWS"), (cells_stage, "LOOKED_UP")):
        monkeypatch.setattr(module, name, 90)
    recipe = RECIPES[type(method)](method)
    one, other = (
        people_in_stages(planted, recipe, tmp_path / at, Run(MEMORY, quiet, place), recall=0.9)
        for at, place in (("here", HERE), ("there", Elsewhere()))
    )
    assert (one[0] == other[0]).all()
    for stage in ALL:
        assert one[1][stage].record["checksum"] == other[1][stage].record["checksum"]
    again = people_in_stages(planted, recipe, tmp_path / "here", Run(MEMORY, quiet, Elsewhere()), recall=0.9)[1]
    assert fresh(again) == []


def test_features_that_are_a_map_are_read_from_their_file(planted, tmp_path):
    file = tmp_path / "faces.npy"
    np.save(file, planted.features)
    (tmp_path / "work").mkdir()
    mapped = FaceSet(np.load(file, mmap_mode="r"))
    assert as_file(mapped.features) == within_reach(mapped.features, tmp_path / "work") == file
    assert isinstance(as_file(mapped.features[:10]), np.ndarray)
    copy = within_reach(planted.features, tmp_path / "work")
    assert (np.load(copy) == planted.features).all()
    written = copy.stat().st_mtime_ns
    assert within_reach(planted.features, tmp_path / "work").stat().st_mtime_ns == written
    fewer = within_reach(mapped.features, tmp_path / "work", np.arange(10))
    assert (np.load(fewer) == planted.features[:10]).all()
    assert fewer != copy
    assert not copy.exists()
    labels, _ = people_in_stages(mapped, auto_recipe(Auto(k=12)), tmp_path / "work", Run(MEMORY, quiet))
    assert (labels == Auto(k=12).fit_predict(planted)).all()


def test_distinct_faces_of_a_map_are_written_once(planted, tmp_path):
    np.save(tmp_path / "twice.npy", np.concatenate([planted.features, planted.features[:30]]))
    mapped = FaceSet(np.load(tmp_path / "twice.npy", mmap_mode="r"))
    work, written = tmp_path / "work", set()
    for _ in range(2):
        labels, _ = people_in_stages(mapped, auto_recipe(Auto(k=12)), work, Run(MEMORY, quiet))
        assert (labels == np.r_[Auto(k=12).fit_predict(planted), labels[:30]]).all()
        written |= {(file.name, file.stat().st_mtime_ns) for file in work.glob("features-*.npy")}
    assert len(written) == 1


def test_of_two_runs_in_one_folder_the_second_changes_nothing(planted, tmp_path):
    np.save(tmp_path / "twice.npy", np.concatenate([planted.features, planted.features]))
    mapped = FaceSet(np.load(tmp_path / "twice.npy", mmap_mode="r"))
    recipe, refused = auto_recipe(Auto(k=12)), []

    def interrupted(*_):
        if not refused:
            refused.append(True)
            with pytest.raises(OutputError, match="in use"):
                people_in_stages(mapped.take(np.arange(300)), recipe, tmp_path / "work", Run(MEMORY, quiet))

    labels, _ = people_in_stages(mapped, recipe, tmp_path / "work", Run(MEMORY, interrupted))
    assert refused
    assert (labels == np.tile(Auto(k=12).fit_predict(planted), 2)).all()


def test_other_constraints_redo_only_the_labels(planted, tmp_path):
    for apart, redone in (([[0, 1]], ALL), ([[0, 1]], []), ([[0, 2]], ["labels"])):
        recipe = facemap_recipe(FaceMap.for_albums(), Constraints.of(len(planted), apart=apart))
        assert fresh(people_in_stages(planted, recipe, tmp_path, Run(MEMORY, quiet))[1]) == redone


def test_the_json_of_a_stage_tells_what_it_is(planted, tmp_path):
    people_in_stages(planted, facemap_recipe(FaceMap.for_albums()), tmp_path, Run(MEMORY, quiet))
    record = json.loads((tmp_path / "links.json").read_text())
    assert record["parameters"]["window"] == 4
    assert record["after"] == {"knn": json.loads((tmp_path / "knn.json").read_text())["checksum"]}
    assert {"versions", "counts", "seconds", "bytes", "checksum", "personae"} <= record.keys()


KILLED = """
import os, signal, sys
from pathlib import Path
from personae import FaceMap, SyntheticIdentities, synthetic_faces
from personae.graph import search, tables
from personae.scale import cells_stage, search_stages
from personae.scale.pipeline import people_in_stages
from personae.scale.recipes import facemap_recipe
from personae.scale.stages import Run

search.SMALL = cells_stage.SMALL = 0
search_stages.FACES, tables.TABLES = 200, 2
tables.Tables.cost = lambda of, _: -len(of.cells)

def ended(folder, kill_in=None, at=0):
    child = os.fork()  # this process has no threads
    if child:
        return os.waitpid(child, 0)[1]
    told = []
    def tell(name, done, total):
        told.append(name)
        if name == kill_in and told.count(name) == at:
            os.kill(os.getpid(), signal.SIGKILL)
    faces = synthetic_faces(SyntheticIdentities(faces=700))
    run = Run(8 << 30, tell)
    ran = people_in_stages(faces, facemap_recipe(FaceMap(k=16, window=4)), folder, run, recall=0.9)[1]
    print(*(name for name, stage in ran.items() if stage.fresh), told.count("knn"), flush=True)
    os._exit(0)

for case, (name, at) in enumerate((("cells", 2), ("knn", 3), ("knn", 9), ("links", 2), ("labels", 2))):
    folder = Path(sys.argv[1]) / str(case)
    assert ended(folder, name, at) == signal.SIGKILL
    assert ended(folder) == 0
"""


def test_a_run_killed_in_any_stage_goes_on_and_gives_the_same_labels(tmp_path):
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=300).stdout
    assert told.splitlines() == [
        "cells knn links labels 16",  # four runs in each of three phases that begin, and the end
        "knn links labels 14",  # two of the runs were done
        "knn links labels 8",  # a phase, and three of the runs of the second
        "links labels 0",
        "labels 0",
    ]
    labels = [(path / "labels" / "labels.npy").read_bytes() for path in tmp_path.iterdir()]
    assert len(set(labels)) == 1


def test_a_lower_threshold_redoes_labels_under_constraints_though_the_forest_is_the_same(tmp_path):
    cosines = np.array([[1, 0.8, 0.8, 0.8], [0.8, 1, 0.5, 0.5], [0.8, 0.5, 1, 0.7], [0.8, 0.5, 0.7, 1]])
    faces = FaceSet.of(np.linalg.cholesky(cosines))
    held = Constraints.of(4, apart=[[0, 2], [0, 3]])
    for tau, labels in ((0.75, [0, 0, 1, 2]), (0.6, [0, 0, 1, 1])):
        recipe = threshold_recipe(Threshold(tau=tau), held)
        assert people_in_stages(faces, recipe, tmp_path, Run(MEMORY, quiet))[0].tolist() == labels


@pytest.mark.parametrize("elsewhere", [False, True])
@pytest.mark.parametrize("method", [Auto(k=12), FaceMap(k=12, window=4), Threshold(tau=0.5, k=12)], ids=str)
def test_copies_are_one_face_in_stages_as_in_memory(planted, tmp_path, method, elsewhere):
    recipe = {Auto: auto_recipe, FaceMap: facemap_recipe, Threshold: threshold_recipe}[type(method)]
    of = np.r_[np.arange(len(planted)), np.repeat([3, 50], 30)]
    held = Constraints.of(len(of), together=[[4, 282]], apart=[[3, 5]])
    for told in (None, held):
        run = Run(MEMORY, quiet, Elsewhere()) if elsewhere else Run(MEMORY, quiet)
        labels, ran = people_in_stages(planted.take(of), recipe(method, told), tmp_path, run)
        assert (labels == method.fit(planted.take(of), constraints=told).labels_).all()
        assert ran["knn"].record["counts"]["faces"] == len(planted)


@pytest.mark.parametrize("held", [False, True], ids=["free", "constrained"])
def test_pictures_of_one_moment_count_once_in_stages_as_in_memory(tmp_path, held):
    once = made_faces([4] * 12, d=32)
    rows = np.repeat(once.features, 25, axis=0)
    noise = 0.1 / np.sqrt(32) * np.random.default_rng(0).normal(size=rows.shape)
    faces, method = FaceSet.of(rows + noise), Auto(k=12)
    constraints = Constraints.of(len(faces), apart=[[0, 1]], together=[[2, 299]]) if held else None
    recipe = auto_recipe(method, constraints)
    labels, ran = people_in_stages(faces, recipe, tmp_path, Run(MEMORY, quiet))
    assert (labels == method.fit(faces, constraints=constraints).labels_).all()
    assert {"cells", "knn", "moments/cells", "moments/knn"} <= set(ran)
    assert "links" not in ran
    again, ran = people_in_stages(faces, recipe, tmp_path, Run(MEMORY, quiet))
    assert (again == labels).all()
    assert fresh(ran) == []
    free, _ = people_in_stages(faces, auto_recipe(method), tmp_path, Run(MEMORY, quiet))
    assert (free == method.fit(faces).labels_).all()
    away, _ = people_in_stages(faces, recipe, tmp_path / "away", Run(MEMORY, quiet, Elsewhere()))
    assert (away == labels).all()


def test_links_of_a_run_in_which_nobody_stood_for_a_moment_are_not_taken_for_those_of_moments(tmp_path):
    once = made_faces([1] * 80, d=32)
    rows = np.r_[once.features, once.features[:2]]
    faces, method = FaceSet.of(rows + 1e-3 * np.random.default_rng(0).normal(size=rows.shape)), Auto(k=12)
    apart = Constraints.of(82, apart=[[0, 80], [1, 81]])
    ran = people_in_stages(faces, auto_recipe(method, apart), tmp_path, Run(MEMORY, quiet))[1]
    assert "links" in ran
    labels, ran = people_in_stages(faces, auto_recipe(method), tmp_path, Run(MEMORY, quiet))
    assert "links" not in ran
    assert (labels == method.fit(faces).labels_).all()
