"""The faces that a run of `personae people` left in its table, read back to be handed on."""

import math
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from personae.data.corrections import NUMBER, name_in
from personae.data.formats import existing, naming
from personae.data.formats_csv import decimal, is_number, rows_of
from personae.data.names import SPAN_COLUMNS
from personae.errors import InputError
from personae.export.people import stays_inside
from personae.export.tables import FACES

NUMBERS = ("left", "top", "width", "height", "quality", "confidence")


@dataclass(frozen=True)
class FoundFace:
    """One line of the table.

    photo:      or video, relative to the folder of the photos, "/" between parts
    box:        left, top, width, height in pixels of the upright picture
    quality:    how usable the picture of the face is
    confidence: in [0, 1], how sure it is that the face belongs to its person
    person:     a name, or "Person 7" where nobody gave one; "" for a lone face
    span:       seconds of the first and the last look at a face in a video; None for a photo
    """

    photo: str
    box: tuple[float, float, float, float]
    quality: float
    confidence: float
    person: str
    span: tuple[float, float] | None

    @property
    def name(self) -> str:
        """What somebody called the person, "" if nobody did."""
        return "" if NUMBER.fullmatch(self.person) else self.person


def read_faces_csv(path: Path) -> tuple[FoundFace, ...]:
    """The faces in the order of the table that `write_faces_csv` wrote; a person may have another name since.

    InputError: no such table, other columns, a photo outside the folder, cells that are no numbers or not in
    UTF-8; it names the line.
    """
    path = existing(path, [".csv"])
    with naming(path), rows_of(path) as rows:
        _, names = next(rows)
        missing = {*FACES} - {*names}
        if missing:
            raise InputError(
                f"has no column {', '.join(sorted(missing))}; give the table of a run of personae people"
            )
        return tuple(_face(line, dict(zip(names, cells, strict=True))) for line, cells in rows)


def _face(line: int, cells: dict[str, str]) -> FoundFace:
    if any("\ud800" <= letter <= "\udfff" for letter in cells["photo"] + cells["person"]):
        raise InputError(f"line {line} is not in UTF-8; save the table as CSV in UTF-8")
    photo = PurePosixPath(cells["photo"]).as_posix()
    if not stays_inside(photo):
        raise InputError(f"line {line}: {photo[:200]!r} is outside the folder of the photos")
    filmed = bool(cells["from"] or cells["to"])
    numbers = {column: decimal(cells[column]) for column in ((*NUMBERS, *SPAN_COLUMNS) if filmed else NUMBERS)}
    for column, number in numbers.items():
        if not (is_number(number) and math.isfinite(float(number))):
            raise InputError(f"line {line}, column {column}: {cells[column][:40]!r} is no number")
    left, top, width, height, quality, confidence = (float(numbers[column]) for column in NUMBERS)
    return FoundFace(
        photo,
        (left, top, width, height),
        quality,
        confidence,
        name_in(cells["person"]),
        (float(numbers["from"]), float(numbers["to"])) if filmed else None,
    )
