"""`personae people PHOTOS`: the main job, photos and videos in, people out."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from personae.cli.cluster import TargetPrecision, of_them_copies, tell_missed
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
    from personae.data.corrections import Corrected, Correction
    from personae.embed import Album
    from personae.export.people import People

STORE = ".faces.store"
CORRECTIONS, EARLIER, LAST = "corrections.csv", "corrections.before.csv", ".corrections.last.csv"


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
    corrections: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV", help="Names and corrections that the page saved; kept in DIR from then on."
        ),
    ] = None,
    target_precision: TargetPrecision = None,
    embedder: EmbedderPath = None,
    mean: Mean = 127.5,
    scale: Scale = 1 / 127.5,
    color: ColorOrder = Color.RGB,
    rate: Rate = 5.0,
) -> None:
    """Find the people in a folder of photos and videos.

    DIR receives index.html to look at, people.csv and faces.csv to work with, and a store of what was found,
    so that a second run looks only at new photos. Name people and put faces right on the page; later runs keep
    to it. Photos are never changed and nothing leaves this machine.
    """
    from personae.data.atomic import sweep
    from personae.data.corrections import read_corrections
    from personae.data.one_writer import one_writer_in
    from personae.data.photo_truth import people_of
    from personae.errors import InputError, counted, listed

    if truth is not None:
        people_of(truth)  # a wrong table is told before the work
    with one_writer_in(out):
        kept = out / CORRECTIONS
        told_in = corrections or (kept if kept.exists() else None)
        said = () if told_in is None else read_corrections(told_in)
        if corrections is None and (later := saved_later(kept)):
            alone = f"corrections are read from {kept} alone, not from {listed(later)}, saved later"
            typer.echo(f"{alone}; give what holds with --corrections", err=True)
        model = chosen_embedder(embedder, mean, scale, color)
        album = look_through(photos, out / STORE, model, rate)
        if not len(album.faces):
            raise InputError(f"{photos}: {looked_at(album)}, but no face in them")
        sweep(out)
        if album.fresh:
            typer.echo("finding the people; on a machine's first run this takes a minute longer", err=True)
        found, right = grouped(album, said, target_precision)
        if told_in is not None:
            keep(right.lines, kept, told_in)
        write(found, album, photos, out, folders, right.lines)
        typer.echo(
            f"{counted(len(album.faces), 'face')} in {looked_at(album)} ({album.fresh:,} new)"
            f"{of_them_copies(found.distinct)}: "
            f"{counted(len(found.persons), 'person', 'people')} and {counted(len(found.lone), 'lone face')}"
        )
        if said:
            unfit = ""
            if right.astray:
                astray = dict.fromkeys(correction.photo for correction in right.astray)
                unfit = f"; {counted(len(right.astray), 'fits', 'fit')} no face here: {listed([*astray])}"
            typer.echo(f"{counted(len(said), 'correction')} from {kept}{unfit}")
        if found.expected is not None:
            typer.echo(f"expected, without names: {found.expected}")
            tell_missed(found.expected, target_precision)
    if truth is not None:
        typer.echo(scored(found, photos, truth))
    typer.echo(f"open {out / 'index.html'}")


def saved_later(kept: Path) -> list[str]:
    """Other files beside the page that are called as browsers call a second download of the corrections."""
    since = kept.stat().st_mtime if kept.exists() else 0
    others = {*kept.parent.glob("corrections*.csv")} - {kept, kept.with_name(EARLIER)}
    return sorted(file.name for file in others if file.is_file() and file.stat().st_mtime > since)


def keep(corrections: "Sequence[Correction]", kept: Path, told_in: Path) -> None:
    """Puts the corrections where later runs find them; those that held before stay under another name.

    Who saves a table over that of an earlier run leaves its copy alone to tell what that was.
    """
    from personae.data.atomic import atomic_write
    from personae.data.corrections import read_corrections, write_corrections

    def is_other(table: Path) -> bool:
        said = [correction.cells() for correction in read_corrections(table)]
        return said != [correction.cells() for correction in corrections]

    last = kept.with_name(LAST)
    tables = (last, kept) if kept.exists() and told_in.samefile(kept) else (kept, last)
    before = [table for table in tables if table.exists() and is_other(table)]
    for table in before[:1]:
        with atomic_write(kept.with_name(EARLIER)) as temporary:
            temporary.write_bytes(table.read_bytes())
    if kept in before or not kept.exists():
        write_corrections(corrections, kept)
    if last in before or not last.exists():
        write_corrections(corrections, last)


def grouped(
    album: "Album",
    said: "Sequence[Correction]" = (),
    target_precision: float | None = None,
) -> tuple["People", "Corrected"]:
    """The people among the faces, by the default method, and what the corrections say of them.

    Two faces in one photo are hardly one person, but what somebody said of them is sure.
    """
    from personae.data.corrections import corrected
    from personae.export import People
    from personae.graph.copies import Copies
    from personae.methods import Auto

    assert album.faces.sources is not None  # given by every look at photos
    right = corrected(said, album.faces.sources, album.contents)
    method = Auto(target_precision=target_precision, strangers=album.strangers)
    looks, rung = method.fit_looks(album.faces, constraints=right.over(album.constraints))
    copies = Copies.among(album.faces.features)
    confidence = method.confidence_.copy()
    confidence[list(right.people)] = 1
    called = {int(method.labels_[row]): name for row, name in right.people.items()}
    people = People(
        album.faces,
        method.labels_,
        confidence,
        album.thumbnails,
        method.expected_,
        called,
        looks.suggestions(rung),
        None if copies is None else copies.of,
    )
    return people, right


def write(
    found: "People",
    album: "Album",
    photos: Path,
    out: Path,
    folders: How | None,
    said: "Sequence[Correction]" = (),
) -> None:
    """The tables, the page and then the folders; each file is the old one or the new one at any moment."""
    from personae.export import Corrigible, write_faces_csv, write_folders, write_page, write_people_csv

    root = folder_of(photos)
    write_faces_csv(found, out / "faces.csv")
    write_people_csv(found, out / "people.csv")
    skipped = [(skipped.file, skipped.reason) for skipped in album.skipped]
    page = Corrigible(album.contents, [correction.cells() for correction in said])
    there = album.photos + album.videos
    write_page(found, out / "index.html", photos=root, skipped=skipped, corrigible=page, looked_at=there)
    if folders is not None:
        write_folders(found, out / "folders", photos=root, how=folders.value)


def folder_of(photos: Path) -> Path:
    """What the paths of the photos are relative to: the folder given, or that of the one file given."""
    return photos if photos.is_dir() else photos.parent


def scored(found: "People", photos: Path, truth: Path) -> str:
    """One line: how well the people agree with the table, over the faces that it names."""
    from personae.data.photo_truth import UNKNOWN, read_photo_truth
    from personae.evaluation import bcubed, pairwise

    identity = read_photo_truth(truth, found.sources, folder_of(photos))
    named = identity != UNKNOWN
    pairs, faces = (metric(identity[named], found.labels[named]) for metric in (pairwise, bcubed))
    return f"against {truth.name}, {named.sum():,} faces: pairwise F {pairs.f:.4f}, BCubed F {faces.f:.4f}"
