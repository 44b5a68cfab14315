"""`personae cluster METHOD FEATURES` for the methods that join clusters or follow density."""

import time
from enum import StrEnum
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

Neighbors = Annotated[int, typer.Option(help="Neighbors a face.")]


class LinkageName(StrEnum):
    """What the similarity of two clusters is."""

    single = "single"
    average = "average"
    complete = "complete"


@cluster_commands.command()
def hac(
    features: Features,
    out: Out = None,
    graph: Graph = None,
    dimension: Dimension = None,
    constraints: Held = None,
    linkage: Annotated[
        LinkageName, typer.Option(help="Closest faces, mean, or farthest faces.")
    ] = LinkageName.single,
    tau: Annotated[float, typer.Option(help="Cosine down to which clusters are joined.")] = 0.7408,
    clusters: Annotated[
        int | None, typer.Option(help="Join down to this many clusters; tau is not looked at.", metavar="C")
    ] = None,
    k: Annotated[int, typer.Option(help="Neighbors a face, above 20,000 faces.")] = 80,
) -> None:
    """Agglomeration: the closest clusters join, in turn.

    All pairs up to 20,000 faces, the kNN graph above or with --graph.
    """
    from personae.methods.hac import HAC

    faces, knn = input_of(features, graph, dimension)
    began = time.monotonic()
    method = HAC(linkage.value, tau=tau, n_clusters=clusters, k=k)
    tell(faces, method.fit(knn or faces, constraints=constraints_in(constraints, faces)).labels_, began, out)


@cluster_commands.command()
def dbscan(
    features: Features,
    out: Out = None,
    graph: Graph = None,
    dimension: Dimension = None,
    tau: Annotated[float, typer.Option(help="Cosine from which two faces are linked, 1 - eps.")] = 0.75,
    min_samples: Annotated[int, typer.Option(help="Faces, itself counted, that make a core.")] = 1,
    k: Neighbors = 80,
) -> None:
    """DBSCAN on the kNN graph; noise is lone faces."""
    from personae.methods.dbscan import DBSCAN

    faces, knn = input_of(features, graph, dimension)
    began = time.monotonic()
    tell(faces, DBSCAN(tau=tau, min_samples=min_samples, k=k).fit_predict(knn or faces), began, out)


@cluster_commands.command()
def hdbscan(
    features: Features,
    out: Out = None,
    graph: Graph = None,
    dimension: Dimension = None,
    min_cluster_size: Annotated[int, typer.Option(help="Faces that make a person.")] = 5,
    min_samples: Annotated[
        int | None, typer.Option(help="Faces that density is read from; as --min-cluster-size.", metavar="M")
    ] = None,
    k: Neighbors = 80,
) -> None:
    """HDBSCAN on the kNN graph; noise is lone faces.

    So are the faces of people who have few.
    """
    from personae.methods.hdbscan import HDBSCAN

    faces, knn = input_of(features, graph, dimension)
    began = time.monotonic()
    method = HDBSCAN(min_cluster_size=min_cluster_size, min_samples=min_samples, k=k)
    tell(faces, method.fit_predict(knn or faces), began, out)


@cluster_commands.command()
def chinese_whispers(
    features: Features,
    out: Out = None,
    graph: Graph = None,
    dimension: Dimension = None,
    tau: Annotated[float, typer.Option(help="Cosine from which two faces are linked.")] = 0.6,
    iterations: Annotated[int, typer.Option(help="Rounds.")] = 20,
    seed: Annotated[int, typer.Option(help="Of the order in which faces are visited.")] = 0,
    k: Neighbors = 80,
) -> None:
    """Each face takes the name that weighs most around."""
    from personae.methods.chinese_whispers import ChineseWhispers

    faces, knn = input_of(features, graph, dimension)
    began = time.monotonic()
    method = ChineseWhispers(tau=tau, iterations=iterations, seed=seed, k=k)
    tell(faces, method.fit_predict(knn or faces), began, out)


@cluster_commands.command()
def finch(
    features: Features,
    out: Out = None,
    graph: Graph = None,
    dimension: Dimension = None,
    clusters: Annotated[
        int | None, typer.Option(help="Join down to this many people; else the level is chosen.", metavar="C")
    ] = None,
    k: Annotated[int, typer.Option(help="Neighbors a face that the choice of the level looks at.")] = 80,
    alpha: Annotated[
        float, typer.Option(help="False links a face that are put up with in that choice.")
    ] = 1e-3,
) -> None:
    """FINCH: first neighbors join, level by level.

    The level with the shortest description is taken, unless a number is given.
    """
    from personae.methods.finch import FINCH

    faces, knn = input_of(features, graph, dimension)
    began = time.monotonic()
    tell(faces, FINCH(k, alpha, clusters).fit(faces, graph=knn).labels_, began, out)


@cluster_commands.command()
def c1c(
    features: Features,
    out: Out = None,
    graph: Graph = None,
    dimension: Dimension = None,
    constraints: Held = None,
    clusters: Annotated[
        int | None, typer.Option(help="Join down to this many people; else the level is chosen.", metavar="C")
    ] = None,
    k: Annotated[int, typer.Option(help="Neighbors a face that the choice of the level looks at.")] = 80,
    alpha: Annotated[
        float, typer.Option(help="False links a face that are put up with in that choice.")
    ] = 1e-3,
) -> None:
    """C1C: FINCH under constraints, for tracks.

    First neighbors join, level by level, but nothing that is known to be two people.
    """
    from personae.methods.c1c import C1C

    faces, knn = input_of(features, graph, dimension)
    held = constraints_in(constraints, faces)
    began = time.monotonic()
    method = C1C(clusters, k=k, alpha=alpha).fit(faces, graph=knn, constraints=held)
    tell(faces, method.labels_, began, out)
