"""`personae update GALLERY FEATURES`: faces added to people that were found before, or removed from them."""

import csv
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from personae.cli.cluster import Dimension, Out, of_them_copies

if TYPE_CHECKING:
    from personae.scale import Gallery


def rows_of(text: str, gallery: "Gallery") -> list[int]:
    """The places of faces told by their ids, if they have such, or by their places. InputError: no such."""
    from personae.data.ids import Ids
    from personae.data.labels import parsed_labels
    from personae.errors import InputError

    parts = [part.strip() for part in next(csv.reader([text], skipinitialspace=True), [])]
    if gallery.face_ids is not None and parts and all(parts):
        rows: list[int] = Ids(parsed_labels(parts), gallery.face_ids.name).rows_in(gallery.face_ids).tolist()
        if -1 in rows:
            raise InputError(f"no face has the {gallery.face_ids.name} {parts[rows.index(-1)]!r}")
        return rows
    if not all(part.isdecimal() for part in parts):
        raise InputError(f"{text!r} is no list of faces; write it like 3,17,20, the first face is 0")
    return [int(part) for part in parts]


def update(
    gallery: Annotated[
        Path,
        typer.Argument(metavar="GALLERY", help="An .npz file that this command keeps; begun if it is missing."),
    ],
    features: Annotated[
        Path | None,
        typer.Argument(
            metavar="FEATURES", help="Embeddings to add: .npy, .npz, .bin with .meta, .csv or .parquet."
        ),
    ] = None,
    out: Out = None,
    dimension: Dimension = None,
    local: Annotated[
        bool,
        typer.Option("--local", help="Look only at people near the new faces, even if a full run is worth it."),
    ] = False,
    renew: Annotated[
        bool,
        typer.Option("--renew", help="Look at all faces again, as a full run does; without FEATURES too."),
    ] = False,
    constraints: Annotated[
        Path | None,
        typer.Option(
            help="Which faces are one person or two: a table face,other,apart, or face_id,other,apart, of all "
            "that are there then. It holds from then on, until another is given.",
            metavar="CSV",
        ),
    ] = None,
    remove: Annotated[
        str | None,
        typer.Option(
            help="Faces to take out first, such as 3,17,20: their ids where they have some, else their places "
            "in the labels.",
            metavar="FACES",
        ),
    ] = None,
) -> None:
    """Add faces to people found before, or remove some; ids stay.

    Only people near the new faces are found anew. The labels of --out are those of all faces that are left, in
    the order in which they came; --out alone writes them again. One update at a time works on a gallery; others
    wait for it.
    """
    from personae.data import read_constraints, read_faces, write_labels
    from personae.data.atomic import refuse_no_place
    from personae.data.labels import people_and_lone
    from personae.data.one_writer import one_writer_of
    from personae.errors import InputError, counted
    from personae.scale import Gallery
    from personae.scale import update as updated
    from personae.scale.gallery import named

    changes = renew or any(told is not None for told in (features, remove, constraints))
    if not changes and out is None:
        raise InputError("nothing to do; give FEATURES, --remove, --constraints, --renew, or --out for labels")
    if renew and local:
        raise InputError("--renew looks at all faces and --local at few; leave one out")
    if constraints is not None and local:
        raise InputError("with --constraints all faces are looked at, and --local looks at few; leave one out")
    place = named(gallery).resolve()  # links to one gallery have one lock, and stay links
    refuse_no_place(place)
    faces = None if features is None else read_faces(features, dimension=dimension, gaps=True)
    said = list[str]()
    with one_writer_of(place, waiting=lambda line: typer.echo(line, err=True)):
        now = None if faces is not None and remove is None and not place.exists() else Gallery.read(place)
        if now is not None and remove is not None:
            removed = rows_of(remove, now)
            now = now.without(removed)
            said.append(f"{counted(len(set(removed)), 'face')} removed")
        if faces is not None:
            known, began = 0 if now is None else now.ids, time.monotonic()
            whole = not (local or renew or constraints is not None)
            now = Gallery.of(faces) if now is None else updated(now, faces, renew=whole)
            if faces.ids is not None and now.face_ids is None:
                said.append(f"{faces.ids.name} is not kept, since the first faces of the gallery had no ids")
        assert now is not None  # read, or begun
        if constraints is not None:
            now = now.corrected(read_constraints(constraints, len(now), now.face_ids))
        elif renew:
            now = now.renewed()
        if faces is not None:
            said.append(_added(now, len(faces), known, time.monotonic() - began))
        if out is not None:  # first, so that a command that fails adds nothing
            write_labels(now.labels, out, now.face_ids)
        if changes:
            now.save(place)
        copies = of_them_copies(now.distinct)
        said.append(f"{counted(len(now), 'face')} in all{copies}: {people_and_lone(now.people)}")
        said.append(advice(now, gallery))
        if out is not None:
            said.append(f"labels: {out}")
    typer.echo("\n".join(said))


def _added(gallery: "Gallery", new: int, known: int, took: float) -> str:
    """Who the last `new` faces of a gallery are, of people below `known` or others."""
    import numpy as np

    from personae.data.labels import people_and_lone
    from personae.errors import counted

    newest = gallery.labels[len(gallery) - new :]
    others = gallery.people[np.isin(gallery.people, newest[newest >= known])]
    return (
        f"{counted(new, 'new face')} in {took:.1f} s: "
        f"{int((newest < known).sum()):,} of people known before, {people_and_lone(others, 'new ')}"
    )


def advice(gallery: "Gallery", path: Path) -> str:
    """What the drift says, and what may be done about it."""
    command = f": personae update {shlex.quote(str(path))} --renew"
    return f"{gallery.drift}{command * gallery.drift.full_run_is_worth_it}"
