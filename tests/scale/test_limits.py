"""Memory that is kept to, disks that fill up: one line, and a state that goes on."""

import errno
import shutil

import numpy as np
import pytest

from personae import Auto, Constraints, FaceMap, InputError, OutputError, knn_graph
from personae.scale import lists_on_disk, recipes, search_by_cells, search_stages, stages
from personae.scale.pipeline import people_in_stages
from personae.scale.recipes import auto_recipe, facemap_recipe
from personae.scale.search_stages import read_knn
from personae.scale.sizes import bytes_of
from personae.scale.stages import Run
from tests.scale.in_stages import ALL, MEMORY, fresh, quiet


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


@pytest.mark.parametrize(
    ("recipe", "formula", "stage"),
    [
        (auto_recipe(Auto(k=12)), "of_looks", "links"),
        (facemap_recipe(FaceMap(k=12, window=4)), "of_map_equation", "labels"),
    ],
    ids=["auto", "facemap"],
)
def test_more_links_than_were_foreseen_are_refused_where_people_are_made_of_them(
    planted, tmp_path, monkeypatch, recipe, formula, stage
):
    with monkeypatch.context() as patch:
        patch.setattr(recipes, formula, lambda *size: size[-1] << 40)
        with pytest.raises(InputError, match=rf"the stage {stage} needs \d+\.0G"):
            people_in_stages(planted, recipe, tmp_path, Run(MEMORY, quiet))
    _, ran = people_in_stages(planted, recipe, tmp_path, Run(MEMORY, quiet))
    assert fresh(ran)[:2] == ALL[ALL.index(stage) :][:2]


def test_an_expectation_that_wanted_memory_is_asked_for_again(planted, tmp_path, monkeypatch):
    recipe = auto_recipe(Auto(k=12))
    with monkeypatch.context() as patch:
        patch.setattr(recipes, "of_map_equation", lambda *_: 1 << 60)
        _, ran = people_in_stages(planted, recipe, tmp_path, Run(MEMORY, quiet))
        assert ran["expected"].record["counts"]["without_labels"] == recipes.WANTS_MEMORY
    _, ran = people_in_stages(planted, recipe, tmp_path, Run(MEMORY, quiet))
    assert fresh(ran) == ["expected"]
    assert "F" in ran["expected"].record["counts"]["without_labels"]


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
        if values.dtype == np.float32 and "links.part" in str(file):
            file.write_bytes(b"half")
            raise OSError("30 requested and 4 written")  # as numpy says it, without a number
        save(file, values)

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(OutputError, match="4 written; make room and give the same command again"):
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
