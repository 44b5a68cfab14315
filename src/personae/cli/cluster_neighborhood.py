"""`personae cluster METHOD FEATURES` for the methods that compare neighborhoods."""

import time
from pathlib import Path
from typing import Annotated

import typer

from personae.cli.cluster import (
    Dimension,
    Features,
    Graph,
    Held,
    Out,
    cluster_commands,
    constraints_in,
    input_of,
    tell,
)


@cluster_commands.command()
def aro(
    features: Features,
    out: Out = None,
    graph: Graph = None,
    dimension: Dimension = None,
    k: Annotated[int, typer.Option(help="Length of the lists.")] = 200,
    t: Annotated[float, typer.Option(help="Rank-order distance up to which two faces are linked.")] = 1.1,
) -> None:
    """Approximate rank-order: lists that begin alike.

    For large collections.
    """
    from personae.methods.aro import ARO

    faces, knn = input_of(features, graph, dimension)
    began = time.monotonic()
    tell(faces, ARO(k=k, t=t).fit_predict(knn or faces), began, out)


@cluster_commands.command()
def rank_order(
    features: Features,
    out: Out = None,
    graph: Graph = None,
    dimension: Dimension = None,
    k: Annotated[int, typer.Option(help="Length of the lists.")] = 200,
    t: Annotated[float, typer.Option(help="Rank-order distance below which two clusters merge.")] = 14,
    nearest: Annotated[int, typer.Option(help="Nearest faces that tell the usual distance, K.")] = 9,
) -> None:
    """Clusters high in each other's lists merge, in turn."""
    from personae.methods.rank_order import RankOrder

    faces, knn = input_of(features, graph, dimension)
    began = time.monotonic()
    tell(faces, RankOrder(k=k, t=t, nearest=nearest).fit_predict(knn or faces), began, out)


@cluster_commands.command()
def cdp(
    features: Features,
    out: Out = None,
    graph: Graph = None,
    dimension: Dimension = None,
    committee: Annotated[
        list[Path] | None,
        typer.Option(help="The same faces as seen by another model; once for each.", metavar="FILE"),
    ] = None,
    k: Annotated[int, typer.Option(help="Length of the lists.")] = 15,
    tau: Annotated[float, typer.Option(help="Cosine that a pair needs to exceed.")] = 0.7,
    accept: Annotated[
        int | None, typer.Option(help="Votes of the committee that a pair needs.", show_default="all")
    ] = None,
    max_size: Annotated[int, typer.Option(help="Faces a person at most.")] = 600,
    step: Annotated[float, typer.Option(help="How fast the threshold rises for larger ones.")] = 0.05,
) -> None:
    """CDP: pairs that several models agree on.

    They make components that stay small.
    """
    from personae.data import read_faces
    from personae.methods.cdp import CDP

    faces, knn = input_of(features, graph, dimension)
    others = [read_faces(path, dimension=dimension, gaps=True) for path in committee or ()]
    began = time.monotonic()
    method = CDP(k=k, tau=tau, accept=accept, max_size=max_size, step=step)
    tell(faces, method.fit(knn or faces, committee=others).labels_, began, out)


@cluster_commands.command()
def fces(
    features: Features,
    out: Out = None,
    graph: Graph = None,
    dimension: Dimension = None,
    constraints: Held = None,
    k: Annotated[int, typer.Option(help="Length of the lists, the face itself counted.")] = 80,
    theta: Annotated[float, typer.Option(help="Edge probability at which a list ends.")] = 0.22,
    sigma: Annotated[float, typer.Option(help="Width of a neighborhood, in squared distance.")] = 0.5,
) -> None:
    """FC-ES: for people with dozens of faces.

    Lists that stop where neighbors share too little, then the map equation.
    """
    from personae.methods.fces import FCES

    faces, knn = input_of(features, graph, dimension)
    held = constraints_in(constraints, faces)
    began = time.monotonic()
    method = FCES(k=k, theta=theta, sigma=sigma)
    tell(faces, method.fit(knn or faces, constraints=held).labels_, began, out)


@cluster_commands.command()
def density_peaks(
    features: Features,
    out: Out = None,
    graph: Graph = None,
    dimension: Dimension = None,
    k: Annotated[int, typer.Option(help="Length of the lists, the face itself counted.")] = 80,
    tau: Annotated[float, typer.Option(help="Overlap that a link needs to exceed.")] = 0.3,
    sigma: Annotated[float, typer.Option(help="Width of a neighborhood for the overlap, in cosine.")] = 0.05,
    nearest: Annotated[int, typer.Option(help="Length of the lists for the density.")] = 20,
    sigma_density: Annotated[float, typer.Option(help="Width of a neighborhood for the density.")] = 0.5,
    exact: Annotated[
        bool, typer.Option("--exact", help="The density of a long walk, not of one step.")
    ] = False,
) -> None:
    """Density peaks: each face follows a denser one.

    That with the most similar surroundings which are at least as dense.
    """
    from personae.methods.density_peaks import DensityPeaks

    faces, knn = input_of(features, graph, dimension)
    began = time.monotonic()
    method = DensityPeaks(k=k, tau=tau, sigma=sigma, nearest=nearest, sigma_density=sigma_density, exact=exact)
    tell(faces, method.fit_predict(knn or faces), began, out)
