"""`personae update GALLERY FEATURES`: new faces added to people that were found before."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from personae.cli.cluster import Dimension, Features, Out

if TYPE_CHECKING:
    from personae.scale import Gallery


def update(
    gallery: Annotated[
        Path,
        typer.Argument(metavar="GALLERY", help="An .npz file that this command keeps; begun if it is missing."),
    ],
    features: Features,
    out: Out = None,
    dimension: Dimension = None,
    local: Annotated[
        bool,
        typer.Option("--local", help="Look only at people near the new faces, even if a full run is worth it."),
    ] = False,
) -> None:
    """Add faces to a collection; people keep their ids, and only those near the new faces are found anew.

    The labels of --out are those of all faces, in the order in which they came.
    """
    import numpy as np

    from personae.data import read_faces, write_labels
    from personae.data.atomic import refuse_no_place
    from personae.scale import Gallery
    from personae.scale import update as updated
    from personae.scale.gallery import named

    refuse_no_place(named(gallery))
    faces = read_faces(features, dimension=dimension)
    before = Gallery.read(gallery) if gallery.exists() else None
    began = time.monotonic()
    after = Gallery.of(faces) if before is None else updated(before, faces, renew=not local)
    took = time.monotonic() - began
    after.save(gallery)
    known = 0 if before is None else before.ids
    newest = after.labels[len(after) - len(faces) :]
    typer.echo(
        f"{len(newest):,} new faces in {took:.1f} s: {int((newest < known).sum()):,} of people known before, "
        f"{len(np.unique(newest[newest >= known])):,} new people"
    )
    typer.echo(f"{len(after):,} faces of {len(np.unique(after.labels)):,} people in all")
    typer.echo(advice(after))
    if out is not None:
        write_labels(after.labels, out)
        typer.echo(f"labels: {out}")


def advice(gallery: "Gallery") -> str:
    """What the drift says, and what may be done about it."""
    worth = "; leave --local out once" if gallery.drift.full_run_is_worth_it else ""
    return f"{gallery.drift}{worth}"
