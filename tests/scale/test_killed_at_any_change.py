"""A run that is killed before any of the changes that it makes on disk goes on to the same labels."""

import os

import numpy as np
import pytest

from personae import FaceMap
from personae.graph import tables
from personae.scale import search_stages
from personae.scale.pipeline import people_in_stages
from personae.scale.recipes import facemap_recipe
from personae.scale.stages import Run
from tests.planted import made_faces

RUN = Run(8 << 30, lambda *_: None)
CHANGES = ("unlink", "rename", "replace", "rmdir")


class KilledError(BaseException):
    """Nobody catches it."""


class Disk:
    """Counts what is removed and renamed; after `last` of these nothing is any more."""

    def __init__(self, patch):
        self.count, self.last = 0, np.inf
        for name in CHANGES:
            patch.setattr(os, name, self.counted(getattr(os, name)))

    def counted(self, change):
        def counted(path, *others, **named):
            if str(path).endswith(".lock"):  # which the system takes back from a killed program
                return change(path, *others, **named)
            if self.count >= self.last:
                raise KilledError
            self.count += 1
            return change(path, *others, **named)

        return counted


@pytest.fixture
def disk(in_parts, monkeypatch):
    monkeypatch.setattr(search_stages, "FACES", 100)
    monkeypatch.setattr(tables, "TABLES", 1)
    return Disk(monkeypatch)


@pytest.mark.parametrize("every", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_killed_before_any_change_on_disk(tmp_path, disk, every):
    faces, recipe = made_faces([20, 10, *[5] * 20, *[1] * 40]), facemap_recipe(FaceMap(k=8, window=4))
    before = facemap_recipe(FaceMap(k=6, window=4))  # whose stages are there, and stale
    people_in_stages(faces, before, tmp_path / "whole", RUN)
    disk.count = 0
    labels, _ = people_in_stages(faces, recipe, tmp_path / "whole", RUN)
    changes = disk.count
    assert changes > 20
    for last in range(0, changes, every):
        people_in_stages(faces, before, tmp_path / str(last), RUN)
        disk.count, disk.last = 0, last
        with pytest.raises(KilledError):
            people_in_stages(faces, recipe, tmp_path / str(last), RUN)
        disk.last = np.inf
        found, ran = people_in_stages(faces, recipe, tmp_path / str(last), RUN)
        assert (found == labels).all()
        assert {path.name for path in (tmp_path / str(last)).iterdir()} == {
            *ran,
            *(f"{name}.json" for name in ran),
        }
