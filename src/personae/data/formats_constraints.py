"""Constraints as a table: `face,other,apart`, a line a pair.

`apart` is 0 for two faces that are surely one person, 1 for two that surely are not, and between them for two
that likely are not: the weight of the pair. Faces are numbered by their rows, from 0, or told by their ids
where the first column is called so: `face_id,other,apart`.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from personae.data.atomic import atomic_write
from personae.data.constraints import Constraints
from personae.data.formats import existing, known_suffix, naming
from personae.data.formats_csv import decimal, is_integer, is_number, rows_of
from personae.data.ids import Ids
from personae.data.labels import parsed_labels
from personae.data.names import id_name, plain
from personae.errors import InputError

COLUMNS = ["face", "other", "apart"]
ROW = "row"  # in place of `face` where faces have ids that are rows of others


def read_constraints(path: Path | str, faces: int, ids: Ids | None = None) -> Constraints:
    """What a table says of `faces` faces.

    ids: what the faces are called, if they are

    InputError: no such file, other columns, no numbers, rows or ids that are not there, rows that are ids of
    other faces, an `apart` outside 0 to 1, two faces both together and apart; it names file and line.
    """
    path = existing(path, [".csv"])
    with naming(path), rows_of(path) as rows:
        _, names = next(rows)
        first, by_id = plain(names[0]), id_name(names[:1]) is not None
        if [plain(name) for name in names[1:]] != COLUMNS[1:] or not (by_id or first in (COLUMNS[0], ROW)):
            raise InputError("needs the columns face,other,apart in its first line, or face_id,other,apart")
        if by_id and ids is None:
            raise InputError(f"tells faces by {names[0].strip()}, but these have no ids; give their rows")
        lines, told, weights = list[int](), list[str](), list[float]()
        for line, cells in rows:
            weight = decimal(cells[2])
            fit = [bool(cell.strip()) if by_id else is_integer(cell) for cell in cells[:2]]
            if not (all(fit) and is_number(weight)):
                kind = "ids" if by_id else "rows"
                raise InputError(f"line {line} is no pair of {kind} with a number: {','.join(cells)[:40]!r}")
            lines.append(line)
            told += cells[:2]
            weights.append(float(weight))
        if ids is None or first == ROW or not told:
            face = np.array([int(cell) for cell in told], np.int64)
        else:
            face = _named(told, lines, ids) if by_id else _clear(told, lines, ids)
        pair, apart = face.reshape(-1, 2), np.array(weights)
        together = apart == 0
        return Constraints.of(faces, pair[together], pair[~together], apart[~together])


def _named(told: list[str], lines: list[int], ids: Ids) -> NDArray[np.int64]:
    """The rows of faces that are told by their ids, two a line."""
    rows = Ids(parsed_labels(told), ids.name).rows_in(ids)
    gone = np.flatnonzero(rows < 0)
    if len(gone):
        at = int(gone[0])
        raise InputError(f"line {lines[at // 2]}: no face has the {ids.name} {told[at]!r}")
    return rows


def _clear(told: list[str], lines: list[int], ids: Ids) -> NDArray[np.int64]:
    """The rows that are told, two a line. InputError: one of them is what another face is called."""
    rows = np.array([int(cell) for cell in told], np.int64)
    named = Ids(rows, ids.name).rows_in(ids)
    unclear = np.flatnonzero((named >= 0) & (named != rows))
    if len(unclear):
        at = int(unclear[0])
        raise InputError(
            f"line {lines[at // 2]}: {rows[at]} is a row, and the {ids.name} of another face; "
            f"call the first column {ids.name} or {ROW}"
        )
    return rows


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
