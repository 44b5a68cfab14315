"""`personae compare FEATURES`: methods side by side, quality against time and memory."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from personae.cli.cluster import Dimension, Features

if TYPE_CHECKING:
    from collections.abc import Collection

    from personae.comparison import Compared

HEAD = f"{'method':<24}{'pairwise F':>11}{'BCubed F':>10}{'NMI':>8}{'clusters':>10}{'seconds':>9}{'MiB':>7}"


def figures_place(path: Path | None) -> Path | None:
    """The path, before any work; InputError or OutputError where figures cannot be written so."""
    from personae.data.atomic import refuse_no_place
    from personae.errors import InputError

    if path is not None:
        if path.suffix.lower() != ".json":
            raise InputError(f"{path}: figures are written as .json; choose such a name")
        refuse_no_place(path)
    return path


def picture_place(path: Path | None) -> Path | None:
    """The path, before any work; an error where no picture can be drawn there."""
    from personae.data.atomic import refuse_no_place
    from personae.export.comparison import refuse_other_picture

    if path is not None:
        refuse_other_picture(path)
        refuse_no_place(path)
    return path


def compare(
    features: Features,
    truth: Annotated[
        Path | None, typer.Option(metavar="LABELS", help="The identities, where FEATURES does not hold them.")
    ] = None,
    methods: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,C",
            help="Which methods, by name; all that need no training by default. "
            "Learned ones with their model, as star-fc:sface or l-gcn:FILE.safetensors.",
        ),
    ] = None,
    oracle: Annotated[
        bool, typer.Option("--oracle", help="Also show each threshold at its best, chosen with the labels.")
    ] = False,
    k: Annotated[
        int | None,
        typer.Option(
            help="Neighbors a face, of all methods that look at some.", show_default="each method's own"
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="JSON", help="Where all the figures go, .json.", callback=figures_place),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="PNG",
            help="Where a picture of quality, time and memory goes, .png, .svg or .pdf.",
            callback=picture_place,
        ),
    ] = None,
    dimension: Dimension = None,
    ignore_unknown: Annotated[
        bool, typer.Option("--ignore-unknown", help="Leave the faces without an identity out of the scores.")
    ] = False,
) -> None:
    """Methods side by side: quality, time, memory."""
    from personae.comparison import compare as side_by_side
    from personae.data import read_faces
    from personae.errors import InputError
    from personae.methods import LEARNED, METHODS

    faces = read_faces(features, labels=truth, dimension=dimension, gaps=ignore_unknown)
    if faces.truth is None:
        raise InputError(f"{features} holds no identities; give them with --truth")
    chosen = list(METHODS) if methods is None else chosen_of(methods, [*METHODS, *LEARNED])
    results: list[Compared] = []
    compared = side_by_side(faces, faces.truth, chosen, oracle=oracle, k=k, ignore_unknown=ignore_unknown)
    for result in compared:
        if not results:
            typer.echo(HEAD)
        results.append(result)
        typer.echo(line(result))
        if out is not None:
            keep(results, features, out)
    if any(result.oracle for result in results):
        typer.echo("* parameters chosen with the labels, which no user has")
    if out is not None:
        typer.echo(f"figures: {out}")
    if plot is not None:
        from personae.export.comparison import draw

        draw(results, plot)
        typer.echo(f"picture: {plot}")


def chosen_of(methods: str, known: "Collection[str]") -> list[str]:
    """The methods of a list with commas, by their names in the library, with their models as they are given.

    InputError: one that is not known.
    """
    from personae.errors import InputError

    chosen = []
    for called in methods.split(","):
        name, trained, model = called.strip().partition(":")
        name = name.replace("-", "_")
        if name not in known:
            there = ", ".join(map(hyphened, known))
            raise InputError(f"no method is called {hyphened(name) or 'nothing'}; there are {there}")
        chosen.append(name + trained + model)
    return chosen


def hyphened(called: str) -> str:
    """The name of a method as the command line writes it, and its model as it is."""
    name, trained, model = called.partition(":")
    return name.replace("_", "-") + trained + model


def line(result: "Compared") -> str:
    """One row of the table."""
    if result.evaluation is None:
        return f"{hyphened(result.method):<24}{result.refused}"
    chosen = "".join(f" {hyphened(name)}={value:.4g}" for name, value in result.parameters.items())
    name = hyphened(result.method) + chosen + ("*" if result.oracle else "")
    score = result.evaluation
    quality = f"{score.pairwise.f:>11.4f}{score.bcubed.f:>10.4f}{score.information.nmi_arithmetic:>8.4f}"
    return f"{name:<24}{quality}{score.clusters:>10,}{result.seconds:>9.2f}{result.peak_mib:>7,}"


def keep(results: "list[Compared]", features: Path, out: Path) -> None:
    """Writes every figure as JSON."""
    from personae import __version__
    from personae.data.atomic import atomic_write

    whole = {
        "personae": __version__,
        "features": features.name,
        "results": [each.as_dict() for each in results],
    }
    with atomic_write(out) as temporary:
        temporary.write_text(json.dumps(whole, indent=1) + "\n")
