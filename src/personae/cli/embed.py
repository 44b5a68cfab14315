"""`personae embed PHOTOS --out FACES`: the faces of a folder as embeddings with their sources."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from personae.cli.progress import progress

if TYPE_CHECKING:
    from personae.embed.album import Album
    from personae.embed.embedder import Embedder

SKIPPED_SHOWN = 10


class Color(StrEnum):
    """The order of the channels that a model expects."""

    RGB = "rgb"
    BGR = "bgr"


def faces_place(path: Path) -> Path:
    """The path, before any work; InputError or OutputError where faces cannot be written so."""
    from personae.data.atomic import refuse_no_place
    from personae.data.formats import refuse_other_faces

    refuse_other_faces(path)
    refuse_no_place(path)
    return path


def constraints_place(path: Path | None) -> Path | None:
    """The path, before any work; InputError or OutputError where constraints cannot be written so."""
    from personae.data.atomic import refuse_no_place
    from personae.data.formats_constraints import refuse_other_constraints

    if path is not None:
        refuse_other_constraints(path)
        refuse_no_place(path)
    return path


Photos = Annotated[
    Path,
    typer.Argument(metavar="PHOTOS", help="A folder of photos and videos, searched with all folders below it."),
]
EmbedderPath = Annotated[
    Path | None,
    typer.Option(metavar="ONNX", help="Another ArcFace-style model: 112x112 crops in, one feature out."),
]
Mean = Annotated[float, typer.Option(help="For --embedder: subtracted from values 0..255.")]
Scale = Annotated[float, typer.Option(help="For --embedder: multiplied after that.", show_default="1/127.5")]
Rate = Annotated[float, typer.Option(help="Pictures of each second of video that are looked at.")]
ColorOrder = Annotated[Color, typer.Option(help="For --embedder: order of the channels.")]


def embed(
    photos: Photos,
    out: Annotated[
        Path,
        typer.Option(metavar="FILE", help="Where the faces go: .npz, .parquet or .csv.", callback=faces_place),
    ],
    embedder: EmbedderPath = None,
    mean: Mean = 127.5,
    scale: Scale = 1 / 127.5,
    color: ColorOrder = Color.RGB,
    rate: Rate = 5.0,
    constraints_out: Annotated[
        Path | None,
        typer.Option(
            "--constraints",
            metavar="CSV",
            help="Also write which faces are two people: in one photo likely, tracks in one frame surely.",
            callback=constraints_place,
        ),
    ] = None,
    frames: Annotated[
        bool,
        typer.Option(
            "--frames", help="Write every look at each track; --constraints then tells the tracks too."
        ),
    ] = False,
) -> None:
    """Find every face in photos and videos, as embeddings.

    Of a video one a track. What is found is remembered in FILE.store, so that a second run looks only at new
    photos.
    """
    from personae.data import write_constraints, write_faces
    from personae.errors import InputError, counted

    album = look_through(
        photos, out.with_name(out.name + ".store"), chosen_embedder(embedder, mean, scale, color), rate
    )
    if not len(album.faces):
        raise InputError(f"{photos}: {looked_at(album)}, but no face in them; nothing was written")
    faces, held = album.frames() if frames else (album.faces, album.constraints)
    write_faces(faces, out)
    typer.echo(f"{counted(len(faces), 'look')} at " * frames + found_in(album))
    typer.echo(f"faces: {out}")
    if constraints_out is not None:
        write_constraints(held, constraints_out)
        typer.echo(f"constraints: {constraints_out}")


def chosen_embedder(path: Path | None, mean: float, scale: float, color: Color) -> "Embedder":
    """The user's own model, or the one that comes with personae."""
    from personae.embed import Embedder, Preprocessing, sface

    return sface() if path is None else Embedder.load(path, Preprocessing(mean, scale, color.value))


def looked_at(album: "Album") -> str:
    """How many photos and videos there are, of which there are any."""
    counts = (album.photos, "photo"), (album.videos, "video")
    return " and ".join(f"{count:,} {what}{'s' * (count != 1)}" for count, what in counts if count)


def found_in(album: "Album") -> str:
    """How many faces are in how many files, and how many of these were not known before."""
    from personae.errors import counted

    return f"{counted(len(album.faces), 'face')} in {looked_at(album)}, {counted(album.fresh, 'new file')}"


def look_through(photos: Path, store: Path, embedder: "Embedder", rate: float) -> "Album":
    """The faces of the photos and videos, with progress; what had to be skipped is told.

    A store that was begun here stays only if there is a face in it.
    """
    from personae.embed import embed_photos

    there = [place for place in (store, store.parent) if place.exists()]
    with progress("looking for faces", "photos") as told:
        album = embed_photos(photos, store, embedder=embedder, rate=rate, progress=told)
    if not len(album.faces) and store not in there:
        store.unlink()
        if store.parent not in there:
            store.parent.rmdir()
    for skipped in album.skipped[:SKIPPED_SHOWN]:
        typer.echo(f"skipped {skipped.file}: {skipped.reason}", err=True)
    if len(album.skipped) > SKIPPED_SHOWN:
        typer.echo(f"skipped {len(album.skipped) - SKIPPED_SHOWN:,} more", err=True)
    return album
