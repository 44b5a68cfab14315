"""Faces and labels as comma-separated text.

Ours has a first line of names: the ids and `identity` if known, then `file,left,top,width,height,quality` if
known, then `from,to` where there are videos, seconds, empty for a photo, then the features `f0,f1,...` with
nine digits, which is float32 to the last bit. From elsewhere:

- the first line may hold names or not; commas, semicolons or tabs between;
- a column identity, label, person or truth (one of them) is the identity, a number or a name;
- a column face_id, or else faceid, face_ids, ids or id, tells what the faces are called;
- a column of numbers is one dimension of the features, in the order of the file, unless it is named cluster,
  face, index or nothing, ends in an id, or is one of the columns of sources or of the tables of people;
- other columns of text are left out; a column that mixes text and numbers is refused.
"""

import csv
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personae.data.faceset import FaceSet, filled
from personae.data.ids import Ids, Labelled, ids_told, in_blocks
from personae.data.labels import parsed_labels
from personae.data.names import (
    FOUND_NAMES,
    NOT_FEATURES,
    SOURCE_COLUMNS,
    SPAN_COLUMNS,
    TRUTH_COLUMNS,
    VALUES_OF_A_FACE,
    Choice,
    id_name,
    is_feature,
    label_name,
    named_sources,
    only_one,
    plain,
    source_columns,
)
from personae.errors import InputError, listed

ROWS = 1 << 10  # Python numbers are large: blocks are small
EXACT = "%.9g"  # tells any two float32 apart
NUMBERED_FROM = 8  # so many names 0, 1, 2, ... are names and not a face

Row = tuple[int, list[str]]  # the line it ends in, its cells


@dataclass(frozen=True)
class Columns:
    """Which column of a table is what."""

    names: list[str]
    features: list[int]
    text: list[int]
    truth: int | None
    ids: int | None
    sources: list[int]
    spans: list[int]

    @classmethod
    def of(cls, names: list[str], first: list[str]) -> "Columns":
        """From the names and the first row beneath them; a column is of numbers if it begins with one."""
        truth, ids = only_one(names, TRUTH_COLUMNS), id_name(names)
        plains = [plain(name) for name in names]
        free = [i for i, name in enumerate(plains) if is_feature(name)]
        features = [i for i in free if is_number(first[i])]
        if not features:
            raise InputError(
                f"holds no embeddings; none of its columns ({listed([name[:40] for name in names])}) is a "
                "value of a face; give one for each dimension, numbers as in 0.5, with a comma, semicolon or "
                "tab between them"
            )
        whole = all(name in plains for name in SOURCE_COLUMNS)
        timed = whole and all(name in plains for name in SPAN_COLUMNS)
        return cls(
            names,
            features,
            [i for i in free if i not in set(features)],
            None if truth is None else names.index(truth),
            None if ids is None else names.index(ids),
            [plains.index(name) for name in SOURCE_COLUMNS] if whole else [],
            [plains.index(name) for name in SPAN_COLUMNS] if timed else [],
        )

    def span(self, row: Row) -> list[float]:
        """The seconds of a track, NaN where the cells are empty."""
        if not any(row[1][i] for i in self.spans):
            return [math.nan] * len(self.spans)
        return self.numbers(row, self.spans)

    def numbers(self, row: Row, which: list[int]) -> list[float]:
        """The numbers in these columns of a row; InputError names the line and the column of any text."""
        line, cells = row
        try:
            return [float(cells[i]) for i in which]
        except ValueError as error:
            i = next(i for i in which if not is_number(cells[i]))
            raise InputError(f"line {line}, column {self.names[i]}: {cells[i][:40]!r} is no number") from error


def read_csv(path: Path, gaps: bool = False) -> FaceSet:
    """The faces of a table; float32. InputError names the line.

    gaps: whether identities may be missing
    """
    with rows_of(path) as rows:
        first = next(rows)
        named = holds_names(first[1])
        if not named:
            refuse_text(first)
        names = first[1] if named else [str(i + 1) for i in range(len(first[1]))]
        row = next(rows, None) if named else first
        if row is None:
            raise InputError("has a line of names but no face; give at least one")
        columns = Columns.of(names, row[1])
        features: list[NDArray[np.float32]] = []
        identities: list[str] = []
        ids: list[str] = []
        files: list[str] = []
        places: list[list[float]] = []
        spans: list[list[float]] = []
        block: list[list[float]] = []
        while row is not None:
            cells = row[1]
            block.append(columns.numbers(row, columns.features))
            refuse_mixed(columns, row)
            if columns.truth is not None:
                at = columns.truth
                identities.append(cells[at] if gaps else named_cell(row, at, columns.names))
            if columns.ids is not None:
                ids.append(cells[columns.ids])
            if columns.sources:
                files.append(cells[columns.sources[0]])
                places.append(columns.numbers(row, columns.sources[1:]))
                spans.append(columns.span(row))
            row = next(rows, None)
            if len(block) == ROWS or row is None:
                features.append(narrowed(block))
                block = []
    shape = (sum(len(part) for part in features), len(columns.features))
    placed = np.array(places, dtype=np.float64).reshape(-1, len(SOURCE_COLUMNS) - 1)
    span = np.array(spans, dtype=np.float64) if columns.spans else None
    return FaceSet.of(
        filled(shape, np.dtype(np.float32), features, path.parent),
        parsed_labels(identities, gaps=gaps) if identities else None,
        named_sources(files, placed[:, :4], placed[:, 4], span) if columns.sources else None,
        None if columns.ids is None else ids_in(ids, names[columns.ids])[0],
        gaps=gaps,
    )


def write_csv(faces: FaceSet, path: Path) -> None:
    """The table described above, in blocks."""
    names = [faces.ids.name] if faces.ids is not None else []
    names += ["identity"] if faces.truth is not None else []
    names += SOURCE_COLUMNS if faces.sources is not None else ()
    span = None if faces.sources is None else faces.sources.span
    names += SPAN_COLUMNS if span is not None else ()
    names += [f"f{i}" for i in range(faces.dimension)]
    form = ",".join([EXACT] * faces.dimension)
    with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.write(",".join(names) + "\n")
        for start in range(0, len(faces), ROWS):
            rows = slice(start, start + ROWS)
            files, places = source_columns(faces, rows)
            for i, feature in enumerate(faces.features[rows].tolist()):
                cells = [cell_of(faces.ids.values[start + i].item())] if faces.ids is not None else []
                cells += [str(faces.truth[start + i])] if faces.truth is not None else []
                if files:
                    cells += [quoted(files[i]), *(EXACT % place for place in places[i].tolist())]
                if span is not None:
                    cells += ["" if math.isnan(time) else repr(time) for time in span[start + i].tolist()]
                file.write(",".join([*cells, form % tuple(feature)]) + "\n")


def read_csv_labels(path: Path, choice: Choice) -> Labelled:
    """The column of labels, or the only column, in the order of the column face if there is one."""
    with rows_of(path) as rows:
        _, names = next(rows)
        name = label_name(names, (*TRUTH_COLUMNS, *FOUND_NAMES), choice.first)
        if name is None and len(names) > 1:
            known = ", ".join((*TRUTH_COLUMNS, *FOUND_NAMES))
            raise InputError(f"found no column of labels among {listed(names)}; name it one of {known}")
        at = 0 if name is None else names.index(name)
        numbered = [i for i, other in enumerate(names) if plain(other) == "face"] if name is not None else []
        called = id_name(names) if choice.ids and name is not None else None
        labels: list[str] = []
        faces: list[str] = []
        ids: list[str] = []
        values = 0
        for row in rows:
            values = values or sum(
                map(is_number, (row[1][i] for i in range(len(names)) if is_feature(names[i])))
            )
            labels.append(row[1][at] if choice.gaps else named_cell(row, at, names))
            faces += [row[1][i] for i in numbered[:1]]
            if called is not None:
                ids.append(row[1][names.index(called)])
    if name is None:
        # A lone column without a known name: text above integers is its name.
        text_above = labels and not is_integer(names[0]) and all(is_integer(label) for label in labels)
        labels = labels if text_above else [*names, *labels]
    if not labels:
        raise InputError("has a line of names but no label; give one a face")
    face = np.array([int(number) for number in faces]) if faces and all(map(is_integer, faces)) else None
    told = () if called is None else ids_in(ids, called)
    read = Labelled(parsed_labels(labels, gaps=choice.gaps), *told)
    return read._replace(column=name, embeddings=values >= VALUES_OF_A_FACE).ordered(face)


def write_csv_labels(labelled: Labelled, path: Path) -> None:
    """`face,cluster`, or the ids in place of `face`; a line a face."""
    labels, ids = labelled.labels, labelled.ids
    faces = range(len(labels)) if ids is None else chain.from_iterable(in_blocks(ids.values))
    with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.write(f"{'face' if ids is None else ids.name},cluster\n")
        pairs = zip(faces, labels.tolist(), strict=True)
        file.writelines(f"{cell_of(face)},{cell_of(label)}\n" for face, label in pairs)


@contextmanager
def rows_of(path: Path) -> Iterator[Iterator[Row]]:
    """The rows that are not blank, all as wide as the first."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        first = file.readline()
        file.seek(0)
        yield _rows(csv.reader(file, delimiter=delimiter(first)))


def delimiter(first: str) -> str:
    """What is most frequent; but semicolons where each has a comma beside it, as in 0,5;0,7."""
    frequent = max(",;\t", key=first.count)
    return ";" if frequent == "," and first.count(",") <= 2 * first.count(";") else frequent


def _rows(reader: Any) -> Iterator[Row]:
    width = 0
    try:
        for cells in reader:
            if not cells:
                continue
            width = width or len(cells)
            if len(cells) != width:
                raise InputError(f"line {reader.line_num} has {len(cells)} columns where the first has {width}")
            yield reader.line_num, cells
    except csv.Error as error:
        raise InputError(f"line {reader.line_num}: {error}") from error
    if not width:
        raise InputError("holds nothing but blank lines")


def holds_names(cells: list[str]) -> bool:
    """Whether a first line names the columns: no number in it, or a name we know, or 0, 1, 2, ..."""
    numbers = [cell for cell in cells if is_number(cell)]
    known = any(plain(cell) in NOT_FEATURES and plain(cell) for cell in cells)
    counted = numbers == [str(i) for i in range(len(numbers))] and len(numbers) >= NUMBERED_FROM
    return known or counted or not numbers


def refuse_text(row: Row) -> None:
    """InputError if a first line that names no columns holds text."""
    text = [cell for cell in row[1] if not is_number(cell)]
    if text:
        raise InputError(
            f"line {row[0]} holds text ({text[0][:40]!r}) among numbers; name the columns in a first line, "
            f"such as identity,f0,f1"
        )


def refuse_mixed(columns: Columns, row: Row) -> None:
    """InputError if a column that began with text goes on with a number."""
    for i in columns.text:
        if is_number(row[1][i]):
            raise InputError(
                f"column {columns.names[i]} begins with text but holds a number in line {row[0]}; "
                f"mend or remove it"
            )


def named_cell(row: Row, at: int, names: list[str]) -> str:
    """A label; InputError if the cell is empty."""
    line, cells = row
    if not cells[at]:
        raise InputError(
            f"line {line}, column {names[at]}: the label is missing; fill it in or remove the line"
        )
    return cells[at]


def ids_in(cells: list[str], name: str) -> tuple[Ids | None, str | None]:
    """The ids in a column, as `ids_told`."""

    def written() -> NDArray[Any]:
        try:
            return parsed_labels(cells)
        except InputError as error:
            raise InputError(f"column {name}, the ids of the faces: {error}") from error

    return ids_told(written, name, len(cells))


def narrowed(block: list[list[float]]) -> NDArray[np.float32]:
    """Float32; what is too large becomes infinite, and is refused as such."""
    with np.errstate(over="ignore"):
        return np.array(block, dtype=np.float64).astype(np.float32)


def is_number(cell: str) -> bool:
    """Whether a cell reads as a number; "nan" and "inf" do."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def decimal(cell: str) -> str:
    """The cell of a number as it reads here, where some countries' spreadsheets write a comma for the point.

    >>> decimal("85,7"), decimal("85.7")
    ('85.7', '85.7')
    """
    return cell.strip().replace(",", ".")


def is_integer(cell: str) -> bool:
    """Whether a cell reads as a whole number."""
    try:
        int(cell)
    except ValueError:
        return False
    return True


def cell_of(value: int | str) -> str:
    """A number or a name as a cell."""
    return quoted(value) if isinstance(value, str) else str(value)


def quoted(text: str) -> str:
    """A cell that may hold commas, quotes and line breaks."""
    return '"' + text.replace('"', '""') + '"'
