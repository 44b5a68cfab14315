"""The papers' tables, on a small set in the published format."""

import json

import pytest

from personae import InputError
from personae.methods import LEARNED, METHODS, StarFC
from personae.papers import DATA_SETS, benchmark
from personae.papers.published import IDENTITIES
from personae.train import evidence
from personae.train.plan import Plan
from tests.papers.published_files import write_set


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(evidence, "PLAN", Plan(20, "adamw", 3e-3, validate_every=20))
    monkeypatch.setattr(evidence, "WORLDS", 2)


def test_every_row_names_a_method_that_is_here_and_its_settings():
    for of in DATA_SETS.values():
        assert len(set(of.methods)) == len(of.methods)
        for row in of.rows:
            if row.method in METHODS:
                METHODS[row.method](**{name: 2 if v == IDENTITIES else v for name, v in row.settings.items()})
            else:
                assert row.method is None or row.method in LEARNED
        for name, settings in of.learn.items():
            LEARNED[name](**settings)


def test_methods_stand_beside_what_was_published(tmp_path):
    write_set(tmp_path, ["part0_train", "part1_test", "part3_test"], 80)
    lines = list(benchmark("ms1m", tmp_path, ["hac", "threshold", "cdp"]))
    here = [(line.part, line.method) for line in lines if line.method]
    assert here == [
        (part, name) for part in ("part1_test", "part3_test") for name in ("hac", "cdp", "threshold")
    ]
    by = {(line.part, line.method or line.title): line for line in lines}
    assert by["part1_test", "hac"].published == (70.63, 70.46, None)
    assert by["part3_test", "cdp"].published == (70.75, 75.82, 94.62)
    assert by["part1_test", "threshold"].published is None
    assert by["part1_test", "raw features + Infomap"].evaluation is None
    assert by["part1_test", "raw features + Infomap"].published == (93.91, 92.42, None)
    assert by["part1_test", "hac"].evaluation.bcubed.f > 0.5
    assert json.dumps([line.as_dict() for line in lines])


def test_methods_have_lists_as_long_as_the_papers_graph(tmp_path):
    write_set(tmp_path, ["deepfashion_test"], 5)
    names = ["ddc", "chinese_whispers", "fces"]  # their k of 5, 5 and 80 counts the face itself or not
    lines = [line for line in benchmark("deepfashion", tmp_path, names) if line.method]
    assert {line.method for line in lines} == set(names)
    assert all(line.evaluation for line in lines)


def test_a_method_that_refuses_says_why_and_the_others_go_on(tmp_path, monkeypatch):
    monkeypatch.setattr("personae.methods.spectral.MOST_FACES", 50)
    write_set(tmp_path, ["deepfashion_test"], 5)
    lines = benchmark("deepfashion", tmp_path, ["spectral", "kmeans"])
    found, refused = [line for line in lines if line.method]
    assert found.evaluation.clusters == 30  # as many as there are identities
    assert refused.evaluation is None
    assert "170 faces are too many" in refused.refused


def test_learned_methods_learn_from_one_part_and_are_taken_from_their_files_afterwards(quick, tmp_path):
    write_set(tmp_path / "data", ["part0_train", "part1_test"], 80)
    models = tmp_path / "models"
    told = []

    def progress(name):
        told.append(name)
        return lambda done, total: None

    def run():
        chosen = benchmark(
            "ms1m", tmp_path / "data", ["star_fc"], preset="general", models=models, told=progress
        )
        return [line for line in chosen if line.method]

    [line] = run()
    assert line.evaluation.bcubed.f > 0.8
    assert line.published == (91.97, 90.21, None)
    assert told == ["star_fc"]
    (tmp_path / "data/features/part0_train.bin").unlink()
    [again] = run()
    assert told == ["star_fc"]
    assert again.evaluation == line.evaluation
    assert StarFC.read(models / "ms1m.star_fc.general.safetensors").preset == "general"


def test_what_cannot_be_done_is_told_in_one_line(tmp_path):
    with pytest.raises(InputError, match="no data set is called lfw; there are ms1m"):
        list(benchmark("lfw", tmp_path))
    with pytest.raises(InputError, match="no method is called magic"):
        list(benchmark("ms1m", tmp_path, ["magic"]))
    write_set(tmp_path, ["part1_test"], 80)
    with pytest.raises(InputError, match="l_gcn needs a part to learn from"):
        list(benchmark("ms1m", tmp_path, ["l_gcn"]))
