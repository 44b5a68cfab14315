import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from personae import OutputError
from personae.data import one_writer
from personae.data.one_writer import one_writer_in, one_writer_of

COUNT = """
import sys
from pathlib import Path
from personae.data import one_writer
from personae.data.one_writer import one_writer_of
one_writer.LOOK_EVERY = 0.001
file = Path(sys.argv[1])
for _ in range(30):
    with one_writer_of(file, waiting=lambda line: None):
        file.write_text(str(int(file.read_text()) + 1))
"""
HOLD = """
import sys, time
from pathlib import Path
from personae.data.one_writer import one_writer_of
with one_writer_of(Path(sys.argv[1])):
    print(flush=True)
    time.sleep(600)
"""


def started(code, *words, **more):
    root = Path(__file__).resolve().parents[2]
    return subprocess.Popen([sys.executable, "-c", code, *map(str, words)], cwd=root, **more)


def test_of_several_programs_that_count_in_one_file_none_loses_a_number(tmp_path):
    file = tmp_path / "count"
    file.write_text("0")
    for run in [started(COUNT, file) for _ in range(3)]:
        assert run.wait() == 0
    assert file.read_text() == "90"
    assert [path.name for path in tmp_path.iterdir()] == ["count"]


def test_the_second_is_told_who_is_at_work(tmp_path):
    with started(HOLD, tmp_path / "people.npz", stdout=subprocess.PIPE) as run:
        run.stdout.readline()
        line = f"people.npz is in use by process {run.pid} on "
        with pytest.raises(OutputError, match=line), one_writer_of(tmp_path / "people.npz"):
            pass
        run.kill()


def test_a_killed_program_keeps_nobody_out(tmp_path):
    with started(HOLD, tmp_path / "people.npz", stdout=subprocess.PIPE) as run:
        run.stdout.readline()
        run.kill()
    assert list(tmp_path.iterdir())
    with one_writer_of(tmp_path / "people.npz"):
        pass
    assert not list(tmp_path.iterdir())


def test_whoever_waits_is_told_once_and_goes_on(tmp_path):
    told, order, held = [], [], threading.Event()

    def first():
        with one_writer_of(tmp_path / "file"):
            held.set()
            time.sleep(3 * one_writer.LOOK_EVERY)
            order.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    held.wait()
    with one_writer_of(tmp_path / "file", waiting=told.append):
        order.append("second")
    thread.join()
    assert order == ["first", "second"]
    assert len(told) == 1
    assert "waiting" in told[0]


def test_a_folder_that_is_left_empty_goes_again(tmp_path):
    work = one_writer_in(tmp_path / "work")
    with work, pytest.raises(OutputError, match="work is in use"), one_writer_in(tmp_path / "work"):
        pass
    assert not list(tmp_path.iterdir())
    with one_writer_in(tmp_path / "work"):
        (tmp_path / "work" / "result").touch()
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["result"]


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file: File exists"), one_writer_in(tmp_path / "file"):
        pass
    with (
        pytest.raises(OutputError, match="No such file or directory"),
        one_writer_of(tmp_path / "none" / "file"),
    ):
        pass
