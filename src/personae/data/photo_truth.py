"""Who is in which photo, as people write it down, matched with the faces found there."""

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from personae.data.faceset import Sources
from personae.data.formats_csv import delimiter
from personae.errors import InputError, listed

UNKNOWN = -1


def read_photo_truth(path: Path, sources: Sources, photos: Path) -> NDArray[np.int32]:
    """(N,) int32, the identity of each face, -1 for faces that the table says nothing of.

    path:    a .csv with the columns `photo` and `person`, commas, semicolons or tabs between them: one row a
             person, from left to right where a photo has several; photo paths relative to the folder `photos`
             or to the table
    sources: of the N faces

    A photo with m rows names its m largest faces; smaller ones are passers-by.

    InputError: no such file, other columns, no photo of the table among the photos.
    """
    told = people_of(path)
    faces_of: dict[Path, list[int]] = {}
    for face, file in enumerate(sources.file):
        faces_of.setdefault((photos / sources.files[file]).resolve(), []).append(face)
    known = {(photos / file).resolve() for file in sources.files}
    names = {
        name: number for number, name in enumerate(sorted({name for row in told.values() for name in row}))
    }
    truth = np.full(len(sources.file), UNKNOWN, dtype=np.int32)
    matched = 0
    for photo, people in told.items():
        here = [
            place for place in ((photos / photo).resolve(), (path.parent / photo).resolve()) if place in known
        ]
        matched += bool(here)
        faces = faces_of.get(here[0], []) if here else []
        area = sources.box[faces, 2] * sources.box[faces, 3]
        largest = [faces[at] for at in np.argsort(-area, kind="stable")[: len(people)]]
        if len(largest) == len(people):  # with a face missed, nobody knows which
            truth[sorted(largest, key=lambda face: float(sources.box[face, 0]))] = [
                names[who] for who in people
            ]
    if not matched:
        raise InputError(f"{path}: none of its photos ({listed(list(told), 2)}) is among those of {photos}")
    if (truth == UNKNOWN).all():
        raise InputError(f"{path}: no photo shows as many faces as the table names people; look at its rows")
    return truth


def people_of(path: Path) -> dict[str, list[str]]:
    """The people of each photo, from left to right. InputError: no such table, a row with gaps."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            first = file.readline()
            file.seek(0)
            rows = list(csv.DictReader(file, delimiter=delimiter(first)))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; give a table of photo,person") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a CSV table in UTF-8; give a table of photo,person") from error
    if not rows or not {"photo", "person"} <= rows[0].keys():
        raise InputError(f"{path}: has no rows of photo,person; its first line needs these names")
    people: dict[str, list[str]] = {}
    for number, row in enumerate(rows, 2):
        if not (row["photo"] and row["person"]):
            raise InputError(f"{path}: line {number} lacks a photo or a person; each row needs both")
        people.setdefault(row["photo"], []).append(row["person"])
    return people
