"""`personae train METHOD FEATURES` and `personae cluster METHOD FEATURES` for the learned methods."""

import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from personae.cli.cluster import (
    Dimension,
    Features,
    Graph,
    Out,
    cluster_commands,
    input_of,
    tell,
)
from personae.cli.progress import progress
from personae.cli.stages import Cluster, Memory, Workdir, in_stages, refuse_contradictions

train_commands = typer.Typer(help="Train a link model on faces with identities.", no_args_is_help=True)

SAYS = {
    "facet": "FaceT: transformers over neighbors and candidates.",
    "gcn_d": "GCN-D: clusters detected among proposals.",
    "gcn_ds": "GCN-D and GCN-S: mixed clusters are segmented.",
    "gcn_v": "GCN-V: learned confidence, the density tree.",
    "gcn_ve": "GCN-V and GCN-E: confidence and connectivity.",
    "l_gcn": "L-GCN: links predicted around each face.",
    "mediated_cdp": "CDP with its mediator: a perceptron judges pairs.",
    "star_fc": "STAR-FC: an edge classifier, then node intimacy.",
}


Model = Annotated[
    str, typer.Option(help="A file of `personae train`, or sface or dlib for a model that comes along.")
]


class Preset(StrEnum):
    """The published model, or the variant that holds for new people."""

    PAPER = "paper"
    GENERAL = "general"


ModelOut = Annotated[Path, typer.Option("--out", help="Where the model goes: .safetensors.", metavar="FILE")]
Truth = Annotated[Path | None, typer.Option(help="Identities, unless FEATURES holds them.", metavar="FILE")]
Seed = Annotated[int, typer.Option(help="Of everything random.", min=0)]
Folder = Annotated[
    Path | None, typer.Option(help="Checkpoints and log go here; the same command goes on from there.")
]


def training(name: str) -> Callable[..., None]:
    """The command that trains this method."""

    def train(
        features: Features,
        out: ModelOut,
        truth: Truth = None,
        dimension: Dimension = None,
        preset: Annotated[
            Preset, typer.Option(help="As published, or the variant for new people.")
        ] = Preset.GENERAL,
        k: Annotated[
            int | None, typer.Option(help="Neighbors a face.", show_default="the method's own")
        ] = None,
        clusterer: Annotated[
            str | None,
            typer.Option(help="What makes people of links, such as map_equation; else the preset's."),
        ] = None,
        seed: Seed = 0,
        folder: Folder = None,
    ) -> None:
        from personae.methods import LEARNED

        length = {} if k is None else {"k": k}
        method = LEARNED[name](preset=preset.value, clusterer=clusterer, seed=seed, **length)
        fit_and_save(method, features, out, truth, dimension, folder)
        decision = method.decision_
        typer.echo(
            f"on identities held out: mean of pairwise and BCubed F {method.validation_:.4f}, "
            f"by {decision.clusterer} of links at {decision.tau:.3g} or above"
        )
        typer.echo(f"model: {out}")

    train.__name__, train.__doc__ = name, SAYS[name]
    return train


def clustering(name: str) -> Callable[..., None]:
    """The command that clusters with a trained model of this method."""

    def cluster(
        features: Features,
        model: Model = "sface",
        out: Out = None,
        graph: Graph = None,
        dimension: Dimension = None,
    ) -> None:
        from personae.methods import LEARNED

        trained, weights = trained_by(LEARNED[name], model)
        faces, knn = input_of(features, graph, dimension)
        began = time.monotonic()
        labels = trained.predict(faces, graph=knn)
        typer.echo(weights)
        tell(faces, labels, began, out)

    cluster.__name__, cluster.__doc__ = name, SAYS[name]
    return cluster


def star_fc(
    features: Features,
    model: Model = "sface",
    out: Out = None,
    graph: Graph = None,
    dimension: Dimension = None,
    workdir: Workdir = None,
    memory: Memory = None,
    ray: Cluster = None,
) -> None:
    """STAR-FC: an edge classifier, then node intimacy."""
    from personae.methods import StarFC

    refuse_contradictions(workdir, memory, ray, graph)
    trained, weights = trained_by(StarFC, model)
    faces, knn = input_of(features, graph, dimension, workdir)
    began = time.monotonic()
    if workdir is None:
        labels = trained.predict(faces, graph=knn)
    else:
        from personae.scale.recipes import star_fc_recipe

        trained.geometry_.check(faces)
        labels = in_stages(faces, star_fc_recipe(trained), workdir, memory, ray)
    typer.echo(weights)
    tell(faces, labels, began, out)


def trained_by(method: Any, model: str) -> tuple[Any, str]:
    """The trained method; and the line that says whose weights it has."""
    if Path(model).suffix:
        return method.named(model), f"weights: {model}"
    return method.named(model), f"weights: those for {model} features that come along (--model)"


def fit_and_save(
    method: Any, features: Path, out: Path, truth: Path | None, dimension: int | None, folder: Path | None
) -> None:
    """Trains a method on the faces of a file and writes its model; what cannot be written is told before."""
    from personae.data import read_faces
    from personae.errors import InputError, OutputError

    if out.suffix != ".safetensors":
        raise InputError(f"{out}: models are written as .safetensors; choose such a name")
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise OutputError(f"cannot write {out}: no such folder, or a folder has that name")
    faces = read_faces(features, labels=truth, dimension=dimension)
    if faces.truth is None:
        raise InputError(f"{features} holds no identities; give them with --truth")
    began = time.monotonic()
    with progress("training", "steps") as told:
        method.fit(faces, folder=folder, progress=told)
    method.save(out)
    typer.echo(f"trained on {len(faces):,} faces in {time.monotonic() - began:.0f} s")


for name in SAYS:
    train_commands.command()(training(name))
    cluster_commands.command()(star_fc if name == "star_fc" else clustering(name))
