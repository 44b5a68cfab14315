"""Several tables of cells, each learned from other faces: two who meet in none of one may meet in another."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from personae.graph.cells import SHOWN, Cells
from personae.graph.reach import QUERIES, Reach

CELLS = 16  # times the root of N
UNEVEN = 2  # times the products that cells of one size would take
FILL = 8  # times k faces stand together for the lists to fill
KEEPING = 4000  # products that take as long as what else is done for a face and a table,
ASKING = 125  # and for a face and a cell
TABLES = 8  # at most
MOST = 1 / 4  # of the cells of one: where more are needed, all pairs are looked at


class Look(NamedTuple):
    """What a face looks into: so many cells of a table; or None, the one that it is in and some beside it."""

    table: int
    probes: int | None

    def probe(self, nearest: NDArray[np.int32], cells: int, k: int) -> tuple[NDArray[np.int32], int]:
        """(N, probes) int32, the cells that each of N faces looks into, its own first; and how many there are.

        nearest: (N, probes or more) int32, best first
        """
        if self.probes is not None:
            return nearest[:, : self.probes], cells
        together = math.ceil(FILL * k * cells / len(nearest))
        return nearest[:, :1] // np.int32(together), -(-cells // together)


class Tables(NamedTuple):
    """Tables of about as many cells each, and how many of them a face looks into."""

    cells: list[Cells]
    probes: int

    @property
    def joins(self) -> list[Look]:
        """One for each table, after one that fills the lists."""
        return [Look(0, None), *(Look(table, self.probes) for table in range(len(self.cells)))]

    @property
    def few(self) -> bool:
        """Whether the cells are so few that all pairs take longer."""
        return len(self.cells) * self.probes <= MOST * len(self.cells[0])

    def cost(self, faces: int) -> float:
        """Products for each of so many faces, and what takes as long as some."""
        each = UNEVEN * faces / len(self.cells[0]) + ASKING
        return len(self.cells) * (KEEPING + self.cells[0].compared + self.probes * each)


def enough_tables(
    features: NDArray[np.float32],
    chance: NDArray[np.intp],
    bound: NDArray[np.float32],
    k: int,
    recall: float,
) -> Tables | None:
    """As many tables as find a share of those who stand out at the least cost.

    features: (N, d) unit rows
    chance:   (N,) the faces in an order that has nothing to do with where they lie
    bound:    (N,) of `expecting`
    recall:   the share, as `Reach.probes` has it

    A table has about 16 sqrt(N) cells. None where more than a quarter of the cells of
    one table are needed in all.
    """
    n = len(features)
    reach, best = Reach.of(features, chance[-QUERIES:], bound, k), Tables([], 0)
    cells: list[Cells] = []
    while len(cells) < TABLES:
        cells.append(_learned(features, chance, len(cells)))
        reach = reach.through(cells[-1], features)
        found = Tables(cells[:], reach.probes(recall))
        if best.cells and best.few and found.cost(n) >= best.cost(n):
            break
        best = found
    return best if best.few else None


def _learned(features: NDArray[np.float32], chance: NDArray[np.intp], table: int) -> Cells:
    """From other faces than the tables before, as far as there are such."""
    count = max(1, round(CELLS * len(features) ** 0.5))
    shown = min(len(features), SHOWN * count)
    places = (table * len(features) // TABLES + np.arange(shown)) % len(features)
    return Cells.among(features[chance[places]], count)
