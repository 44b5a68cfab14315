"""Runs of cells as shards of the search: all who look into the cells of a run are joined with its faces.

Join after join: who was found so far is left out, and tells how close a neighbor needs to be, so that what a
shard finds is short. The best of all is to the bit what the joins of whole tables find.
"""

from bisect import bisect_left
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.data.atomic import atomic_write
from personae.graph.join import Asked, joined
from personae.graph.knn_graph import NOBODY
from personae.graph.merged_lists import Lists
from personae.graph.neighbors_of_neighbors import take_in
from personae.graph.shortlists import Known, Room
from personae.graph.threads import Span, in_threads, read_rows, spans
from personae.scale.lists_on_disk import mapped, put_together, rows_once, table_files, tables, write_lists
from personae.scale.shards import Features

FOUND = np.dtype([("row", np.int32), ("face", np.int32), ("cosine", np.float32)])
ASKING = 2  # times the faces of a run look into it at a time
_Columns = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]  # of `FOUND`
UNEVEN = 1.25  # a run may be so many times as large as the mean


def met(joins: int) -> str:
    """What the tables of those who met in so many joins are called."""
    return f"met-{joins:02}-"


class Search(NamedTuple):
    """What is searched, and where that lies on disk.

    features: of all N faces; a map of a file stays from shard to shard
    cells:    the folder that `lay_out` wrote
    folder:   of the search
    size:     faces in a run, about
    k:        neighbors a face
    """

    features: Features
    cells: Path
    folder: Path
    size: int
    k: int

    def of_join(self, name: str, join: int) -> Any:
        """A map of what is known of a join; as numba knows arrays."""
        return np.load(self.cells / f"{name}-{join}.npy", mmap_mode="c")

    def bounds(self, join: int) -> list[int]:
        """The cells that runs begin with, and the end."""
        cell = self.of_join("cell", join)
        starts = cell[self.size :: self.size].tolist()
        return [*sorted({0, *starts}), int(cell[-1]) + 1]

    def lists(self, joins: int, run: Span) -> Path:
        """The best of a run of faces, in the order of the set, after so many joins."""
        return self.folder / f"lists-{joins:02}-{run[0]:010}.npy"

    def least(self, joins: int) -> Path:
        """How close a neighbor needs to be after so many joins."""
        return self.folder / f"least-{joins:02}.npy"

    def known(self, joins: int) -> Known:
        """Who is known after so many joins."""
        if joins == 0:
            return Known.nothing(len(self.of_join("order", 0)))
        neighbors, cosines = (mapped(file) for file in table_files(self.folder, met(joins)))
        return Known(neighbors, cosines, np.load(self.least(joins)))

    def found(self, join: int, run: int) -> Path:
        """What the shard of a run of cells found in a join, by face."""
        return self.folder / f"found-{join:02}-{run:04}.npy"


def look(run: int, search: Search, join: int) -> None:
    """Writes what the faces of a run of cells, and others who look into it, find in it and among those."""
    bounds = search.bounds(join)
    inside = _Run.of(search, join, (bounds[run], bounds[run + 1]))
    parts = [np.empty(0, np.int32), *inside.asking(ASKING * search.size)]
    known, most = search.known(join), inside.span[1] - inside.span[0] + max(len(part) for part in parts)
    room = space(max(most, room_for(len(inside.order), search.size)), inside.features.shape[1], search.k)
    inside.read(room.rows)
    found = np.concatenate([inside.join(known, part, room) for part in parts])
    by_face = found[np.argsort(found["row"], kind="stable")]
    with atomic_write(search.found(join, run)) as temporary:
        np.save(temporary, by_face)


def gather(run: Span, search: Search, join: int, shards: int) -> None:
    """Writes the best k of a run of faces, of those known and all that was found in a join."""
    low, high = run
    if join:
        neighbors, cosines = (rows_once(file, run) for file in table_files(search.folder, met(join)))
    else:
        neighbors = np.full((high - low, search.k), NOBODY, np.int32)
        cosines = np.zeros((high - low, search.k), np.float32)
    parts = in_threads(_found_by, [search.found(join, shard) for shard in range(shards)], run)
    in_threads(_put_all_in, spans(high - low), low, parts, (neighbors, cosines))
    write_lists(search.lists(join + 1, run), neighbors, cosines)


def gathered(search: Search, joins: int, runs: list[Span]) -> None:
    """Writes who is known after so many joins, from the lists of runs of faces."""
    lists = {search.lists(joins, run): run for run in runs}
    put_together(lists, (runs[-1][1], search.k), search.folder, met(joins))
    held, wanted = tables(search.folder, of=met(joins)), np.load(search.cells / "wanted.npy")

    def least(run: Span) -> NDArray[np.float32]:
        return Known.of(*(table[slice(*run)] for table in (*held, wanted))).least

    np.save(search.least(joins), np.concatenate(in_threads(least, runs)))


def clear(search: Search, join: int, runs: list[Span], shards: int) -> None:
    """Removes what a join that is done was made of."""
    of_shards = [search.found(join, shard) for shard in range(shards)]
    before = [search.least(join), *table_files(search.folder, met(join))]
    for file in (*of_shards, *(search.lists(join + 1, run) for run in runs), *before):
        file.unlink(missing_ok=True)


def work_of(search: Search, join: int) -> NDArray[np.float64]:
    """(R,) products of each run of cells."""
    first, bounds = search.of_join("start", join), search.bounds(join)
    cell = search.of_join("cell", join)
    sizes = np.diff(np.searchsorted(cell, np.arange(bounds[-1] + 1, dtype=np.int32)))
    products = np.add.reduceat(np.diff(first)[: bounds[-1]] * sizes, bounds[:-1])
    return np.asarray(products, np.float64)


class _Space(NamedTuple):
    """Where the features of some faces are, the own ones of a run first, and their lists."""

    rows: NDArray[np.float32]
    lists: Room


def room_for(n: int, size: int) -> int:
    """Faces of a run and of others at a time, of N in runs of about this size; few runs are larger."""
    return min(n, round((UNEVEN + ASKING) * size))


@lru_cache(maxsize=1)
def space(faces: int, d: int, k: int) -> _Space:
    """For so many; it stays with this process until its cache is cleared, since new memory takes its time."""
    return _Space(np.empty((faces, d), np.float32), Room.of(faces, k))


class _Run(NamedTuple):
    """A run of cells.

    cells: the first and the end
    span:  the places of its faces, in the order of cells
    order: (N,) int32, the faces of all runs cell after cell
    cell:  (N,) int32, their cells
    probe: (M, p) int32, the cells that its own faces look into
    start: (cells + 1,) where those who look into each begin in `face`
    face:  the places of those who look into it, rising in each cell
    features: of all faces
    """

    cells: Span
    span: Span
    order: NDArray[np.int32]
    cell: NDArray[np.int32]
    probe: NDArray[np.int32]
    start: NDArray[np.int64]
    face: NDArray[np.int32]
    features: NDArray[np.floating[Any]]

    @classmethod
    def of(cls, search: Search, join: int, cells: Span) -> "_Run":
        cell, start = search.of_join("cell", join), search.of_join("start", join)
        low, high = np.searchsorted(cell, np.array(cells, np.int32)).tolist()
        start = start[cells[0] : cells[1] + 1]
        face = search.of_join("face", join)[start[0] : start[-1]]
        probe = search.of_join("probe", join)[low:high]
        order = search.of_join("order", join)
        features = mapped(search.features) if isinstance(search.features, Path) else search.features
        return cls(cells, (low, high), order, cell, probe, start - start[0], face, features)

    def read(self, rows: NDArray[np.float32]) -> None:
        """Puts the features of its own faces into the first rows."""
        mine = self.order[slice(*self.span)]
        read_rows(self.features, mine, rows[: len(mine)])

    def asking(self, count: int) -> list[NDArray[np.int32]]:
        """The places of others who look into it, so many at a time."""
        looks = np.zeros(len(self.order), bool)
        looks[self.face] = True
        looks[slice(*self.span)] = False
        others = np.flatnonzero(looks).astype(np.int32)
        return np.array_split(others, range(count, len(others), count)) if len(others) else []

    def join(self, known: Known, others: NDArray[np.int32], room: _Space) -> NDArray[np.void]:
        """What some others who look into it find in it, and its faces among these; itself if there are none.

        others: rising places
        """
        mine = np.arange(*self.span, dtype=np.int32)
        places = np.r_[mine, others]
        some, first = (others, len(mine)) if len(others) else (mine, 0)
        start, face = _of_those(self.start, self.face, some, first)
        faces = self.order[places]
        asked = Asked(
            first=np.searchsorted(self.cell[mine], np.arange(self.cells[0], self.cells[1] + 1, dtype=np.int32)),
            cell=self.cell[places],
            probe=self.probe,
            start=start,
            face=face,
        )
        rows = room.rows[: len(places)]
        read_rows(self.features, faces[len(mine) :], rows[len(mine) :])
        whose, who, cosines = joined(rows, asked, faces, known, room.lists).entries()
        found = np.empty(len(whose), FOUND)
        found["row"], found["face"], found["cosine"] = faces[whose], faces[who], cosines
        return found


@njit(cache=True)
def _of_those(
    start: NDArray[np.int64], face: NDArray[np.int32], places: NDArray[np.int32], first: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """`start` and `face` of `Asked` with some places alone, which are called `first` and so on."""
    called = np.full(places[-1] - places[0] + 1, NOBODY, np.int32)
    for at in range(len(places)):
        called[places[at] - places[0]] = first + at
    starts, some = np.zeros(len(start), np.int64), np.empty(len(face), np.int32)
    count = 0
    for cell in range(len(start) - 1):
        for at in range(start[cell], start[cell + 1]):
            place = face[at] - places[0]
            if 0 <= place < len(called) and called[place] != NOBODY:
                some[count] = called[place]
                count += 1
        starts[cell + 1] = count
    return starts, some[:count].copy()


def _found_by(file: Path, run: Span) -> _Columns:
    """What a shard found for a run of faces."""
    found = np.load(file, mmap_mode="r")
    low, high = (bisect_left(found["row"], face) for face in run)
    some = np.array(found[low:high])
    return some["row"], some["face"], some["cosine"]


def _put_all_in(span: Span, first: int, parts: list[_Columns], lists: Lists) -> None:
    for part in parts:
        _put_in(span, first, part, lists)


@njit(cache=True, nogil=True)
def _put_in(span: Span, first: int, found: _Columns, lists: Lists) -> None:
    """Puts what was found into the lists of a span of rows, counted from the first; equals in their order."""
    rows, faces, values = found
    at = np.searchsorted(rows, first + span[0])
    while at < len(rows) and rows[at] < first + span[1]:
        row = rows[at] - first
        take_in(lists[0][row], lists[1][row], faces[at], values[at])
        at += 1
