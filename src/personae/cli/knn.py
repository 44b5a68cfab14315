"""`personae knn FEATURES --out GRAPH`: the kNN graph, to be used by several methods."""

import time
from pathlib import Path
from typing import Annotated

import typer

from personae.cli.cluster import Dimension, Features


def knn(
    features: Features,
    out: Annotated[Path, typer.Option(help="Where the graph goes, .npz.", metavar="FILE")],
    dimension: Dimension = None,
    k: Annotated[int, typer.Option(help="Neighbors a face.")] = 80,
) -> None:
    """Search the k nearest faces of every face, exactly."""
    from personae.data import read_faces
    from personae.graph import knn_graph
    from personae.graph.files import refuse_other_name, write_graph

    refuse_other_name(out)
    faces = read_faces(features, dimension=dimension)
    began = time.monotonic()
    graph = knn_graph(faces, k)
    took = time.monotonic() - began
    write_graph(graph, out)
    typer.echo(f"{len(graph):,} faces, {graph.k} neighbors each, in {took:.1f} s")
    typer.echo(f"graph: {out}")
