r"""The people as two tables: one row a face, one row a person.

The tables are RFC 4180 in UTF-8: a comma between cells, quotes where a cell needs them. Pixels are given to a
tenth, confidence and quality to a thousandth.

A spreadsheet takes a cell that starts with = + - or @ for a formula, and a photo may be called
`=HYPERLINK(...).jpg`. Such a photo is written as `./=HYPERLINK(...).jpg`: the same file to a program, plain
text to a spreadsheet. Bytes of a name that are not UTF-8 are written as `\udcff`, so that the table can be
read whatever the names.
"""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from personae.data.atomic import atomic_write
from personae.data.names import as_cell
from personae.export.people import People

FACES = ("photo", "left", "top", "width", "height", "quality", "person", "confidence", "from", "to")
PEOPLE = ("person", "faces", "photos", "confidence", "best_photo", "left", "top", "width", "height")


def write_faces_csv(people: People, path: Path) -> None:
    """Writes one row a face, in the order of the faces; a lone face has an empty `person`.

    `from` and `to` are the seconds of a video between which the face is seen, empty for a photo.

    OutputError: `path` cannot be written.
    """
    names = [""] * len(people.faces)
    for person in people.persons:
        for row in person.faces:
            names[row] = person.name
    _write(
        path,
        FACES,
        (
            [
                as_cell(people.photo(row)),
                *_box(people, row),
                f"{people.sources.quality[row]:.3f}",
                names[row],
                f"{people.confidence[row]:.3f}",
                *_span(people, row),
            ]
            for row in range(len(people.faces))
        ),
    )


def write_people_csv(people: People, path: Path) -> None:
    """Writes one row a person, most faces first; lone faces are left to the table of faces.

    OutputError: `path` cannot be written.
    """
    _write(
        path,
        PEOPLE,
        (
            [
                person.name,
                str(len(person.faces)),
                str(person.photos),
                f"{person.confidence:.3f}",
                as_cell(people.photo(person.faces[0])),
                *_box(people, person.faces[0]),
            ]
            for person in people.persons
        ),
    )


def _span(people: People, row: int) -> list[str]:
    span = people.span(row)
    return ["", ""] if span is None else [f"{seconds:.2f}" for seconds in span]


def _box(people: People, row: int) -> list[str]:
    return [f"{pixels:.1f}" for pixels in people.sources.box[row]]


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with (
        atomic_write(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
