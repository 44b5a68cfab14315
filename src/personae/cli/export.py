"""`personae export`: the people found, handed on to other programs."""

from pathlib import Path
from typing import Annotated

import typer

from personae.cli.progress import progress

export_commands = typer.Typer(help="Hand the people found on to other programs.", no_args_is_help=True)

PeopleFolder = Annotated[
    Path, typer.Argument(metavar="PEOPLE", help="The folder that personae people made.", show_default=False)
]


@export_commands.command()
def xmp(
    people: PeopleFolder,
    photos: Annotated[
        Path, typer.Argument(metavar="PHOTOS", help="The photos in which it found them.", show_default=False)
    ],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the sidecars go, in folders as those of the photos.")
    ] = Path("sidecars"),
    numbers: Annotated[
        bool, typer.Option("--numbers", help="Call faces of people without a name Person 1, Person 2, ...")
    ] = False,
) -> None:
    """Write XMP sidecars with face regions and names, one a photo.

    Photos are never changed, and no sidecar that says something else is replaced.
    """
    from personae.cli.people import folder_of
    from personae.errors import InputError, counted
    from personae.export import read_faces_csv, write_sidecars

    if not photos.exists():
        raise InputError(f"{photos}: no such file or folder; give the photos that personae people looked at")
    faces = read_faces_csv(people / "faces.csv")
    with progress("writing sidecars", "sidecars") as told:
        done = write_sidecars(faces, out, photos=folder_of(photos), numbers=numbers, progress=told)
    placed = f"{counted(done.faces, 'face')}, {done.named:,} of them named"
    typer.echo(f"{counted(done.sidecars, 'sidecar')} in {out}: {placed}")
    if done.unplaced:
        typer.echo(f"{counted(done.unplaced, 'HEIC photo')} without regions")
    if done.videos:
        typer.echo(f"{counted(done.videos, 'video')} left out")


@export_commands.command("json")
def people_json(
    people: PeopleFolder,
    out: Annotated[Path, typer.Option(metavar="JSON", help="Where the document goes.")] = Path("people.json"),
) -> None:
    """Write people and faces as one JSON document."""
    from personae.cli.people import CORRECTIONS
    from personae.data.atomic import refuse_no_place
    from personae.data.formats import refuse_overwriting
    from personae.errors import counted
    from personae.export import read_faces_csv, write_people_json

    refuse_no_place(out)
    refuse_overwriting(out, [people / table for table in ("faces.csv", "people.csv", CORRECTIONS)])
    faces = read_faces_csv(people / "faces.csv")
    write_people_json(faces, out)
    typer.echo(f"{counted(len(faces), 'face')} in {out}")
