"""`personae cluster METHOD FEATURES`: labels for embeddings."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from personae.cli.stages import Cluster, Memory, Workdir, album_of, in_stages, refuse_contradictions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from personae.data import Constraints, FaceSet
    from personae.evaluation import Expected
    from personae.graph import KnnGraph
    from personae.methods import Auto

cluster_commands = typer.Typer(
    help="Group embeddings into people, by one of the methods below.", no_args_is_help=True
)


def labels_place(path: Path | None) -> Path | None:
    """The path, before any work; InputError or OutputError where labels cannot be written so."""
    from personae.data.atomic import refuse_no_place
    from personae.data.formats import refuse_other_labels

    if path is not None:
        refuse_other_labels(path)
        refuse_no_place(path)
    return path


def share(value: float | None) -> float | None:
    """The share, before any work; InputError where it is none."""
    from personae.errors import InputError

    if value is not None and not 0 < value < 1:
        raise InputError(f"the precision to reach is {value}; give a share between 0 and 1, such as 0.99")
    return value


Features = Annotated[
    Path, typer.Argument(metavar="FEATURES", help="Embeddings: .npy, .npz, .bin with .meta, .csv or .parquet.")
]
Out = Annotated[
    Path | None,
    typer.Option(
        help="Where the labels go: .csv, .npy, .npz, .txt or .parquet.", metavar="FILE", callback=labels_place
    ),
]
Graph = Annotated[
    Path | None, typer.Option(help="The kNN graph of FEATURES, made by `personae knn`.", metavar="FILE")
]
Held = Annotated[
    Path | None,
    typer.Option(
        "--constraints",
        help="Which faces are one person or two: a table face,other,apart, or face_id,other,apart.",
        metavar="CSV",
    ),
]
TargetPrecision = Annotated[
    float | None,
    typer.Option(
        help="Join less: link more strictly until the expected pairwise precision is this, such as 0.99.",
        metavar="SHARE",
        callback=share,
    ),
]
Dimension = Annotated[int | None, typer.Option(help="Values a face, for .bin files.", metavar="D")]


@cluster_commands.command()
def auto(
    features: Features,
    out: Out = None,
    graph: Graph = None,
    dimension: Dimension = None,
    constraints: Held = None,
    k: Annotated[int, typer.Option(help="Neighbors a face.")] = 80,
    false_links: Annotated[
        float, typer.Option(help="Share of a face's links that may be false where most are.")
    ] = 0.2,
    target_precision: TargetPrecision = None,
    strangers: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Embeddings of people who are none of these, by the same model; some thirty of them make few "
            "faces surer.",
        ),
    ] = None,
    workdir: Workdir = None,
    memory: Memory = None,
    ray: Cluster = None,
) -> None:
    """The default: any embedder, nothing to choose.

    Holds for lone faces and for large people alike.
    """
    from personae.data import read_faces
    from personae.errors import InputError
    from personae.methods import Auto

    refuse_contradictions(workdir, memory, ray, graph)
    if workdir is not None and target_precision is not None:
        raise InputError("--target-precision takes several partitions, --workdir makes one; leave one out")
    faces, knn, held = known_input_of(features, graph, dimension, constraints, workdir)
    began = time.monotonic()
    others = None if strangers is None else read_faces(strangers, dimension=dimension, gaps=True).features
    method = Auto(k=k, false_links=false_links, target_precision=target_precision, strangers=others)
    if workdir is not None:
        from personae.scale.recipes import auto_recipe

        method.elsewhere(faces)  # refused before the search
        tell(faces, in_stages(faces, auto_recipe(method, held), workdir, memory, ray), began, out)
        return
    method.fit(faces, graph=knn, constraints=held)
    tell(faces, method.labels_, began, out)
    typer.echo(f"expected, without labels: {foreseen(method)}")
    tell_missed(method.expected_, target_precision)


@cluster_commands.command()
def facemap(
    features: Features,
    out: Out = None,
    graph: Graph = None,
    dimension: Dimension = None,
    constraints: Held = None,
    k: Annotated[
        int | None,
        typer.Option(help="Neighbors a face, K in the paper.", show_default="256, with --albums 24"),
    ] = None,
    window: Annotated[
        int | None,
        typer.Option(help="Steps in the window, omega in the paper.", show_default="20, with --albums 4"),
    ] = None,
    directed: Annotated[bool, typer.Option("--directed", help="Follow links one way only.")] = False,
    albums: Annotated[
        bool, typer.Option("--albums", help="Short lists and window, for people with few pictures.")
    ] = False,
    search: Annotated[str, typer.Option(help="own, or infomap with that extra.")] = "own",
    workdir: Workdir = None,
    memory: Memory = None,
    ray: Cluster = None,
) -> None:
    """FaceMap: for people with dozens of faces.

    Outlier detection on each list, then the map equation.
    """
    from personae.methods import FaceMap

    refuse_contradictions(workdir, memory, ray, graph)
    faces, knn, held = known_input_of(features, graph, dimension, constraints, workdir)
    began = time.monotonic()
    method = FaceMap.for_albums() if albums else FaceMap()
    asked = {"k": k, "window": window, "directed": directed, "search": search}
    method.set_params(**{name: value for name, value in asked.items() if value is not None})
    if workdir is not None:
        from personae.scale.recipes import facemap_recipe

        tell(faces, in_stages(faces, facemap_recipe(method, held), workdir, memory, ray), began, out)
        return
    tell(faces, method.fit(knn or faces, constraints=held).labels_, began, out)


@cluster_commands.command()
def threshold(
    features: Features,
    out: Out = None,
    graph: Graph = None,
    dimension: Dimension = None,
    constraints: Held = None,
    tau: Annotated[float, typer.Option(help="Cosine from which two faces are linked.")] = 0.6,
    k: Annotated[int, typer.Option(help="Neighbors a face.")] = 80,
    workdir: Workdir = None,
    memory: Memory = None,
    ray: Cluster = None,
) -> None:
    """Everything linked at a fixed cosine is one person.

    Connected components; the right cosine depends on the embedder.
    """
    from personae.methods import Threshold

    refuse_contradictions(workdir, memory, ray, graph)
    faces, knn, held = known_input_of(features, graph, dimension, constraints, workdir)
    began = time.monotonic()
    method = Threshold(tau=tau, k=k)
    if workdir is not None:
        from personae.scale.recipes import threshold_recipe

        tell(faces, in_stages(faces, threshold_recipe(method, held), workdir, memory, ray), began, out)
        return
    tell(faces, method.fit(knn or faces, constraints=held).labels_, began, out)


def foreseen(method: "Auto") -> str:
    """The quality to expect, or why it is not known."""
    reason = method.unforeseen(method.looked_at_, int(method.labels_.max()) + 1)
    if not reason:
        return str(method.expected_)
    return f"unknown, {reason}" + ("; --strangers FILE gives some" if method.strangers is None else "")


def tell_missed(expected: "Expected", target_precision: float | None) -> None:
    """Says so where the precision that was asked for cannot be expected."""
    reached = expected.pairwise.precision
    if target_precision is not None and reached < target_precision:
        typer.echo(f"a precision of {target_precision} cannot be expected here; it is {reached:.3f}")


def input_of(
    features: Path, graph: Path | None, dimension: int | None, workdir: Path | None = None
) -> "tuple[FaceSet, KnnGraph | None]":
    """The faces of a file and their graph, if there is one; with a folder to work in also those of photos.

    InputError: a graph of other faces.
    """
    from personae.data import read_faces
    from personae.errors import InputError
    from personae.graph.files import read_graph

    if workdir is not None and features.is_dir():
        return album_of(features, workdir).faces, None
    if features.is_dir():
        raise InputError(
            f"{features} is a folder; give a file of embeddings, such as `personae embed` makes of photos"
        )
    faces = read_faces(features, dimension=dimension, gaps=True)
    knn = read_graph(graph) if graph else None
    if knn is not None and len(knn) != len(faces):
        raise InputError(f"{graph}: a graph of {len(knn):,} faces, but {features} holds {len(faces):,}")
    if knn is not None and not knn.is_of(faces.features):
        raise InputError(f"{graph}: the similarities are not those of {features}; search its graph anew")
    return faces, knn


def known_input_of(
    features: Path, graph: Path | None, dimension: int | None, constraints: Path | None, workdir: Path | None
) -> "tuple[FaceSet, KnnGraph | None, Constraints | None]":
    """`input_of`, and what is known of the faces: what a file says goes over what photos and tracks tell."""
    if workdir is None or not features.is_dir():
        faces, knn = input_of(features, graph, dimension)
        return faces, knn, constraints_in(constraints, faces)
    album = album_of(features, workdir)
    said = constraints_in(constraints, album.faces)
    if said is not None:
        return album.faces, None, said.over(album.constraints)
    return album.faces, None, album.constraints if len(album.constraints.apart) else None


def constraints_in(path: Path | None, faces: "FaceSet") -> "Constraints | None":
    """What a file says of these faces. InputError: no such table, rows or ids that are not there."""
    from personae.data import read_constraints

    return None if path is None else read_constraints(path, len(faces), faces.ids)


def size_of(faces: "FaceSet") -> str:
    """How many faces of how many values, which shows a file with both exchanged."""
    from personae.errors import counted

    return f"{counted(len(faces), 'face')} of {counted(faces.dimension, 'value')}"


def tell(faces: "FaceSet", labels: "NDArray[np.int32]", began: float, out: Path | None) -> None:
    """Says what was found, and the score if the truth is known; writes the labels."""
    import numpy as np

    from personae.data import write_labels
    from personae.data.formats import WITH_IDS
    from personae.data.labels import people_and_lone
    from personae.errors import counted
    from personae.evaluation.bcubed import bcubed_of
    from personae.evaluation.contingency import contingency
    from personae.evaluation.pairwise import pairwise_of
    from personae.graph.copies import Copies

    if out is not None:
        write_labels(labels, out, faces.ids)
    took = time.monotonic() - began
    copies = Copies.among(faces.features)
    once = labels
    if copies is not None:  # one a cluster and distinct face
        once = np.unique(labels.astype(np.int64) * len(labels) + copies.of) // len(labels)
    many = of_them_copies(None if copies is None else copies.of)
    typer.echo(f"{size_of(faces)}{many}: {people_and_lone(once)}, in {took:.1f} s")
    if faces.truth is not None and (faces.truth >= 0).any():
        table = contingency(faces.truth, labels, ignore_unknown=True)
        scores = f"pairwise F {pairwise_of(table).f:.4f}, BCubed F {bcubed_of(table).f:.4f}"
        without = f", without {counted(table.unknown, 'face')} that it does not know" * (table.unknown > 0)
        typer.echo(f"against the truth in the file{without}: {scores}")
    if out is None:
        typer.echo("nothing was written; --out FILE keeps the labels")
    else:
        typer.echo(f"labels: {out}")
        if faces.ids is not None and out.suffix.lower() not in WITH_IDS:
            typer.echo(f"{faces.ids.name} was not written; {', '.join(WITH_IDS)} keep the ids of the faces")


def of_them_copies(distinct: "NDArray[np.int32] | None") -> str:
    """How many of N faces are copies of others, if any are.

    distinct: (N,) which of the distinct faces each face is, or None
    """
    copies = 0 if distinct is None else len(distinct) - int(distinct.max(initial=-1)) - 1
    return f", {copies:,} of them {'a copy' if copies == 1 else 'copies'}" if copies else ""
