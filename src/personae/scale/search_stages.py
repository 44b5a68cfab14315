"""The kNN graph in shards on disk: to the bit that of `knn_graph`, and a shard that is done stays done."""

import json
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personae.data.atomic import atomic_write
from personae.data.pages import READ, passing
from personae.graph.exact import nearest_faces
from personae.graph.knn_graph import KnnGraph
from personae.graph.neighbors_of_neighbors import extended
from personae.graph.search import complete
from personae.graph.threads import Span
from personae.scale.cells_stage import laid_out
from personae.scale.lists_on_disk import TABLES, forget, put_together, tables, write_lists
from personae.scale.search_by_cells import (
    UNEVEN,
    Search,
    clear,
    gather,
    gathered,
    look,
    met,
    room_for,
    space,
    work_of,
)
from personae.scale.shards import BASE, ROWS, Features, opened, runs
from personae.scale.stages import Desk

FACES = 1 << 17  # in a run of cells, but for more than `RUNS` of them
RUNS = 2048
OF_FOUND = 48  # bytes for each who was found, until they are in order
NEW = 1 / 4  # of k are found for a face by a shard once the lists are full


def search(features: Features, k: int, desk: Desk) -> dict[str, Any]:
    """Writes neighbors.npy and similarities.npy, (N, k) int32 and float32.

    InputError: the cells that are needed take more memory than may be held.
    """
    n, d = opened(features).shape
    k = min(k, n - 1)
    if {file.stem for file in desk.folder.iterdir()} == set(TABLES):
        return {"faces": n, "k": k}  # a killed run had nothing left to remove
    if laid_out(desk.of["cells"]):
        last = laid_out(desk.of["cells"]) - 1
        probes = np.load(desk.of["cells"] / f"probe-{last}.npy", mmap_mode="r").shape[1]
        desk.refuse_more_than_memory(search_memory(n, d, k, probes))
        by_cells = Search(_wide(features, desk), desk.of["cells"], desk.folder, run_size(n), k)
        try:
            _search_by_cells(by_cells, desk, shard_memory(n, d, k, probes))
        finally:
            forget()
            space.cache_clear()
    else:
        _search_all(features, k, desk)
    return {"faces": n, "k": k}


def search_memory(n: int, d: int, k: int, probes: int) -> int:
    """Bytes: features, who stands where, the lists of all, and what a shard takes."""
    return n * (4 * d + 11 + 8 * k) + shard_memory(n, d, k, probes)


def shard_memory(n: int, d: int, k: int, probes: int) -> int:
    """Bytes: of the faces of a run of cells and of others features, candidates and results; who looks where."""
    run, rows = min(n, round(UNEVEN * run_size(n))), room_for(n, run_size(n))
    row, found = 4 * d + 8 * (2 * k + 64), OF_FOUND * k
    of_all = 9 * n  # how close who is looked for has to be, and who looks into the run
    return BASE + of_all + round(max(run * (row + found), rows * (row + NEW * found))) + 16 * probes * run


def run_size(n: int) -> int:
    """Faces in a run of cells."""
    return max(FACES, -(-n // RUNS))


def read_knn(folder: Path) -> KnnGraph:
    """The graph that `search` wrote, from disk as it is needed."""
    return KnnGraph(*tables(folder))


def _search_all(features: Features, k: int, desk: Desk) -> None:
    n, d = opened(features).shape
    shards = runs(n, ROWS)
    files = {shard: desk.folder / f"whole-{shard[0]:010}.npy" for shard in shards}
    look = partial(_look_at_all, features=features, k=k, folder=desk.folder)
    left = [shard for shard in shards if not files[shard].is_file()]
    done, total = 0, sum(high - low for low, high in left)
    if left:
        desk.told(0, total)
    for (low, high), _ in desk.place.run(look, left, search_memory(n, d, k, 0)):
        done += high - low
        desk.told(done, total)
    put_together({files[shard]: shard for shard in shards}, (n, k), desk.folder)
    for file in files.values():
        file.unlink()


def _search_by_cells(of: Search, desk: Desk, memory: int) -> None:
    """Join after join, run after run; then the neighbors of neighbors."""
    n, joins, done = len(opened(of.features)), laid_out(of.cells), Done(desk.folder)
    spans = runs(n, FACES)
    work = [work_of(of, join) for join in range(joins)]
    whole, told = sum(part.sum() for part in work), sum(part.sum() for part in work[: done.steps])
    for join in range(done.steps, joins):
        shards = range(len(work[join]))
        left = [run for run in shards if not of.found(join, run).is_file()]
        told += work[join].sum() - work[join][left].sum()
        desk.told(int(n * told / whole), n)
        for run, _ in desk.place.run(partial(look, search=of, join=join), left, memory):
            told += work[join][run]
            desk.told(min(int(n * told / whole), n - 1), n)
        forget()
        put = partial(gather, search=of, join=join, shards=len(shards))
        some = [span for span in spans if not of.lists(join + 1, span).is_file()]
        for _ in desk.place.run(put, some, memory):
            pass
        forget()
        gathered(of, join + 1, spans)
        done.reach(join + 1)
        clear(of, join, spans, len(shards))
    space.cache_clear()
    if done.steps == joins:
        complete(_rows(of), *tables(of.folder, "r+", met(joins)))
        done.reach(joins + 1)
    if done.steps == joins + 1:
        longer = {desk.folder / f"longer-{span[0]:010}.npy": span for span in spans}
        extend = partial(_extend, search=of, joins=joins)
        for _ in desk.place.run(extend, [span for file, span in longer.items() if not file.is_file()], memory):
            pass
        put_together(longer, (n, of.k), desk.folder)
        done.reach(joins + 2)  # what it was made of may go
    for file in desk.folder.iterdir():
        if file.stem not in TABLES and file != done.file:
            file.unlink()
    done.end()
    desk.told(n, n)


def _extend(span: Span, *, search: Search, joins: int) -> None:
    """Writes the lists of a run of faces with the neighbors of their neighbors taken in."""
    found, bound = tables(search.folder, "c", met(joins)), np.load(search.cells / "bound.npy")
    write_lists(search.folder / f"longer-{span[0]:010}.npy", *extended(_rows(search), found, bound, span))


def _rows(search: Search) -> NDArray[np.float32]:
    return np.asarray(opened(search.features), np.float32)


def _wide(features: Features, desk: Desk) -> Features:
    """The features in float32: themselves, or written once for all shards."""
    held = opened(features)
    if held.dtype == np.float32:
        return features
    if not isinstance(features, Path):
        return np.ascontiguousarray(held, dtype=np.float32)
    wide = desk.folder / "wide.npy"
    if not wide.is_file():
        with atomic_write(wide) as temporary:
            blocks = (held[here] for here in passing(len(held), READ, held))
            write_rows(temporary, held.shape, blocks, np.float32)
    return wide


def _look_at_all(span: Span, *, features: Features, k: int, folder: Path) -> None:
    """Writes the exact neighbors of a run of faces."""
    write_lists(folder / f"whole-{span[0]:010}.npy", *nearest_faces(opened(features), np.arange(*span), k))


class Done:
    """How many steps of a stage are done, in a file of its folder."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "steps.json"
        self.steps: int = json.loads(self.file.read_text()) if self.file.is_file() else 0

    def reach(self, step: int) -> None:
        """So many are done."""
        self.steps = step
        with atomic_write(self.file) as temporary:
            temporary.write_text(json.dumps(step))

    def end(self) -> None:
        """All are, and the file goes."""
        self.file.unlink(missing_ok=True)


def write_rows(
    file: Path, shape: tuple[int, int], blocks: Iterable[NDArray[Any]], dtype: type[np.generic] = np.int32
) -> None:
    """A `.npy`, block after block."""
    about = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
    with file.open("wb") as written:
        np.lib.format.write_array_header_1_0(written, about)
        for block in blocks:
            written.write(np.ascontiguousarray(block, dtype).tobytes())
