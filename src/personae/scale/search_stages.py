"""The kNN graph in shards on disk: to the bit that of `knn_graph`, and a shard that is done stays done."""

import json
import math
import os
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from personae.data.atomic import atomic_write
from personae.data.pages import passing
from personae.graph.cells import BLOCK, SHOWN, Cells
from personae.graph.exact import nearest_faces
from personae.graph.knn_graph import KnnGraph
from personae.graph.neighbors_of_neighbors import extended
from personae.graph.search import CELLS, SMALL, complete, planned
from personae.graph.threads import Span
from personae.scale.search_by_cells import (
    Runs,
    gather,
    look_across,
    look_within,
    tell_least,
    work_of,
    write_lists,
)
from personae.scale.shards import ROWS, Features, opened, rows_of, runs
from personae.scale.stages import Desk

FACES = 1 << 17  # in a run of cells, but for more than `RUNS` of them
RUNS = 2048
LOOKED_UP = 1 << 16  # faces whose cells are looked up in one go; whole blocks of `Cells`
UNEVEN = 1.25  # a run may be so many times as large as the mean
PROGRAM = 430 << 20  # bytes of Python and the libraries
BASE = 600 << 20  # and of a shard
READ_AT_ONCE = 1 << 12  # lists of cells, in no order,
AROUND = 1 << 16  # bytes of a map around each
LIKELY = 0.015  # of the cells
TABLES, MET = ("neighbors", "similarities"), "met-"
Mode = Literal["r", "r+", "w+", "c"]


def lay_out(features: Features, k: int, recall: float, desk: Desk) -> dict[str, Any]:
    """Writes the cells, or nothing where all pairs are to be looked at.

    order.npy: (N,) int32, the faces cell after cell
    cell.npy:  (N,) int32, their cells
    probe.npy: (N, p) int32, the cells that each of them looks into, rising
    start.npy: (C + 1,) int64, how many look into the cells before each
    bound.npy: (N,) float32, the cosine above which a neighbor stands out

    InputError: the cells that are needed take more memory than may be held.
    """
    held, plan = opened(features), None
    n, d = held.shape
    if n > SMALL and recall < 1:
        desk.told(0, n)
        plan = planned(_wide(features), k, recall)
    if plan is None:
        return {"faces": n, "cells": 0, "probes": 0}
    count, probes = len(plan.cells), plan.probes
    desk.refuse_more_than_memory(cells_memory(n, d, probes, on_disk=isinstance(features, Path)))
    chance, directions = desk.folder / "chance.npy", desk.folder / "directions.npz"
    np.save(chance, plan.chance)
    np.savez(directions, **vars(plan.cells))
    look = partial(
        _look_up, features=features, chance=chance, directions=directions, probes=probes, folder=desk.folder
    )
    shards = runs(n, LOOKED_UP)
    left = [shard for shard in shards if not _looked_up(desk.folder, shard[0]).is_file()]
    done = n - sum(high - low for low, high in left)
    for (low, high), _ in desk.place.run(look, left, look_up_memory(d, count, probes)):
        done += high - low
        desk.told(done, n)
    drawn, sorted_by_cell = desk.folder / "drawn.npy", desk.folder / "probe.npy"
    own = np.empty(n, np.int32)

    def looked_up() -> Iterator[NDArray[np.int32]]:
        for low, high in shards:
            file = _looked_up(desk.folder, low)
            block = np.load(file)
            own[low:high] = block[:, 0]
            yield block
            file.unlink()

    write_rows(drawn, (n, probes), looked_up())
    by_cell, looking = np.argsort(own, kind="stable"), np.zeros(count, np.int64)

    def cell_after_cell() -> Iterator[NDArray[np.int32]]:
        lists = np.load(drawn, mmap_mode="r")
        for here in passing(n, READ_AT_ONCE, lists):
            block = np.sort(lists[by_cell[here]])
            looking[:] += np.bincount(block.ravel(), minlength=count)
            yield block

    write_rows(sorted_by_cell, (n, probes), cell_after_cell())
    np.save(desk.folder / "order.npy", plan.chance[by_cell].astype(np.int32))
    np.save(desk.folder / "cell.npy", own[by_cell])
    np.save(desk.folder / "start.npy", np.r_[0, np.cumsum(looking)])
    np.save(desk.folder / "bound.npy", plan.bound)
    for file in (drawn, chance, directions):
        file.unlink()
    return {"faces": n, "cells": count, "probes": probes}


def search(features: Features, k: int, desk: Desk) -> dict[str, Any]:
    """Writes neighbors.npy and similarities.npy, (N, k) int32 and float32.

    InputError: the cells that are needed take more memory than may be held.
    """
    n, d = opened(features).shape
    k = min(k, n - 1)
    if (desk.of["cells"] / "order.npy").is_file():
        probes = np.load(desk.of["cells"] / "probe.npy", mmap_mode="r").shape[1]
        desk.refuse_more_than_memory(search_memory(n, d, k, probes))
        runs_of = Runs.of(features, desk.of["cells"], desk.folder, run_size(n), k)
        _join(runs_of, desk, shard_memory(n, d, k, probes))
    else:
        _search_all(features, k, desk)
    return {"faces": n, "k": k}


def cells_memory(n: int, d: int, probes: int, *, on_disk: bool = True) -> int:
    """Bytes: features as they are read, and what the cells are learned from, or the lists of cells."""
    cells, features = CELLS * math.isqrt(n), 4 * d * n
    learned = features + 8 * d * SHOWN * cells
    looked_up = LOOKED_UP * (8 * d + 16 * probes) + 16 * BLOCK * cells
    sorted_by_cell = 8 * probes * LOOKED_UP + READ_AT_ONCE * (8 * probes + AROUND)
    after = max(looked_up, sorted_by_cell) + (0 if on_disk else features)
    return PROGRAM + 36 * n + max(learned, after)


def search_memory(n: int, d: int, k: int, probes: int) -> int:
    """Bytes: features, who stands where, and what a shard takes, or the lists of all."""
    return n * (4 * d + 20) + max(shard_memory(n, d, k, probes), BASE + 8 * n * k)


def shard_memory(n: int, d: int, k: int, probes: int) -> int:
    """Bytes: of the faces of two runs of cells features, candidates and results, and who looks where."""
    size = run_size(n)
    run = min(n, round(UNEVEN * size))
    looked = min(probes, math.ceil(UNEVEN * CELLS * math.sqrt(n) * size / n))  # cells in the other run
    return BASE + 2 * run * (4 * d + 8 * (2 * k + 64) + 16 * k) + 4 * looked * run


def look_up_memory(d: int, cells: int, probes: int) -> int:
    """Bytes: the cells, the features of a run of faces, their products in blocks, and their cells."""
    return BASE + 4 * d * cells + LOOKED_UP * (8 * d + 16 * probes) + 16 * BLOCK * cells


def probes_likely(n: int) -> int:
    """Cells that a face may have to look into, from what was measured; 0 where all pairs are looked at."""
    return round(LIKELY * CELLS * n**0.5) if n > SMALL else 0


def run_size(n: int) -> int:
    """Faces in a run of cells."""
    return max(FACES, -(-n // RUNS))


def read_knn(folder: Path) -> KnnGraph:
    """The graph that `search` wrote, from disk as it is needed."""
    return KnnGraph(*tables_of(folder))


def tables_of(folder: Path) -> tuple[Any, Any]:
    """Maps of the neighbors and the similarities that `search` wrote."""
    return _tables(folder, None, "r")


def _search_all(features: Features, k: int, desk: Desk) -> None:
    n, d = opened(features).shape
    shards = runs(n, ROWS)
    files = {shard: desk.folder / f"whole-{shard[0]:010}.npz" for shard in shards}
    look = partial(_look_at_all, features=features, k=k, folder=desk.folder)
    left = [shard for shard in shards if not files[shard].is_file()]
    done, total = 0, sum(high - low for low, high in left)
    desk.told(0, total)
    for (low, high), _ in desk.place.run(look, left, search_memory(n, d, k, 0)):
        done += high - low
        desk.told(done, total)
    _put_together({files[shard]: np.arange(*shard) for shard in shards}, (n, k), desk.folder)
    for file in files.values():
        file.unlink()


def _join(runs_of: Runs, desk: Desk, memory: int) -> None:
    """Each run of cells with itself, then round by round with the others; then the neighbors of neighbors."""
    phases, places, share, rounds = Phases(desk.folder), runs_of.rows(), work_of(runs_of), runs_of.rounds()
    n, each = places[-1], range(len(runs_of))
    within = [run for run in each if phases.done == 0 and not runs_of.lists(run, 0).is_file()]
    across = [
        [pair for pair in pairs if not all(runs_of.found(run, pair).is_file() for run in pair)]
        if number + 1 >= phases.done
        else []
        for number, pairs in enumerate(rounds)
    ]
    work = [share[run, run] for run in within] + [share[pair] for pairs in across for pair in pairs]
    total = n * sum(work)
    done = 0.0
    desk.told(0, int(total))
    for run, _ in desk.place.run(partial(look_within, runs=runs_of), within, memory):
        done += n * share[run, run]
        desk.told(min(int(done), int(total) - 1), int(total))
    phases.reach(1)
    for number, pairs in enumerate(across):
        if number + 1 < phases.done:
            continue
        if not runs_of.least(number).is_file():
            tell_least(runs_of, number)
        for pair, _ in desk.place.run(partial(look_across, runs=runs_of, rounds=number), pairs, memory):
            done += n * share[pair]
            desk.told(min(int(done), int(total) - 1), int(total))
        left = [run for run in each if not runs_of.lists(run, number + 1).is_file()]
        for _ in desk.place.run(partial(gather, runs=runs_of, rounds=number), left, memory):
            pass
        phases.reach(number + 2)
        for run in each:
            for file in (runs_of.lists(run, number), *runs_of.all_found(run, number)):
                file.unlink(missing_ok=True)
        runs_of.least(number).unlink(missing_ok=True)
    order = np.load(runs_of.cells / "order.npy")
    whole = {runs_of.lists(run, len(rounds)): order[places[run] : places[run + 1]] for run in each}
    _put_together(whole, (n, runs_of.k), desk.folder, MET)
    complete(_wide(runs_of.features), *_tables(desk.folder, None, "r+", MET))
    longer = {span: desk.folder / f"longer-{span[0]:010}.npz" for span in runs(n, FACES)}
    spans = [span for span in longer if not longer[span].is_file()]
    extend = partial(_extend, features=runs_of.features, cells=runs_of.cells, folder=desk.folder)
    for _ in desk.place.run(extend, spans, memory):
        pass
    _put_together({longer[span]: np.arange(*span) for span in longer}, (n, runs_of.k), desk.folder)
    for file in desk.folder.iterdir():
        if file.stem not in TABLES and file != phases.file:
            file.unlink()
    phases.end()
    desk.told(int(total), int(total))


def _look_up(
    span: Span, *, features: Features, chance: Path, directions: Path, probes: int, folder: Path
) -> None:
    """Writes the nearest cells of a run of faces, best first."""
    with np.load(directions) as held:
        cells = Cells(**held)
    faces = np.load(chance, mmap_mode="r")[slice(*span)]
    rows = rows_of(features, faces)
    with atomic_write(_looked_up(folder, span[0])) as temporary:
        np.save(temporary, cells.nearest(rows, np.arange(len(rows)), probes))


def _looked_up(folder: Path, first: int) -> Path:
    return folder / f"looked-up-{first:010}.npy"


def _extend(span: Span, *, features: Features, cells: Path, folder: Path) -> None:
    """Writes the lists of a run of faces with the neighbors of their neighbors taken in."""
    found, bound = _tables(folder, None, "c", MET), np.load(cells / "bound.npy")
    write_lists(folder / f"longer-{span[0]:010}.npz", *extended(_wide(features), found, bound, span))


def _wide(features: Features) -> NDArray[np.float32]:
    held = opened(features)
    return held if held.dtype == np.float32 else np.ascontiguousarray(held, dtype=np.float32)


def _look_at_all(span: Span, *, features: Features, k: int, folder: Path) -> None:
    """Writes the exact neighbors of a run of faces."""
    write_lists(folder / f"whole-{span[0]:010}.npz", *nearest_faces(opened(features), np.arange(*span), k))


def _put_together(lists: dict[Path, NDArray[Any]], shape: tuple[int, int], folder: Path, of: str = "") -> None:
    """Writes the tables of all faces from the lists of some in each file."""
    tables = _tables(folder, shape, "w+", of)
    for file, faces in lists.items():
        order = np.argsort(faces, kind="stable")
        with np.load(file) as held:
            for name, table in zip(TABLES, tables, strict=True):
                table[faces[order]] = held[name][order]
    for table in tables:
        table.flush()


class Phases:
    """How many phases of a stage are done, in a file of its folder."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "phases.json"
        self.done: int = json.loads(self.file.read_text()) if self.file.is_file() else 0

    def reach(self, phase: int) -> None:
        """So many are done; nothing where they were before."""
        if self.done < phase:
            self.done = phase
            with atomic_write(self.file) as temporary:
                temporary.write_text(json.dumps(phase))

    def end(self) -> None:
        """All are, and the file goes."""
        self.file.unlink(missing_ok=True)


def _tables(folder: Path, shape: tuple[int, int] | None, mode: Mode, of: str = "") -> tuple[Any, Any]:
    """Maps of neighbors and similarities; new ones have their room on the disk before they are written to."""
    neighbors, similarities = (folder / f"{of}{name}.npy" for name in TABLES)
    if mode != "w+":
        return np.load(neighbors, mmap_mode=mode), np.load(similarities, mmap_mode=mode)
    tables = open_memmap(neighbors, mode, np.int32, shape), open_memmap(similarities, mode, np.float32, shape)
    for file in (neighbors, similarities):
        _allocate(file)
    return tables


def _allocate(file: Path) -> None:
    """OSError if the disk is full, which a write to the map would be killed for."""
    if hasattr(os, "posix_fallocate"):
        with file.open("r+b") as written:
            os.posix_fallocate(written.fileno(), 0, file.stat().st_size)


def write_rows(
    file: Path, shape: tuple[int, int], blocks: Iterable[NDArray[Any]], dtype: type[np.generic] = np.int32
) -> None:
    """A `.npy`, block after block."""
    about = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
    with file.open("wb") as written:
        np.lib.format.write_array_header_1_0(written, about)
        for block in blocks:
            written.write(np.ascontiguousarray(block, dtype).tobytes())
