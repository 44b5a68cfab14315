"""Memory of maps that were read is given back, and nothing that is in them is lost."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from personae.data.pages import let_go, passing


@pytest.fixture
def file(tmp_path):
    np.save(tmp_path / "rows.npy", np.arange(1 << 16).reshape(-1, 64))
    return tmp_path / "rows.npy"


def in_memory(file):
    """KiB of the maps of a file that this process holds."""
    parts = re.findall(
        rf"{re.escape(str(file))}\n.*?Rss: +(\d+) kB", Path("/proc/self/smaps").read_text(), re.S
    )
    return sum(map(int, parts))


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_what_was_read_is_given_back(file):
    rows = np.load(file, mmap_mode="r")
    total = rows.sum()
    assert in_memory(file) > 400
    let_go(rows[10:20], np.zeros(3))  # a part stands for the whole
    assert in_memory(file) < 100
    assert rows.sum() == total


def test_rows_pass_in_order_and_once(file):
    rows = np.load(file, mmap_mode="r")
    seen = [rows[here].copy() for here in passing(len(rows), 300, rows)]
    assert [len(block) for block in seen] == [300, 300, 300, 124]
    assert (np.concatenate(seen) == rows).all()
    assert list(passing(0, 300, rows)) == []


def test_what_was_written_to_a_map_stays(file):
    rows = np.load(file, mmap_mode="c")
    rows[3] = -1
    let_go(rows)
    assert (rows[3] == -1).all()
