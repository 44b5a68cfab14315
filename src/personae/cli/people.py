"""`personae people PHOTOS`: the main job, photos and videos in, people out."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from personae.cli.embed import (
    Color,
    ColorOrder,
    EmbedderPath,
    Mean,
    Photos,
    Rate,
    Scale,
    chosen_embedder,
    look_through,
    looked_at,
)

if TYPE_CHECKING:
    from personae.embed import Album, Embedder
    from personae.export.people import People

STORE = ".faces.store"


class How(StrEnum):
    """How a photo gets into the folder of a person."""

    LINK = "link"
    COPY = "copy"


def people(
    photos: Photos,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the result goes.")] = Path("people"),
    folders: Annotated[
        How | None, typer.Option(help="Also make a folder a person, with links to the photos or copies.")
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(metavar="CSV", help="A table photo,person to score the result against.")
    ] = None,
    embedder: EmbedderPath = None,
    mean: Mean = 127.5,
    scale: Scale = 1 / 127.5,
    color: ColorOrder = Color.RGB,
    rate: Rate = 5.0,
) -> None:
    """Find the people in a folder of photos and videos.

    DIR receives index.html to look at, people.csv and faces.csv to work with, and a store of what was found,
    so that a second run looks only at new photos. Photos are never changed and nothing leaves this machine.
    """
    from personae.data.atomic import sweep
    from personae.data.photo_truth import people_of
    from personae.errors import InputError

    if truth is not None:
        people_of(truth)  # a wrong table is told before the work
    model = chosen_embedder(embedder, mean, scale, color)
    album = look_through(photos, out / STORE, model, rate)
    if not len(album.faces):
        raise InputError(f"{photos}: {looked_at(album)}, but no face in them")
    sweep(out)
    found = grouped(album, model)
    write(found, album, photos, out, folders)
    typer.echo(
        f"{len(album.faces):,} faces in {looked_at(album)} ({album.fresh:,} new): "
        f"{len(found.persons):,} people and {len(found.lone):,} lone faces"
    )
    if found.expected is not None:
        typer.echo(f"expected, without names: {found.expected}")
    if truth is not None:
        typer.echo(scored(found, photos, truth))
    typer.echo(f"open {out / 'index.html'}")


def grouped(album: "Album", embedder: "Embedder") -> "People":
    """The people among the faces, by the default method; two faces in one photo are hardly one person."""
    from personae.embed.strangers import strangers
    from personae.export import People
    from personae.methods import Auto

    method = Auto(strangers=strangers(embedder)).fit(album.faces, constraints=album.constraints)
    return People(album.faces, method.labels_, method.confidence_, album.thumbnails, method.expected_)


def write(found: "People", album: "Album", photos: Path, out: Path, folders: How | None) -> None:
    """The page, the tables and the folders; each file is the old one or the new one at any moment."""
    from personae.export import write_faces_csv, write_folders, write_page, write_people_csv

    root = photos if photos.is_dir() else photos.parent
    write_faces_csv(found, out / "faces.csv")
    write_people_csv(found, out / "people.csv")
    if folders is not None:
        write_folders(found, out / "folders", photos=root, how=folders.value)
    skipped = [(skipped.file, skipped.reason) for skipped in album.skipped]
    write_page(found, out / "index.html", photos=root, skipped=skipped)


def scored(found: "People", photos: Path, truth: Path) -> str:
    """One line: how well the people agree with the table, over the faces that it names."""
    from personae.data.photo_truth import UNKNOWN, read_photo_truth
    from personae.evaluation import bcubed, pairwise

    identity = read_photo_truth(truth, found.sources, photos if photos.is_dir() else photos.parent)
    named = identity != UNKNOWN
    pairs, faces = (metric(identity[named], found.labels[named]) for metric in (pairwise, bcubed))
    return f"against {truth.name}, {named.sum():,} faces: pairwise F {pairs.f:.4f}, BCubed F {faces.f:.4f}"
