"""What somebody said of the people found: this face is hers, that one is not. Later runs keep to it.

A table with a line a face. It needs `photo`, and `person` or, if the face is not somebody's, `not`; `left`,
`top`, `width` and `height` where a photo shows several faces, `from` for a face in a video, `content` to know
the photo again under another name. Other columns are not read, so that lines of `faces.csv` will do, nor kept.
"""

import csv
import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from personae.data.atomic import atomic_write
from personae.data.constraints import Constraints
from personae.data.faceset import Sources
from personae.data.formats import existing, naming
from personae.data.formats_csv import decimal, is_number, rows_of
from personae.data.names import FORMULA, as_cell, plain
from personae.errors import InputError

COLUMNS = ("photo", "left", "top", "width", "height", "from", "person", "not", "content")
BOX = ("left", "top", "width", "height")
NUMBER = re.compile(r"Person [1-9]\d*", re.IGNORECASE)  # holds faces together, but is no name
SAME_PLACE = 0.5  # intersection over union of two boxes of one face
SAME_MOMENT = 1.0  # seconds


@dataclass(frozen=True)
class Correction:
    """One line: who a face is, or who it is not.

    photo:   relative to the folder of the photos, "/" between parts
    box:     left, top, width, height in pixels; None if the photo shows one face
    begin:   seconds into a video; None for a photo
    person:  who it is, "" if nobody said
    other:   who it is not, "" if nobody said
    content: digest of the photo, "" if unknown
    """

    photo: str
    box: tuple[float, float, float, float] | None
    begin: float | None
    person: str
    other: str
    content: str

    def cells(self) -> list[str]:
        """The line as it is written, under `COLUMNS`."""
        box = [""] * 4 if self.box is None else [f"{pixels:.1f}" for pixels in self.box]
        begin = "" if self.begin is None else f"{self.begin:.2f}"
        return [as_cell(self.photo), *box, begin, self.person, self.other, self.content]


@dataclass(frozen=True)
class Corrected:
    """What the corrections say of N faces.

    constraints: faces of one name are one person; those of two, and a face and whom it is not, are two
    people:      name, or number that stands for one, of each face of whom somebody said who it is, by row
    lines:       the corrections, with the photo's content as it is now where the face was found; less those
                 that a later one repeats
    astray:      those that fit no face here
    """

    constraints: Constraints
    people: Mapping[int, str]
    lines: tuple[Correction, ...]
    astray: tuple[Correction, ...]

    def over(self, known: Constraints) -> Constraints:
        """These constraints and others; where they contradict each other these hold."""
        return self.constraints.over(known)


def read_corrections(path: Path | str) -> tuple[Correction, ...]:
    """The lines that say something.

    InputError: no such table, other columns, a line without a photo, places that are no numbers, a name that
    begins like a formula; it names the line.
    """
    path = existing(path, [".csv"])
    with naming(path), rows_of(path) as rows:
        _, first = next(rows)
        names = [plain(name) for name in first]
        if "photo" not in names or not {"person", "not"} & {*names}:
            raise InputError("needs the columns photo and person, or photo and not, in its first line")
        return tuple(
            correction
            for line, cells in rows
            if (correction := _correction(line, dict(zip(names, cells, strict=True)))) is not None
        )


def write_corrections(corrections: Iterable[Correction], path: Path) -> None:
    """The table, whole or what it was before. OutputError: no space, no permission."""
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(correction.cells() for correction in corrections)


def _correction(line: int, cells: dict[str, str]) -> Correction | None:
    person, other = (name_in(cells.get(column, "")) for column in ("person", "not"))
    if not (person or other):
        return None
    if not cells["photo"].strip():
        raise InputError(f"line {line} names no photo; give its path in the folder of the photos")
    for name in (person, other):
        if name and name[0] in FORMULA:
            raise InputError(f"line {line}: the name {name[:40]!r} begins like a formula; leave that sign out")
    texts = [cells["photo"], person, other]
    if not "".join(texts).isascii() and any("\udc80" <= letter <= "\udcff" for letter in "".join(texts)):
        raise InputError(f"line {line} is not in UTF-8; save the table as CSV in UTF-8")
    numbers = [decimal(cells.get(column, "")) for column in (*BOX, "from")]
    for column, number in zip((*BOX, "from"), numbers, strict=True):
        if number and not (is_number(number) and math.isfinite(float(number))):
            raise InputError(f"line {line}, column {column}: {cells[column].strip()[:40]!r} is no number")
    left, top, width, height, begin = numbers
    box = (float(left), float(top), float(width), float(height)) if left and top and width and height else None
    return Correction(
        PurePosixPath(cells["photo"]).as_posix(),
        box,
        float(begin) if begin else None,
        person,
        other,
        cells.get("content", "").strip(),
    )


def name_in(cell: str) -> str:
    """The name in a cell, less needless spaces; one name in both of the forms that Unicode has for accents."""
    return unicodedata.normalize("NFC", " ".join(cell.split()))


def corrected(corrections: Sequence[Correction], sources: Sources, contents: Sequence[str]) -> Corrected:
    """What the corrections say of N faces; of two of one face the later one holds.

    contents: (N,) digest of the photo of each face

    A photo is known by its content wherever it lies, or else by its path; a face in it by its place. Names are
    the same whatever their capitals, spelled as in the last line that says who it is.
    """
    of_content, of_photo = defaultdict(list), defaultdict(list)
    for row, file in enumerate(sources.file.tolist()):
        of_content[contents[row]].append(row)
        of_photo[sources.files[file]].append(row)
    spelled: dict[str, str] = {}
    who: dict[int, str] = {}
    others: dict[int, set[str]] = defaultdict(set)
    lines, astray = [], []
    for correction in corrections:
        near = of_content.get(correction.content) or of_photo.get(correction.photo, [])
        rows = _fitting(correction, near, sources)
        if rows:
            lines.append(replace(correction, content=contents[rows[0]]))
        else:
            lines.append(correction)
            astray.append(correction)
        person, other = correction.person.casefold(), correction.other.casefold()
        spelled[person] = correction.person
        for row in rows:
            if person:
                who[row] = person
                others[row].discard(person)
            if other:
                others[row].add(other)
                if who.get(row) == other:
                    del who[row]
    groups = defaultdict(list)
    for row, person in sorted(who.items()):
        groups[person].append(row)
    first = np.array([rows[0] for rows in groups.values()], np.int64)
    people_apart = first[np.stack(np.triu_indices(len(first), 1), axis=1)]
    refused = [(row, groups[other][0]) for row, names in others.items() for other in names if other in groups]
    apart = np.concatenate([people_apart, np.array(refused, np.int64).reshape(-1, 2)])
    held = Constraints.of(len(sources.file), groups.values(), apart)
    people = {row: spelled[person] for row, person in who.items()}
    return Corrected(held, people, _said_once(lines), tuple(astray))


def _said_once(lines: Sequence[Correction]) -> tuple[Correction, ...]:
    """Less the lines that give a face a name that a later line gives it again."""
    said = [replace(line, person=line.person.casefold()) for line in lines]
    last = {line: at for at, line in enumerate(said)}
    return tuple(line for at, line in enumerate(lines) if line.other or last[said[at]] == at)


def _fitting(correction: Correction, rows: Sequence[int], sources: Sources) -> list[int]:
    """The face that is meant in each of the files of the `rows`; the only one of a file needs no box."""
    if correction.begin is not None and sources.span is not None:
        begins = sources.span[:, 0]
        rows = [row for row in rows if abs(begins[row] - correction.begin) <= SAME_MOMENT]
    files = sources.file[list(rows)].tolist()
    if correction.box is None:
        count = Counter(files)
        return [row for row, file in zip(rows, files, strict=True) if count[file] == 1]
    overlap = _overlaps(correction.box, rows, sources)
    best: dict[int, int] = {}
    for at in np.argsort(-overlap, kind="stable").tolist():
        if overlap[at] >= SAME_PLACE:
            best.setdefault(files[at], rows[at])
    return list(best.values())


def _overlaps(
    box: tuple[float, float, float, float], rows: Sequence[int], sources: Sources
) -> NDArray[np.float64]:
    """(R,) intersection over union of a box with those of some faces."""
    boxes, one = sources.box[list(rows)].astype(np.float64), np.array(box)
    low = np.maximum(boxes[:, :2], one[:2])
    high = np.minimum(boxes[:, :2] + boxes[:, 2:], one[:2] + one[2:])
    both = np.clip(high - low, 0, None).prod(axis=1)
    union = boxes[:, 2:].prod(axis=1) + one[2:].prod() - both
    return np.asarray(both / np.where(union > 0, union, 1))
