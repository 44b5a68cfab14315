"""`personae knn FEATURES --out GRAPH`: the kNN graph, to be used by several methods."""

import time
from pathlib import Path
from typing import Annotated

import typer

from personae.cli.cluster import Dimension, Features, size_of


def knn(
    features: Features,
    out: Annotated[Path, typer.Option(help="Where the graph goes, .npz.", metavar="FILE")],
    dimension: Dimension = None,
    k: Annotated[int, typer.Option(help="Neighbors a face.")] = 80,
    recall: Annotated[
        float,
        typer.Option(help="Share to find of the neighbors that stand out, from 50,000 faces on; 1 is exact."),
    ] = 0.99,
) -> None:
    """Search the k nearest faces of every face."""
    from personae.data import read_faces
    from personae.graph import knn_graph, near_recall, neighbor_recall
    from personae.graph.files import refuse_other_name, write_graph
    from personae.graph.reach import QUERIES
    from personae.graph.search import SMALL

    refuse_other_name(out)
    faces = read_faces(features, dimension=dimension, gaps=True)
    began = time.monotonic()
    graph = knn_graph(faces, k, recall=recall)
    took = time.monotonic() - began
    write_graph(graph, out)
    typer.echo(f"{size_of(faces)}, {graph.k} neighbors each, in {took:.1f} s")
    if len(faces) > SMALL and recall < 1:
        near, every = near_recall(graph, faces), neighbor_recall(graph, faces, sample=QUERIES)
        typer.echo(f"of a sample's neighbors that stand out {near:.1%} were found, of all of them {every:.1%}")
    typer.echo(f"graph: {out}")
