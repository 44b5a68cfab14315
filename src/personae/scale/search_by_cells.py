"""Runs of cells as shards of the search: all who look into the cells of a run are joined with its faces.

Table after table, and in the first each run with itself before the others: what was found so far tells how
close a neighbor needs to be, so that what a shard finds is short. The best of all is to the bit what the joins
of whole tables find.
"""

from bisect import bisect_left
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.data.atomic import atomic_write
from personae.graph.join import Asked, Room, joined
from personae.graph.knn_graph import NOBODY
from personae.graph.neighbors_of_neighbors import take_in
from personae.graph.search import least_of
from personae.graph.threads import Span
from personae.scale.shards import Features, rows_of

FOUND = np.dtype([("row", np.int32), ("face", np.int32), ("cosine", np.float32)])
ASKING = 2  # times the faces of a run look into it at a time


class Phase(NamedTuple):
    """A table, and whether runs look into themselves, or others into them; or both."""

    table: int
    within: bool
    across: bool


def phases(tables: int) -> list[Phase]:
    """In their order."""
    return [Phase(0, True, False), Phase(0, False, True), *(Phase(of, True, True) for of in range(1, tables))]


class Search(NamedTuple):
    """What is searched, and where that lies on disk.

    features: of all N faces
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

    def of_table(self, name: str, table: int) -> Any:
        """A map of what is known of a table; as numba knows arrays."""
        return np.load(self.cells / f"{name}-{table}.npy", mmap_mode="c")

    def bounds(self, table: int) -> list[int]:
        """The cells that runs begin with, and the end."""
        cell = self.of_table("cell", table)
        starts = cell[self.size :: self.size].tolist()
        return [*sorted({0, *starts}), int(cell[-1]) + 1]

    def lists(self, phase: int, run: Span) -> Path:
        """The best of a run of faces, in the order of the set, after so many phases."""
        return self.folder / f"lists-{phase:02}-{run[0]:010}.npz"

    def least(self, phase: int) -> Path:
        """How close a neighbor needs to be after so many phases."""
        return self.folder / f"least-{phase:02}.npy"

    def found(self, phase: int, run: int) -> Path:
        """What the shard of a run of cells found in a phase, by face."""
        return self.folder / f"found-{phase:02}-{run:04}.npy"


def look(run: int, search: Search, number: int, phase: Phase) -> None:
    """Writes what those who look into a run of cells find in it, and its faces among those."""
    bounds = search.bounds(phase.table)
    inside = _Run.of(search, phase.table, (bounds[run], bounds[run + 1]))
    least = np.load(search.least(number), mmap_mode="r") if number else None
    parts = [np.empty(0, np.int32)] if phase.within else []
    parts += inside.asking(ASKING * search.size) if phase.across else []
    room = Room.of(len(inside.own) + max([len(part) for part in parts], default=0), search.k)
    found = [inside.join(search.features, least, part, room) for part in parts]
    everything = np.concatenate([np.empty(0, FOUND), *found])
    by_face = everything[np.argsort(everything["row"], kind="stable")]
    with atomic_write(search.found(number, run)) as temporary:
        np.save(temporary, by_face)


def gather(run: Span, search: Search, number: int, shards: int) -> None:
    """Writes the best k of a run of faces, of those so far and all that was found in a phase."""
    low, high = run
    neighbors = np.full((high - low, search.k), NOBODY, np.int32)
    cosines = np.zeros((high - low, search.k), np.float32)
    if number:
        with np.load(search.lists(number, run)) as held:
            neighbors, cosines = held["neighbors"], held["similarities"]
    for shard in range(shards):
        found = np.load(search.found(number, shard), mmap_mode="r")
        first, last = (bisect_left(found["row"], face) for face in run)
        here = found[first:last]
        rows, faces, values = (np.ascontiguousarray(here[name]) for name in FOUND.names or ())
        _put_in(rows - low, faces, values, neighbors, cosines)
    write_lists(search.lists(number + 1, run), neighbors, cosines)
    if number:
        search.lists(number, run).unlink()


def tell_least(search: Search, number: int, spans: list[Span]) -> None:
    """Writes the cosine of the k-th face that each found so far; -inf where there is none."""
    least = np.empty(spans[-1][1], np.float32)
    for low, high in spans:
        with np.load(search.lists(number, (low, high))) as held:
            least[low:high] = least_of(held["neighbors"], held["similarities"])
    with atomic_write(search.least(number)) as temporary:
        np.save(temporary, least)


def write_lists(file: Path, neighbors: NDArray[np.int32], cosines: NDArray[np.float32]) -> None:
    """A `.npz` of both."""
    with atomic_write(file) as temporary, temporary.open("wb") as opened:
        np.savez(opened, neighbors=neighbors, similarities=cosines)


def work_of(search: Search, table: int) -> NDArray[np.float64]:
    """(R,) products of each run of cells."""
    first, bounds = search.of_table("start", table), search.bounds(table)
    cell = search.of_table("cell", table)
    sizes = np.diff(np.searchsorted(cell, np.arange(bounds[-1] + 1, dtype=np.int32)))
    products = np.add.reduceat(np.diff(first)[: bounds[-1]] * sizes, bounds[:-1])
    return np.asarray(products, np.float64)


class _Run(NamedTuple):
    """A run of cells.

    cells: the first and the end
    span:  the places of its faces, in the order of cells
    order: (N,) int32, the faces of all runs cell after cell
    cell:  (N,) int32, their cells
    probe: (M, p) int32, the cells that its own faces look into
    start: (cells + 1,) where those who look into each begin in `face`
    face:  the places of those who look into it, rising in each cell
    own:   (M, d) float32, the features of its own faces
    """

    cells: Span
    span: Span
    order: NDArray[np.int32]
    cell: NDArray[np.int32]
    probe: NDArray[np.int32]
    start: NDArray[np.int64]
    face: NDArray[np.int32]
    own: NDArray[np.float32]

    @classmethod
    def of(cls, search: Search, table: int, cells: Span) -> "_Run":
        cell, start = search.of_table("cell", table), search.of_table("start", table)
        low, high = np.searchsorted(cell, np.array(cells, np.int32)).tolist()
        start = start[cells[0] : cells[1] + 1]
        face = search.of_table("face", table)[start[0] : start[-1]]
        probe = search.of_table("probe", table)[low:high]
        order = search.of_table("order", table)
        own = rows_of(search.features, order[low:high])
        return cls(cells, (low, high), order, cell, probe, start - start[0], face, own)

    def asking(self, count: int) -> list[NDArray[np.int32]]:
        """The places of others who look into it, so many at a time."""
        looks = np.zeros(len(self.order), bool)
        looks[self.face] = True
        looks[slice(*self.span)] = False
        others = np.flatnonzero(looks).astype(np.int32)
        return np.array_split(others, range(count, len(others), count)) if len(others) else []

    def join(
        self, features: Features, least: NDArray[np.float32] | None, others: NDArray[np.int32], room: Room
    ) -> NDArray[np.void]:
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
        wanted = np.full(len(faces), -np.inf, np.float32) if least is None else least[faces]
        rows = np.concatenate([self.own, rows_of(features, self.order[others])])
        whose, who, cosines = joined(rows, asked, faces, wanted, room).entries()
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


@njit(cache=True)
def _put_in(
    rows: NDArray[np.int32],
    faces: NDArray[np.int32],
    values: NDArray[np.float32],
    neighbors: NDArray[np.int32],
    cosines: NDArray[np.float32],
) -> None:
    """Puts faces into the lists of their rows, equals in the order of the faces, nobody twice."""
    for at in range(len(rows)):
        others, row = neighbors[rows[at]], cosines[rows[at]]
        if not _there(others, row, faces[at], values[at]):
            take_in(others, row, faces[at], values[at])


@njit(cache=True)
def _there(others: NDArray[np.int32], cosines: NDArray[np.float32], other: int, cosine: np.float32) -> bool:
    for at in range(len(others)):
        if cosines[at] < cosine or others[at] < 0:
            break
        if others[at] == other:
            return True
    return False
