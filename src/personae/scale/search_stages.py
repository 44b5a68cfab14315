"""The kNN graph in parts on disk: to the bit that of `knn_graph`, and a part that is done stays done."""

import json
import os
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numba import njit
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from personae.data.atomic import atomic_write
from personae.graph.exact import nearest_faces
from personae.graph.join import joined
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.graph.search import CELLS, SMALL, Layout, complete, laid_out
from personae.scale.stages import Desk

ROWS = 1 << 14  # faces searched in a part where all pairs are looked at
FACES = 1 << 17  # in a part where cells are
MERGED = 1 << 14  # rows merged in one go
BASE = 600 << 20  # bytes of Python and of all libraries
LIKELY = 0.04  # of the cells
TABLES, OTHER = ("neighbors", "similarities"), ".other"
Mode = Literal["r", "r+", "w+"]


def lay_out(features: NDArray[np.floating[Any]], k: int, recall: float, desk: Desk) -> dict[str, Any]:
    """Writes the cells, or nothing where all pairs are to be looked at."""
    n, found = len(features), {"cells": 0, "probes": 0}
    if n > SMALL and recall < 1:
        desk.told(0, n)
        layout = laid_out(_wide(features), k, recall)
        if layout is not None:
            np.save(desk.folder / "order.npy", layout.order)
            np.save(desk.folder / "probe.npy", layout.probe)
            found = {"cells": layout.cells, "probes": layout.probe.shape[1]}
        desk.told(n, n)
    return {"faces": n, **found}


def search(features: NDArray[np.floating[Any]], k: int, desk: Desk) -> dict[str, Any]:
    """Writes neighbors.npy and similarities.npy, (N, k) int32 and float32.

    InputError: the cells that are needed take more memory than may be held.
    """
    k = min(k, len(features) - 1)
    cells = desk.of["cells"]
    if (cells / "order.npy").is_file():
        probe = np.load(cells / "probe.npy")
        desk.refuse_more_than_memory(search_memory(len(features), features.shape[1], k, probe.shape[1]))
        _join(_wide(features), Layout(np.load(cells / "order.npy"), probe, int(probe.max()) + 1), k, desk)
    else:
        _search_all(features, k, desk)
    return {"faces": len(features), "k": k}


def search_memory(n: int, d: int, k: int, probes: int) -> int:
    """Bytes: features twice, candidates, a result, two tables on disk that are in use, and who looks where."""
    return BASE + n * (8 * d + 8 * (2 * k + 64) + 8 * k + 16 * k + 12 * probes)


def probes_likely(n: int) -> int:
    """Cells that a face may have to look into, from what was measured; 0 where all pairs are looked at."""
    return round(LIKELY * CELLS * n**0.5) if n > SMALL else 0


def read_knn(folder: Path) -> KnnGraph:
    """The graph that `search` wrote, from disk as it is needed."""
    return KnnGraph(*_tables(folder, "", None, "r"))


def _search_all(features: NDArray[np.floating[Any]], k: int, desk: Desk) -> None:
    n, progress = len(features), Parts(desk.folder)
    neighbors, similarities = _tables(desk.folder, "", (n, k), "r+" if progress.done else "w+")
    before = progress.done * ROWS
    desk.told(0, n - before)
    for start in range(before, n, ROWS):
        stop = min(start + ROWS, n)
        neighbors[start:stop], similarities[start:stop] = nearest_faces(features, np.arange(start, stop), k)
        neighbors.flush()
        similarities.flush()
        progress.next()
        desk.told(stop - before, n - before)
    progress.end()


def _join(features: NDArray[np.float32], layout: Layout, k: int, desk: Desk) -> None:
    """Part after part of the cells; the best of the parts so far go from one pair of tables to the other."""
    n, progress = len(features), Parts(desk.folder)
    asked, ordered = layout.asked, layout.ordered(features, desk.folder)
    parts = -(-n // FACES)
    endings = [OTHER if (parts - part) % 2 == 0 else "" for part in range(parts)]
    work = np.r_[0, np.cumsum(np.diff(asked.start) * np.diff(asked.first))]  # products
    bounds = np.searchsorted(work, work[-1] * np.arange(parts + 1) / parts).clip(max=len(work) - 1)
    before = bounds[progress.done]
    desk.told(0, n)
    for part in range(progress.done, parts):
        low, high = asked.start[[bounds[part], bounds[part + 1]]]
        found = joined(ordered, asked._replace(start=asked.start.clip(low, high)), layout.order, k)
        into = _tables(desk.folder, endings[part], (n, k), "w+")
        if part == 0:
            into[0][:], into[1][:] = found
        else:
            so_far = _tables(desk.folder, endings[part - 1], None, "r+")
            for start in range(0, n, MERGED):
                rows = slice(start, start + MERGED)
                one, other = (so_far[0][rows], so_far[1][rows]), (found[0][rows], found[1][rows])
                _merge(*one, *other, into[0][rows], into[1][rows])
        for table in into:
            table.flush()
        progress.next()
        done, left = work[[bounds[part + 1], -1]] - work[before]
        desk.told(round(n * done / left), n)
    complete(features, *_tables(desk.folder, "", None, "r+"))
    for name in TABLES:
        (desk.folder / f"{name}{OTHER}.npy").unlink(missing_ok=True)
    progress.end()


class Parts:
    """How many parts of a stage are done, in a file of its folder."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "parts.json"
        self.done: int = json.loads(self.file.read_text()) if self.file.is_file() else 0

    def next(self) -> None:
        """One more is done."""
        self.done += 1
        with atomic_write(self.file) as temporary:
            temporary.write_text(json.dumps(self.done))

    def end(self) -> None:
        """All are, and the file goes."""
        self.file.unlink(missing_ok=True)


def _tables(folder: Path, ending: str, shape: tuple[int, int] | None, mode: Mode) -> tuple[Any, Any]:
    """Maps of neighbors and similarities; new ones have their room on the disk before they are written to."""
    neighbors, similarities = (folder / f"{name}{ending}.npy" for name in TABLES)
    if mode != "w+":
        return np.load(neighbors, mmap_mode=mode), np.load(similarities, mmap_mode=mode)
    tables = open_memmap(neighbors, mode, np.int32, shape), open_memmap(similarities, mode, np.float32, shape)
    for file in (neighbors, similarities):
        _allocate(file)
    return tables


def _allocate(file: Path) -> None:
    """OSError if the disk is full, which a write to the map would be killed for."""
    if hasattr(os, "posix_fallocate"):
        with file.open("r+b") as opened:
            os.posix_fallocate(opened.fileno(), 0, file.stat().st_size)


def _wide(features: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    return np.ascontiguousarray(features, dtype=np.float32)


@njit(cache=True)
def _merge(
    neighbors: NDArray[np.int32],
    similarities: NDArray[np.float32],
    others: NDArray[np.int32],
    cosines: NDArray[np.float32],
    best: NDArray[np.int32],
    highest: NDArray[np.float32],
) -> None:
    """The best of two lists of each row, which have no face in common; equals in the order of the faces."""
    for row in range(len(best)):
        left = right = 0
        for rank in range(best.shape[1]):
            one, other = neighbors[row, left], others[row, right]
            ahead = similarities[row, left] > cosines[row, right] or (
                similarities[row, left] == cosines[row, right] and one < other
            )
            if other == NOBODY or (one != NOBODY and ahead):
                best[row, rank], highest[row, rank] = one, similarities[row, left]
                left += 1
            else:
                best[row, rank], highest[row, rank] = other, cosines[row, right]
                right += 1
