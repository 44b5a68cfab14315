"""Pairs of runs of cells as shards of the search: the faces of one run look into the cells of another.

First every run looks into itself, then into those beside it, then twice as far, and so on; what was found so
far tells how close a neighbor needs to be, so what is found in between is short. The best of all is to the bit
what one join of all cells finds.
"""

from itertools import pairwise, permutations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.data.atomic import atomic_write
from personae.graph.join import Asked, joined
from personae.graph.knn_graph import NOBODY
from personae.graph.neighbors_of_neighbors import take_in
from personae.scale.shards import Features, rows_of

FOUND = np.dtype([("row", np.int32), ("face", np.int32), ("cosine", np.float32)])
Pair = tuple[int, int]


class Runs(NamedTuple):
    """R runs of cells, and where they lie on disk.

    features: of all faces
    cells:    the folder that `lay_out` wrote
    folder:   of the search
    bounds:   the cells that the runs begin with, and the end
    k:        neighbors a face
    """

    features: Features
    cells: Path
    folder: Path
    bounds: list[int]
    k: int

    @classmethod
    def of(cls, features: Features, cells: Path, folder: Path, size: int, k: int) -> "Runs":
        """Runs of about `size` faces, whole cells."""
        cell = np.load(cells / "cell.npy", mmap_mode="r")
        starts = np.asarray(cell[::size])
        return cls(features, cells, folder, [*np.unique(np.r_[0, starts[1:]]).tolist(), int(cell[-1]) + 1], k)

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def rows(self) -> list[int]:
        """The places that the runs begin at, in the order of cells, and the end."""
        places: list[int] = np.searchsorted(
            np.load(self.cells / "cell.npy", mmap_mode="r"), self.bounds
        ).tolist()
        return places

    def rounds(self) -> list[list[Pair]]:
        """All pairs of two runs, those of runs up to twice as far from each other in each round."""
        found: list[list[Pair]] = [[] for _ in range((len(self) // 2).bit_length())]
        for pair in permutations(range(len(self)), 2):
            found[self.round(pair)].append(pair)
        return found

    def round(self, pair: Pair) -> int:
        """When a pair of two runs is looked at."""
        apart = abs(pair[0] - pair[1])
        return min(apart, len(self) - apart).bit_length() - 1

    def lists(self, run: int, rounds: int) -> Path:
        """The best of the faces of a run after so many rounds."""
        return self.folder / f"lists-{rounds:02}-{run:04}.npz"

    def least(self, rounds: int) -> Path:
        """How close a neighbor needs to be after so many rounds."""
        return self.folder / f"least-{rounds:02}.npy"

    def found(self, run: int, pair: Pair) -> Path:
        """What a pair found for the faces of one of its runs."""
        return self.folder / f"found-{run:04}-{pair[0]:04}-{pair[1]:04}.npy"

    def all_found(self, run: int, rounds: int) -> list[Path]:
        """What the pairs of a round found for the faces of a run."""
        pairs = [pair for other in range(len(self)) for pair in ((run, other), (other, run)) if other != run]
        return [self.found(run, pair) for pair in pairs if self.round(pair) == rounds]


def look_within(run: int, runs: Runs) -> None:
    """Writes the best k of the faces of a run among themselves."""
    _, neighbors, cosines = _joined(runs, (run, run), None)
    write_lists(runs.lists(run, 0), neighbors, cosines)


def tell_least(runs: Runs, rounds: int) -> None:
    """Writes the cosine of the k-th face that each found so far; -inf where there is none."""
    places = runs.rows()
    least = np.full(places[-1], -np.inf, np.float32)
    for run, (low, high) in enumerate(pairwise(places)):
        with np.load(runs.lists(run, rounds)) as held:
            there = held["neighbors"][:, -1] != NOBODY
            least[low:high][there] = held["similarities"][there, -1]
    with atomic_write(runs.least(rounds)) as temporary:
        np.save(temporary, least)


def look_across(pair: Pair, runs: Runs, rounds: int) -> None:
    """Writes what the second run's faces find in the cells of the first, and the first's among those."""
    least = np.load(runs.least(rounds), mmap_mode="r")
    rows, neighbors, cosines = _joined(runs, pair, least)
    places = runs.rows()
    wanted = (neighbors != NOBODY) & (cosines >= least[rows][:, None])
    row, rank = np.nonzero(wanted)
    found = np.empty(len(row), FOUND)
    found["row"], found["face"], found["cosine"] = rows[row], neighbors[row, rank], cosines[row, rank]
    for run in pair:
        low, high = places[run], places[run + 1]
        here = found[(found["row"] >= low) & (found["row"] < high)]
        here["row"] -= low
        with atomic_write(runs.found(run, pair)) as temporary:
            np.save(temporary, here)


def gather(run: int, runs: Runs, rounds: int) -> None:
    """Writes the best k of the faces of a run, of those so far and all that was found in a round."""
    with np.load(runs.lists(run, rounds)) as held:
        neighbors, cosines = held["neighbors"], held["similarities"]
    for file in runs.all_found(run, rounds):
        rows, faces, values = (np.ascontiguousarray(np.load(file)[name]) for name in FOUND.names or ())
        _put_in(rows, faces, values, neighbors, cosines)
    write_lists(runs.lists(run, rounds + 1), neighbors, cosines)


def write_lists(file: Path, neighbors: NDArray[np.int32], cosines: NDArray[np.float32]) -> None:
    """A `.npz` of both."""
    with atomic_write(file) as temporary, temporary.open("wb") as opened:
        np.savez(opened, neighbors=neighbors, similarities=cosines)


def work_of(runs: Runs) -> NDArray[np.float64]:
    """(R, R) share of the products for each pair, if faces look into the cells alike wherever they are."""
    start, places = np.load(runs.cells / "start.npy"), runs.rows()
    cell = np.load(runs.cells / "cell.npy", mmap_mode="r")
    sizes = np.bincount(cell, minlength=len(start) - 1)
    products = np.add.reduceat(np.diff(start) * sizes, runs.bounds[:-1]).astype(np.float64)
    shares = np.outer(products, np.diff(places))
    return np.asarray(shares / shares.sum())


def _joined(
    runs: Runs, pair: Pair, least: NDArray[np.float32] | None
) -> tuple[NDArray[np.intp], NDArray[np.int32], NDArray[np.float32]]:
    """The faces of a pair by their places in the order of cells, and the best k of each, no face twice."""
    low, high = runs.bounds[pair[0]], runs.bounds[pair[0] + 1]
    places = runs.rows()
    mine, theirs = (np.arange(places[run], places[run + 1]) for run in pair)
    cell = np.load(runs.cells / "cell.npy", mmap_mode="r")
    probe = np.load(runs.cells / "probe.npy", mmap_mode="c")  # as numba knows arrays
    apart = pair[0] != pair[1]
    looking = probe[theirs[0] : theirs[-1] + 1]
    some, start, asking = _asking(looking, low, high - low, len(mine) if apart else 0)
    rows = np.r_[mine, theirs[some]] if apart else mine  # everybody looks into the own cell
    asked = Asked(
        first=np.searchsorted(cell[mine], np.arange(low, high + 1)),
        cell=cell[rows],
        probe=probe[mine[0] : mine[-1] + 1],  # of those whose cells are looked into
        start=start,
        face=asking,
    )
    face = np.load(runs.cells / "order.npy", mmap_mode="r")[rows]
    by_face = np.argsort(face)
    number = np.empty(len(rows), np.int32)
    number[by_face] = np.arange(len(rows), dtype=np.int32)
    wanted = None if least is None else least[rows]
    found, cosines = joined(rows_of(runs.features, face), asked, number, runs.k, wanted)
    neighbors = np.where(found == NOBODY, np.int32(NOBODY), face[by_face][found])
    return rows, neighbors[number], cosines[number]


@njit(cache=True)
def _asking(probe: NDArray[np.int32], low: int, count: int, first: int) -> Any:
    """The rows that look into any of `count` cells from `low` on, and where in `face` those of each cell begin.

    probe: (R, p) rising
    first: what the first of these rows is called in `face`
    """
    start = np.zeros(count + 1, np.int64)
    rows = np.empty(len(probe), np.int64)
    asking = 0
    for row in range(len(probe)):
        at = np.searchsorted(probe[row], low)
        if at < probe.shape[1] and probe[row, at] < low + count:
            rows[asking] = row
            asking += 1
        while at < probe.shape[1] and probe[row, at] < low + count:
            start[probe[row, at] - low + 1] += 1
            at += 1
    start = np.cumsum(start)
    face = np.empty(start[-1], np.int32)
    to = start[:-1].copy()
    for place in range(asking):
        row = rows[place]
        at = np.searchsorted(probe[row], low)
        while at < probe.shape[1] and probe[row, at] < low + count:
            cell = probe[row, at] - low
            face[to[cell]] = first + place
            to[cell] += 1
            at += 1
    return rows[:asking].copy(), start, face


@njit(cache=True)
def _put_in(
    rows: NDArray[np.int32],
    faces: NDArray[np.int32],
    values: NDArray[np.float32],
    neighbors: NDArray[np.int32],
    cosines: NDArray[np.float32],
) -> None:
    """Puts faces into the lists of their rows where they belong, equals in the order of the faces."""
    for at in range(len(rows)):
        take_in(neighbors[rows[at]], cosines[rows[at]], faces[at], values[at])
