"""The stage that sorts the faces into cells, table by table: who is where, and who looks where."""

import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personae.data.atomic import atomic_write
from personae.data.pages import let_go
from personae.graph.cells import BLOCK, SHOWN, Cells
from personae.graph.join import Asked
from personae.graph.search import SMALL, planned
from personae.graph.tables import CELLS, TABLES
from personae.graph.threads import Span, in_threads, spans
from personae.scale.lists_on_disk import forget, mapped
from personae.scale.shards import BASE, PROGRAM, Features, opened, rows_of, runs
from personae.scale.stages import Desk

LOOKED_UP = 1 << 16  # faces whose cells are looked up in one go; whole blocks of `Cells`
CHANCE, DIRECTIONS = "chance.npy", "directions.npz"
LIKELY = 64  # cells of a table that a face may have to look into, from what was measured
LIKELY_TABLES = 4


def lay_out(features: Features, k: int, recall: float, desk: Desk) -> dict[str, Any]:
    """Writes the cells, or nothing where all pairs are to be looked at.

    bound.npy, wanted.npy: (N,) float32, of `Plan`; and of each join, from 0 on,
    order-J.npy: (N,) int32, the faces cell after cell
    cell-J.npy, probe-J.npy, start-J.npy, face-J.npy: of `Asked`, whose faces stand in that order

    InputError: the cells that are needed take more memory than may be held.
    """
    held, plan = opened(features), None
    n, d = held.shape
    if n > SMALL and recall < 1:
        desk.told(0, n)
        plan = planned(np.ascontiguousarray(held, dtype=np.float32), k, recall)
        let_go(held)
    if plan is None:
        return {"faces": n, "cells": 0, "tables": 0, "probes": 0}
    tables, probes = plan.tables.cells, plan.tables.probes
    desk.refuse_more_than_memory(cells_memory(n, d, probes, on_disk=isinstance(features, Path)))
    np.save(desk.folder / CHANCE, plan.chance)
    for name in ("bound", "wanted"):
        np.save(desk.folder / f"{name}.npy", getattr(plan, name))
    shards = runs(n, LOOKED_UP)
    for table, cells in enumerate(tables):
        joins = [join for join, look in enumerate(plan.tables.joins) if look.table == table]
        if all((desk.folder / f"order-{join}.npy").is_file() for join in joins):
            continue
        np.savez(desk.folder / DIRECTIONS, **vars(cells))
        look_up = partial(_look_up, features=features, table=table, probes=probes, folder=desk.folder)
        files = {shard: _looked_up(desk.folder, table, shard[0]) for shard in shards}
        left = [shard for shard in shards if not files[shard].is_file()]
        done = table * n + n - sum(high - low for low, high in left)
        for (low, high), _ in desk.place.run(look_up, left, look_up_memory(d, len(cells), probes)):
            done += high - low
            desk.told(done // len(tables), n)
        forget()
        nearest = np.concatenate([np.load(file) for file in files.values()])
        for join in joins:
            probe, count = plan.tables.joins[join].probe(nearest, len(cells), min(k, n - 1))
            _sort(probe, join, count, plan.chance, desk.folder)
        for file in files.values():
            file.unlink()
    for name in (CHANCE, DIRECTIONS):
        (desk.folder / name).unlink(missing_ok=True)
    return {"faces": n, "cells": len(tables[0]), "tables": len(tables), "probes": probes}


def laid_out(folder: Path) -> int:
    """How many joins there are."""
    return len(list(folder.glob("order-*.npy")))


def cells_memory(n: int, d: int, probes: int, *, on_disk: bool = True) -> int:
    """Bytes: features as they are read, and what the cells are learned from, or the lists of cells."""
    cells, features = CELLS * math.isqrt(n), 4 * d * n
    of_tables = 4 * d * cells * TABLES
    learned = features + 12 * d * SHOWN * cells
    looked_up = LOOKED_UP * (8 * d + 16 * probes) + 16 * BLOCK * cells
    after = max(looked_up, 16 * n * probes) + (0 if on_disk else features)
    return PROGRAM + 36 * n + of_tables + max(learned, after)


def look_up_memory(d: int, cells: int, probes: int) -> int:
    """Bytes: the cells, the features of a run of faces, their products in blocks, and their cells."""
    return BASE + 4 * d * cells + LOOKED_UP * (8 * d + 16 * probes) + 16 * BLOCK * cells


def cells_disk(n: int) -> int:
    """Bytes: who is where and looks where."""
    return 4 * n + LIKELY_TABLES * 8 * n * (1 + probes_likely(n))


def probes_likely(n: int) -> int:
    """Cells of a table that a face may have to look into; 0 where all pairs are looked at."""
    return LIKELY if n > SMALL else 0


def _sort(probe: NDArray[np.int32], join: int, cells: int, chance: NDArray[np.intp], folder: Path) -> None:
    """Puts the faces in the order of their cells; the order is written last."""
    by_cell = np.argsort(probe[:, 0], kind="stable")
    probe = np.concatenate(in_threads(lambda rows: probe[by_cell[slice(*rows)]], spans(len(probe))))
    own = np.ascontiguousarray(probe[:, 0])
    asked = Asked.of(own, probe, cells)
    for name in ("cell", "probe", "start", "face"):
        np.save(folder / f"{name}-{join}.npy", getattr(asked, name))
    with atomic_write(folder / f"order-{join}.npy") as temporary, temporary.open("wb") as opened_file:
        np.save(opened_file, chance[by_cell].astype(np.int32))


def _look_up(span: Span, *, features: Features, table: int, probes: int, folder: Path) -> None:
    """Writes the nearest cells of a run of faces, best first."""
    with np.load(folder / DIRECTIONS) as held:
        cells = Cells(**held)
    faces = np.load(folder / CHANCE, mmap_mode="r")[slice(*span)]
    rows = rows_of(mapped(features) if isinstance(features, Path) else features, faces)
    with atomic_write(_looked_up(folder, table, span[0])) as temporary:
        np.save(temporary, cells.nearest(rows, np.arange(len(rows)), probes))


def _looked_up(folder: Path, table: int, first: int) -> Path:
    return folder / f"looked-up-{table}-{first:010}.npy"
