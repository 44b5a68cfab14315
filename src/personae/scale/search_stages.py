"""The kNN graph in parts on disk: to the bit that of `knn_graph`, and a part that is done stays done."""

import json
import math
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numba import njit
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from personae.data.atomic import atomic_write
from personae.graph.cells import SHOWN
from personae.graph.exact import nearest_faces
from personae.graph.join import Asked, joined
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.graph.neighbors_of_neighbors import extended
from personae.graph.search import CELLS, SMALL, complete, ordered, planned
from personae.scale.stages import Desk

ROWS = 1 << 14  # faces searched in a part where all pairs are looked at
FACES = 1 << 17  # in a part where cells are
MERGED = 1 << 14  # rows merged in one go
LOOKED_UP = 1 << 16  # faces whose cells are looked up in one go; whole blocks of `Cells`
UNEVEN = 2  # a part of the faces may be so many times as large as the mean
BASE = 600 << 20  # bytes of Python and of all libraries
LIKELY = 0.01  # of the cells
TABLES, OTHER = ("neighbors", "similarities"), ".other"
Mode = Literal["r", "r+", "w+"]


def lay_out(features: NDArray[np.floating[Any]], k: int, recall: float, desk: Desk) -> dict[str, Any]:
    """Writes the cells, or nothing where all pairs are to be looked at.

    order.npy: (N,) int32, the faces cell after cell
    cell.npy:  (N,) int32, their cells
    probe.npy: (N, p) int32, the cells that each of them looks into, rising
    start.npy: (C + 1,) int64, how many look into the cells before each
    bound.npy: (N,) float32, the cosine above which a neighbor stands out

    InputError: the cells that are needed take more memory than may be held.
    """
    n, plan = len(features), None
    if n > SMALL and recall < 1:
        desk.told(0, n)
        wide = _wide(features)
        plan = planned(wide, k, recall)
    if plan is None:
        return {"faces": n, "cells": 0, "probes": 0}
    count, probes = len(plan.cells), plan.probes
    desk.refuse_more_than_memory(cells_memory(n, features.shape[1], probes))
    drawn, sorted_by_cell = desk.folder / "drawn.npy", desk.folder / "probe.npy"
    own = np.empty(n, np.int32)

    def looked_up() -> Iterator[NDArray[np.int32]]:
        for start in range(0, n, LOOKED_UP):
            block = plan.cells.nearest(wide, plan.chance[start : start + LOOKED_UP], probes)
            own[start : start + len(block)] = block[:, 0]
            desk.told(start + len(block), n)
            yield block

    _write_rows(drawn, (n, probes), looked_up())
    by_cell = np.argsort(own, kind="stable")
    parts = (by_cell[start : start + LOOKED_UP] for start in range(0, n, LOOKED_UP))
    _write_rows(sorted_by_cell, (n, probes), (np.sort(np.load(drawn, mmap_mode="r")[part]) for part in parts))
    drawn.unlink()
    looking = np.zeros(count, np.int64)
    for start in range(0, n, LOOKED_UP):
        block = np.load(sorted_by_cell, mmap_mode="r")[start : start + LOOKED_UP]
        looking += np.bincount(block.ravel(), minlength=count)
    np.save(desk.folder / "order.npy", plan.chance[by_cell].astype(np.int32))
    np.save(desk.folder / "cell.npy", own[by_cell])
    np.save(desk.folder / "bound.npy", plan.bound)
    np.save(desk.folder / "start.npy", np.r_[0, np.cumsum(looking)])
    return {"faces": n, "cells": count, "probes": probes}


def search(features: NDArray[np.floating[Any]], k: int, desk: Desk) -> dict[str, Any]:
    """Writes neighbors.npy and similarities.npy, (N, k) int32 and float32.

    InputError: the cells that are needed take more memory than may be held.
    """
    k = min(k, len(features) - 1)
    if (desk.of["cells"] / "order.npy").is_file():
        probes = np.load(desk.of["cells"] / "probe.npy", mmap_mode="r").shape[1]
        desk.refuse_more_than_memory(search_memory(len(features), features.shape[1], k, probes))
        _join(_wide(features), k, desk)
    else:
        _search_all(features, k, desk)
    return {"faces": len(features), "k": k}


def cells_memory(n: int, d: int, probes: int) -> int:
    """Bytes: features as they are read, what the cells are learned from, and some lists of cells."""
    cells = CELLS * math.isqrt(n)
    learned = 8 * d * SHOWN * cells
    return BASE + 4 * d * n + 36 * n + learned + 16 * probes * LOOKED_UP


def search_memory(n: int, d: int, k: int, probes: int) -> int:
    """Bytes: features twice, candidates, a result, two tables on disk that are in use, and who looks where."""
    in_part = 8 * probes * min(n, UNEVEN * FACES)
    return BASE + n * (8 * d + 8 * (2 * k + 64) + 24 * k + 32) + in_part


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


def _join(features: NDArray[np.float32], k: int, desk: Desk) -> None:
    """Part after part of the cells, then the neighbors of neighbors; the best so far go from one pair of tables
    to the other.
    """
    n, progress = len(features), Parts(desk.folder)
    order, cell, start = (np.load(desk.of["cells"] / f"{name}.npy") for name in ("order", "cell", "start"))
    first = np.searchsorted(cell, np.arange(len(start)))
    in_order = ordered(features, order, desk.folder)
    parts = -(-n // FACES)
    endings = [OTHER if (parts - part) % 2 else "" for part in range(parts + 1)]
    work = np.r_[0, np.cumsum(np.diff(start) * np.diff(first))]  # products
    bounds = np.searchsorted(work, work[-1] * np.arange(parts + 1) / parts).clip(max=len(work) - 1)
    before = bounds[min(progress.done, parts)]
    desk.told(0, n)
    for part in range(progress.done, parts):
        asked = _asked(desk.of["cells"] / "probe.npy", cell, first, start, bounds[part : part + 2])
        found = joined(in_order, asked, order, k)
        into = _tables(desk.folder, endings[part], (n, k), "w+")
        if part == 0:
            into[0][:], into[1][:] = found
        else:
            so_far = _tables(desk.folder, endings[part - 1], None, "r+")
            for row in range(0, n, MERGED):
                rows = slice(row, row + MERGED)
                one, other = (so_far[0][rows], so_far[1][rows]), (found[0][rows], found[1][rows])
                _merge(*one, *other, into[0][rows], into[1][rows])
        for table in into:
            table.flush()
        progress.next()
        done, left = work[[bounds[part + 1], -1]] - work[before]
        desk.told(round(n * done / left), n)
    if progress.done == parts:
        met, into = _tables(desk.folder, OTHER, None, "r+"), _tables(desk.folder, "", (n, k), "w+")
        complete(features, *met)
        extended(features, met, np.load(desk.of["cells"] / "bound.npy"), into)
        for table in into:
            table.flush()
        progress.next()
    for name in TABLES:
        (desk.folder / f"{name}{OTHER}.npy").unlink(missing_ok=True)
    progress.end()


def _asked(
    probe: Path,
    cell: NDArray[np.int32],
    first: NDArray[np.int64],
    start: NDArray[np.int64],
    bounds: NDArray[np.intp],
) -> Asked:
    """Who looks into the cells from one bound to the next; into the others nobody does."""
    low, high = start[bounds]
    at = start[bounds[0] : bounds[1]] - low
    face = np.empty(high - low, np.int32)
    for row in range(0, len(cell), LOOKED_UP):
        _fill_in(np.load(probe, mmap_mode="c")[row : row + LOOKED_UP], row, bounds[0], at, face)
    return Asked(first, cell, np.load(probe, mmap_mode="c"), start.clip(low, high) - low, face)


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


def _write_rows(file: Path, shape: tuple[int, int], blocks: Iterable[NDArray[np.int32]]) -> None:
    """A `.npy` of int32, block after block."""
    about = {"descr": np.lib.format.dtype_to_descr(np.dtype(np.int32)), "fortran_order": False, "shape": shape}
    with file.open("wb") as opened:
        np.lib.format.write_array_header_1_0(opened, about)
        for block in blocks:
            opened.write(np.ascontiguousarray(block).tobytes())


def _wide(features: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    return np.ascontiguousarray(features, dtype=np.float32)


@njit(cache=True)
def _fill_in(
    probe: NDArray[np.int32], row: int, cell: int, at: NDArray[np.int64], face: NDArray[np.int32]
) -> None:
    """Puts the rows of a block where the cells from `cell` on, which they look into, have their lists."""
    for place in range(len(probe)):
        for looked in probe[place]:
            if 0 <= looked - cell < len(at):
                face[at[looked - cell]] = row + place
                at[looked - cell] += 1


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
