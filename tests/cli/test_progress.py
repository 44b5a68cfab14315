"""How far long work is, as a terminal shows it."""

import sys
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from personae.cli import progress
from personae.data import write_faces
from personae.heard import tell
from tests.planted import made_faces


@pytest.fixture
def shown(monkeypatch):
    """What bars were opened on a terminal, and what each was told."""
    bars = []

    @contextmanager
    def bar(what, unit, *, transient=False):
        bars.append((what, [], transient))
        yield lambda done, total: bars[-1][1].append((done, total))
        bars.append((None, [], transient))

    monkeypatch.setattr(progress, "_bar", bar)
    return bars


@pytest.mark.parametrize("seen", [True, False])
def test_a_run_in_memory_is_shown_on_a_terminal_alone(run, tmp_path, monkeypatch, shown, seen):
    monkeypatch.setattr("personae.graph.search.TOLD_EVERY", 30)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: seen, raising=False)
    write_faces(made_faces([20, 10, *[5] * 10, *[1] * 20]), tmp_path / "faces.npz")
    code, _, problems = run("cluster", "auto", "faces.npz")
    assert (code, problems) == (0, "")
    if not seen:
        assert shown == []
        return
    assert {what for what, *_ in shown} == {"neighbors", "strangers", "people", None}
    assert shown[0][1] == [(0, 100), (30, 100), (60, 100), (90, 100), (100, 100)]
    assert all(transient for *_, transient in shown)
    assert shown[-1][0] is None  # closed before the result is printed


def test_one_progress_is_shown_at_a_time(monkeypatch, shown):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with progress.on_terminal(), progress.progress("training", "steps"):
        tell("neighbors", 1, 2)
    assert [what for what, *_ in shown if what] == ["training"]


def test_work_within_other_work_is_not_shown(monkeypatch, shown):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with progress.on_terminal():
        for what, done in (("people", 0), ("neighbors", 0), ("neighbors", 9), ("people", 9), ("neighbors", 0)):
            tell(what, done, 9)
    assert [what for what, *_ in shown if what] == ["people", "neighbors"]
    assert shown[0][1] == [(0, 9), (9, 9)]


def test_each_work_is_shown_once_and_closed_when_it_is_done(shown):
    with progress.one_after_another(lambda what: progress._bar(what, "faces")) as told:
        for what, done in (("knn", 0), ("knn", 5), ("knn", 5), ("links", 2), ("labels", 5), ("links", 5)):
            told(what, done, 5)
    assert [what for what, *_ in shown if what] == ["knn", "links", "labels", "links"]
    assert shown[0][1] == [(0, 5), (5, 5)]


@pytest.fixture
def clock(monkeypatch):
    """Seconds, to be set."""
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now.seconds))
    return now


def test_lines_tell_the_rate_and_the_time_left_of_this_run(clock, capsys):
    told = progress._Lines("looking for faces", "photos")
    told(20_000, 40_000)  # those that an earlier run looked at
    clock.seconds = 60.0
    told(20_300, 40_000)
    progress._Lines("looking for faces", "photos")(5, 5)
    assert capsys.readouterr().err.splitlines() == [
        "looking for faces: 20,300 of 40,000 photos, 5.0 a second, 3940 s left",
        "looking for faces: 5 of 5 photos",
    ]


def test_a_bar_tells_the_rate_of_this_run(clock, monkeypatch):
    rates = []
    monkeypatch.setattr("rich.progress.Progress.update", lambda self, task, *, rate, **more: rates.append(rate))
    with progress._bar("looking for faces", "photos") as told:
        told(20_000, 40_000)
        clock.seconds = 60.0
        told(20_300, 40_000)
    assert rates == [0, 5]
