"""`personae cluster METHOD FEATURES` for the methods that look at the features themselves."""

import time
from typing import Annotated

import typer

from personae.cli.cluster import Dimension, Features, Out, cluster_commands, input_of, tell

Clusters = Annotated[
    int | None, typer.Option(help="How many people there are; counted from the features if not given.")
]
Seed = Annotated[int, typer.Option(help="Of what is drawn by chance.", min=0)]


@cluster_commands.command()
def kmeans(
    features: Features,
    out: Out = None,
    dimension: Dimension = None,
    clusters: Clusters = None,
    seed: Seed = 0,
) -> None:
    """Spherical K-means: the nearest of K directions.

    Each face goes to the nearest of K mean directions.
    """
    from personae.methods.kmeans import KMeans

    faces, _ = input_of(features, None, dimension)
    began = time.monotonic()
    tell(faces, KMeans(n_clusters=clusters, seed=seed).fit_predict(faces), began, out)


@cluster_commands.command()
def mean_shift(
    features: Features,
    out: Out = None,
    dimension: Dimension = None,
    tau: Annotated[float, typer.Option(help="Cosine from which two faces are near each other.")] = 0.65,
) -> None:
    """Mean shift: up to the same top; up to 15,000 faces.

    Faces that climb to the same top of the density are one person.
    """
    from personae.methods.mean_shift import MeanShift

    faces, _ = input_of(features, None, dimension)
    began = time.monotonic()
    tell(faces, MeanShift(tau=tau).fit_predict(faces), began, out)


@cluster_commands.command()
def affinity_propagation(
    features: Features,
    out: Out = None,
    dimension: Dimension = None,
    preference: Annotated[
        float | None,
        typer.Option(help="Cosine of a face with itself in the vote; more splits.", show_default="median"),
    ] = None,
    damping: Annotated[float, typer.Option(help="Part of each message kept from round to round.")] = 0.5,
    max_iter: Annotated[int, typer.Option(help="Rounds at most.")] = 500,
    seed: Seed = 0,
) -> None:
    """Faces vote who stands for them; up to 8,000 faces."""
    from personae.methods.affinity_propagation import AffinityPropagation

    faces, _ = input_of(features, None, dimension)
    began = time.monotonic()
    method = AffinityPropagation(preference=preference, damping=damping, max_iter=max_iter, seed=seed)
    tell(faces, method.fit_predict(faces), began, out)


@cluster_commands.command()
def spectral(
    features: Features,
    out: Out = None,
    dimension: Dimension = None,
    clusters: Clusters = None,
    k: Annotated[int, typer.Option(help="Neighbors a face.")] = 20,
    seed: Seed = 0,
) -> None:
    """K groups of the kNN graph; up to 5,000 faces."""
    from personae.methods.spectral import Spectral

    faces, _ = input_of(features, None, dimension)
    began = time.monotonic()
    tell(faces, Spectral(n_clusters=clusters, k=k, seed=seed).fit_predict(faces), began, out)


@cluster_commands.command()
def pahc(
    features: Features,
    out: Out = None,
    dimension: Dimension = None,
    tau: Annotated[float, typer.Option(help="Proximity from which two groups are joined.")] = 0.4,
    k: Annotated[int, typer.Option(help="Neighbors a face.")] = 5,
    negatives: Annotated[int, typer.Option(help="Far faces that each machine is trained with.")] = 100,
    penalty: Annotated[float, typer.Option(help="C of the support vector machines.")] = 1.0,
) -> None:
    """After PAHC: a machine a face; up to 5,000 faces.

    A linear support vector machine for each face, then average linkage.
    """
    from personae.methods.pahc import PAHC

    faces, _ = input_of(features, None, dimension)
    began = time.monotonic()
    method = PAHC(tau=tau, k=k, negatives=negatives, penalty=penalty)
    tell(faces, method.fit_predict(faces), began, out)


@cluster_commands.command()
def ddc(
    features: Features,
    out: Out = None,
    dimension: Dimension = None,
    tau: Annotated[float, typer.Option(help="Cosine of two centers from which faces are linked.")] = 0.84,
    k: Annotated[int, typer.Option(help="Neighbors a face.")] = 5,
    slack: Annotated[float, typer.Option(help="Share of a neighborhood that may lie outside.")] = 0.8,
) -> None:
    """After DDC: neighborhoods in the same small sphere."""
    from personae.methods.ddc import DDC

    faces, _ = input_of(features, None, dimension)
    began = time.monotonic()
    tell(faces, DDC(tau=tau, k=k, slack=slack).fit_predict(faces), began, out)
