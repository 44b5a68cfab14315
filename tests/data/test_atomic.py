"""A file is the old one or the new one, whatever happens while it is written."""

import signal
import subprocess
import sys

import pytest

from personae.data.atomic import PREFIX, atomic_write, sweep
from personae.errors import OutputError
from tests.data.small_faces import room_for


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_new_file_replaces_the_old(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with atomic_write(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
        assert temporary.suffix == ".txt"
    assert path.read_text() == "new"
    assert names(tmp_path) == ["a.txt"]


def test_missing_folders_are_made(tmp_path):
    with atomic_write(tmp_path / "b" / "c" / "a.txt") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "b" / "c" / "a.txt").read_text() == "new"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(error), atomic_write(path) as temporary:
        temporary.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_full_disk_leaves_the_old_file_and_says_so(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    said = r"cannot write .*a\.txt.*make room"
    with room_for(1000), pytest.raises(OutputError, match=said), atomic_write(path) as temporary:
        temporary.write_bytes(bytes(5000))
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_folder_in_the_way_is_an_output_error(tmp_path):
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(OutputError, match="is a folder or device"), atomic_write(tmp_path / "a.txt"):
        pass
    with pytest.raises(OutputError, match="is a folder or device"), atomic_write(tmp_path / "."):
        pass


def test_a_device_is_not_replaced():
    with pytest.raises(OutputError, match="is a folder or device"), atomic_write("/dev/null"):
        pass


def test_a_file_where_a_folder_should_be_is_an_output_error(tmp_path):
    (tmp_path / "file").write_text("here")
    with (
        pytest.raises(OutputError, match="cannot write"),
        atomic_write(tmp_path / "file" / "a.txt") as temporary,
    ):
        temporary.write_text("new")
    assert (tmp_path / "file").read_text() == "here"


def test_a_place_that_cannot_be_written_is_an_output_error():
    with pytest.raises(OutputError, match="cannot write"), atomic_write("/proc/a.txt") as temporary:
        temporary.write_text("new")


def test_a_name_too_long_is_an_output_error(tmp_path):
    with pytest.raises(OutputError, match="cannot write"), atomic_write(tmp_path / ("a" * 300)) as temporary:
        temporary.write_text("new")


def test_the_longest_name_a_disk_takes_can_be_written(tmp_path):
    path = tmp_path / ("é" * 125 + ".txt")
    with atomic_write(path) as temporary:
        temporary.write_text("new")
        assert temporary.suffix == ".txt"
    assert names(tmp_path) == [path.name]


def test_a_kill_leaves_the_old_file_and_a_leftover_that_sweep_removes(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    killed = f"""
import os, signal
from personae.data.atomic import atomic_write
with atomic_write({str(path)!r}) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", killed], check=False).returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    assert [name.startswith(PREFIX) for name in names(tmp_path)] == [True, False]
    sweep(tmp_path)
    assert names(tmp_path) == ["a.txt"]
