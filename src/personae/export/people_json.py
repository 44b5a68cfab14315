"""The people as one JSON document, for programs."""

import json
from collections.abc import Sequence
from pathlib import Path

from personae.data.atomic import atomic_write
from personae.export.found import FoundFace

FORMAT = 1  # one more whenever a program that reads the document would have to change


def write_people_json(faces: Sequence[FoundFace], path: Path) -> None:
    """Writes people, most faces first, and all faces, in their order; docs/formats.md says what is where.

    OutputError: `path` cannot be written.
    """
    rows: dict[str, list[int]] = {}
    for row, face in enumerate(faces):
        if face.person:
            rows.setdefault(face.person, []).append(row)
    ranked = sorted(rows, key=lambda person: -len(rows[person]))
    number = {person: rank for rank, person in enumerate(ranked, 1)}
    document = {
        "format": FORMAT,
        "people": [
            {"number": number[person], "name": faces[rows[person][0]].name or None, "faces": rows[person]}
            for person in ranked
        ],
        "faces": [
            {
                "photo": face.photo,
                "box": face.box,
                "quality": face.quality,
                "confidence": face.confidence,
                "person": number.get(face.person),
                "seconds": face.span,
            }
            for face in faces
        ],
    }
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
