"""Constraints as a table: `face,other,apart`, a line a pair.

`apart` is 0 for two faces that are surely one person, 1 for two that surely are not, and between them for two
that likely are not: the weight of the pair. Faces are numbered by their rows, from 0.
"""

from pathlib import Path

import numpy as np

from personae.data.atomic import atomic_write
from personae.data.constraints import Constraints
from personae.data.formats import existing, known_suffix, naming
from personae.data.formats_csv import decimal, is_integer, is_number, rows_of
from personae.errors import InputError

COLUMNS = ["face", "other", "apart"]


def read_constraints(path: Path | str, faces: int) -> Constraints:
    """What a table says of `faces` faces.

    InputError: no such file, other columns, no numbers, rows that are not there, an `apart` outside 0 to 1,
    two faces both together and apart; it names file and line.
    """
    path = existing(path, [".csv"])
    with naming(path), rows_of(path) as rows:
        _, names = next(rows)
        if [name.strip().lower() for name in names] != COLUMNS:
            raise InputError("needs the columns face,other,apart in its first line")
        pairs, weights = [], []
        for line, cells in rows:
            weight = decimal(cells[2])
            if not (is_integer(cells[0]) and is_integer(cells[1]) and is_number(weight)):
                raise InputError(f"line {line} is no pair of rows with a number: {','.join(cells)[:40]!r}")
            pairs.append((int(cells[0]), int(cells[1])))
            weights.append(float(weight))
        pair, apart = np.array(pairs, np.int64).reshape(-1, 2), np.array(weights)
        together = apart == 0
        return Constraints.of(faces, pair[together], pair[~together], apart[~together])


def write_constraints(held: Constraints, path: Path | str) -> None:
    """The same table, each group as a chain; whole or what it was before. OutputError: no space, no permission.

    InputError: a name that does not end in .csv.
    """
    path = Path(path)
    refuse_other_constraints(path)
    order = np.argsort(held.group, kind="stable")
    chained = np.flatnonzero(np.diff(held.group[order]) == 0)
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(COLUMNS) + "\n")
        file.writelines(f"{order[at]},{order[at + 1]},0\n" for at in chained)
        pairs = zip(held.apart.tolist(), held.weight.tolist(), strict=True)
        file.writelines(f"{a},{b},{weight:.9g}\n" for (a, b), weight in pairs)


def refuse_other_constraints(path: Path) -> None:
    """InputError for a name that `write_constraints` would refuse, to be asked before the work."""
    known_suffix(path, [".csv"])
