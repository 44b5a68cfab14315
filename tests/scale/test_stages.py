"""Stages on disk: the labels of the methods in memory, whatever is killed, and nothing done twice."""

import errno
import json
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest

from personae import Auto, Constraints, FaceMap, FaceSet, InputError, OutputError, Threshold, knn_graph
from personae.graph import search, tables
from personae.scale import cells_stage, lists_on_disk, recipes, search_by_cells, search_stages, stages
from personae.scale.pipeline import people_in_stages, stages_of
from personae.scale.recipes import auto_recipe, facemap_recipe, threshold_recipe
from personae.scale.search_stages import read_knn
from personae.scale.shards import HERE, as_file, within_reach
from personae.scale.sizes import bytes_of
from personae.scale.stages import Run, run_stages
from tests.planted import made_faces

MEMORY = 8 << 30
ALL = ["cells", "knn", "links", "labels"]
SIZES = [40, 25, 20, *[10] * 8, *[5] * 11, *[1] * 60]


def quiet(name, done, total):
    pass


def fresh(ran):
    return [name for name, stage in ran.items() if stage.fresh]


@pytest.fixture
def in_parts(monkeypatch):
    """Sets of any size are searched by cells of three tables, a few of them at a time."""
    monkeypatch.setattr(search, "SMALL", 0)
    monkeypatch.setattr(cells_stage, "SMALL", 0)
    monkeypatch.setattr(search_stages, "FACES", 70)
    monkeypatch.setattr(tables, "TABLES", 3)
    monkeypatch.setattr(tables.Tables, "cost", lambda of, _: -len(of.cells))


RECIPES = {Auto: auto_recipe, FaceMap: facemap_recipe, Threshold: threshold_recipe}
METHODS = [Auto(k=30), FaceMap(k=40, window=6), FaceMap.for_albums(), Threshold(tau=0.5, k=30)]


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


class Elsewhere:
    """Like other machines: shards in any order, and nothing but files is shared."""

    apart = True

    def run(self, work, shards, memory):
        for shard in reversed(shards):
            there, of = pickle.loads(pickle.dumps((work, shard)))
            yield shard, there(of)


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


def test_too_little_memory_is_refused_with_what_is_needed(planted, tmp_path):
    with pytest.raises(InputError, match=r"needs ([\d.]+[MG]) .* 100M may be held; give --memory \1"):
        people_in_stages(planted, auto_recipe(Auto()), tmp_path / "work", Run(bytes_of("100M"), quiet))
    assert not (tmp_path / "work").exists()


def test_cells_that_take_more_memory_than_was_foreseen_are_told(planted, tmp_path, in_parts, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(search_stages, "search_memory", lambda *_: 1 << 40)
        with pytest.raises(InputError, match=r"the stage knn needs 1024\.0G"):
            people_in_stages(planted, auto_recipe(Auto(k=12)), tmp_path, Run(MEMORY, quiet))
    _, ran = people_in_stages(planted, auto_recipe(Auto(k=12)), tmp_path, Run(MEMORY, quiet))
    assert fresh(ran) == ["knn", "links", "labels", "expected"]


def test_links_that_take_more_memory_than_was_foreseen_are_told(planted, tmp_path, monkeypatch):
    recipe = auto_recipe(Auto(k=12), Constraints.of(len(planted), apart=[[0, 1]]))
    with monkeypatch.context() as patch:
        patch.setattr(recipes, "of_map_equation", lambda size, links=0: links << 40)
        with pytest.raises(InputError, match=r"the stage labels needs \d+\.0G"):
            people_in_stages(planted, recipe, tmp_path, Run(MEMORY, quiet))
    _, ran = people_in_stages(planted, recipe, tmp_path, Run(MEMORY, quiet))
    assert fresh(ran) == ["labels", "expected"]


def test_a_disk_that_is_too_small_is_refused_before_the_work(planted, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(stages.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(OutputError, match="more are needed; make room"):
        people_in_stages(planted, auto_recipe(Auto()), tmp_path, Run(MEMORY, quiet))
    assert not list(tmp_path.iterdir())


def test_a_disk_that_fills_up_leaves_one_line_and_a_state_that_goes_on(planted, tmp_path, monkeypatch):
    recipe = facemap_recipe(FaceMap.for_albums())
    save = np.save

    def full(file, values):
        if "weights" in file.name:
            file.write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        save(file, values)

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(OutputError, match="No space left on device; make room and give the same command again"):
        people_in_stages(planted, recipe, tmp_path, Run(MEMORY, quiet))
    monkeypatch.setattr(np, "save", save)
    labels, ran = people_in_stages(planted, recipe, tmp_path, Run(MEMORY, quiet))
    assert fresh(ran) == ["links", "labels"]
    assert (labels == FaceMap.for_albums().fit_predict(planted)).all()


@pytest.mark.parametrize(
    ("module", "name", "worked", "left"),
    [
        (search_by_cells, "write_lists", 2, 17),  # of the first phase nothing is left but to gather
        (search_by_cells, "write_lists", 6, 12),  # of the second
        (lists_on_disk, "_allocate", 0, 17),
    ],
)
def test_a_disk_that_fills_up_under_the_search_does_so_too(
    planted, tmp_path, in_parts, monkeypatch, module, name, worked, left
):
    recipe = facemap_recipe(FaceMap(k=12, window=4))
    write, calls = getattr(module, name), []

    def full(*arguments):
        calls.append(arguments)
        if len(calls) > worked:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(*arguments)

    told = []
    with monkeypatch.context() as patch:
        patch.setattr(module, name, full)
        with pytest.raises(OutputError, match="make room and give the same command again"):
            people_in_stages(planted, recipe, tmp_path, Run(MEMORY, quiet), recall=0.9)
    run = Run(MEMORY, lambda *done: told.append(done))
    _, ran = people_in_stages(planted, recipe, tmp_path, run, recall=0.9)
    assert fresh(ran) == ["knn", "links", "labels"]
    assert [name for name, *_ in told].count("knn") == left
    whole, found = knn_graph(planted, 12, recall=0.9), read_knn(ran["knn"].folder)
    assert (found.neighbors == whole.neighbors).all()


@pytest.mark.parametrize("wrong", ["", "20", "G", "0G", "-1G", "20 bananas"])
def test_what_is_no_size_is_refused(wrong):
    with pytest.raises(InputError, match="20G"):
        bytes_of(wrong)


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
