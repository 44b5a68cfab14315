"""`personae train METHOD` and `personae cluster METHOD` for the methods of tracks."""

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from personae.cli.cluster import (
    Dimension,
    Features,
    Held,
    Out,
    cluster_commands,
    constraints_in,
    input_of,
    tell,
)
from personae.cli.learned import Folder, ModelOut, Seed, Truth, fit_and_save, train_commands
from personae.cli.progress import progress

Tracks = Annotated[
    Path,
    typer.Option(
        "--constraints",
        help="Which faces are one track, and which are two people: face,other,apart.",
        metavar="CSV",
    ),
]
Tau = Annotated[
    float | None, typer.Option(help="Join tracks down to this cosine; else nobody chooses a threshold.")
]
Clusters = Annotated[int | None, typer.Option(help="Join tracks down to this many people.", metavar="C")]


class Pairs(StrEnum):
    """Where the pairs of frames come from."""

    TRACKS = "tracks"
    RANKED = "ranked"


@train_commands.command("ball-clusters")
def train_balls(
    features: Features,
    out: ModelOut,
    truth: Truth = None,
    dimension: Dimension = None,
    seed: Seed = 0,
    folder: Folder = None,
) -> None:
    """Ball Cluster Learning: everybody in a ball of one radius."""
    from personae.methods import BallClusters

    method = BallClusters(seed=seed)
    fit_and_save(method, features, out, truth, dimension, folder)
    typer.echo(
        f"on tracks of identities held out: mean of pairwise and BCubed F {method.validation_:.4f}, "
        f"by balls of radius {method.radius_:.3f}"
    )
    typer.echo(f"model: {out}")


@cluster_commands.command("ball-clusters")
def cluster_balls(
    features: Features,
    model: Annotated[Path, typer.Option(help="A file of `personae train ball-clusters`.", metavar="FILE")],
    out: Out = None,
    dimension: Dimension = None,
    constraints: Held = None,
    fine_tune: Annotated[
        bool,
        typer.Option("--fine-tune", help="First go on learning from the tracks and pairs of --constraints."),
    ] = False,
) -> None:
    """Balls of a learned radius, on tracks or faces.

    Nobody chooses a threshold; faces of one track are averaged.
    """
    from personae.errors import InputError
    from personae.methods import BallClusters

    method = BallClusters.read(model)
    faces, _ = input_of(features, None, dimension)
    held = constraints_in(constraints, faces)
    began = time.monotonic()
    if fine_tune:
        if held is None:
            raise InputError("--fine-tune learns from tracks; give --constraints, which says what they are")
        with progress("fine-tuning", "steps") as told:
            method = method.fine_tuned(faces, constraints=held, progress=told)
    tell(faces, method.predict(faces, constraints=held), began, out)


@cluster_commands.command()
def video_transformer(
    features: Features,
    constraints: Tracks,
    out: Out = None,
    dimension: Dimension = None,
    tau: Tau = None,
    clusters: Clusters = None,
    seed: Seed = 0,
) -> None:
    """Tracks of a film, by a transformer of their frames.

    It learns from the frames which of them to look at, then the tracks are grouped.
    """
    from personae.methods import VideoTransformer

    learn_and_tell(VideoTransformer(tau, clusters, seed=seed), features, constraints, dimension, out)


@cluster_commands.command()
def siamese(
    features: Features,
    constraints: Tracks,
    out: Out = None,
    dimension: Dimension = None,
    pairs: Annotated[
        Pairs, typer.Option(help="Of overlapping tracks as TSiam, or by likeness as SSiam.")
    ] = Pairs.TRACKS,
    tau: Tau = None,
    clusters: Clusters = None,
    seed: Seed = 0,
) -> None:
    """Tracks of a film, after TSiam and SSiam.

    A perceptron learns from pairs of the film's frames, then the tracks are grouped.
    """
    from personae.methods import Siamese

    learn_and_tell(Siamese(pairs.value, tau, clusters, seed=seed), features, constraints, dimension, out)


def learn_and_tell(
    method: Any, features: Path, constraints: Path, dimension: int | None, out: Path | None
) -> None:
    """Learns from the frames of a file and groups them by track; what came of it is printed and written."""
    faces, _ = input_of(features, None, dimension)
    held = constraints_in(constraints, faces)
    began = time.monotonic()
    with progress("learning from the film", "steps") as told:
        method.fit(faces, constraints=held, progress=told)
    tell(faces, method.labels_, began, out)
