"""`personae cluster METHOD FEATURES --workdir DIR`: the same in stages on disk."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from personae.cli.progress import one_after_another, progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from personae.data import FaceSet
    from personae.embed import Album
    from personae.scale.recipe import Recipe

OF_CONTAINER = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def memory_size(text: str | None) -> str | None:
    """The text, before any work; InputError where it is no size."""
    from personae.scale.sizes import bytes_of

    if text is not None:
        bytes_of(text)
    return text


Workdir = Annotated[
    Path | None,
    typer.Option(help="Work in stages in this folder; after a stop the same command goes on.", metavar="DIR"),
]
Memory = Annotated[
    str | None,
    typer.Option(
        help="With --workdir: memory that may be held, such as 20G.", metavar="SIZE", callback=memory_size
    ),
]


Cluster = Annotated[
    str | None,
    typer.Option(
        "--ray",
        help="With --workdir: share the work out on a Ray cluster, or on one of its own here.",
        metavar="local|HOST:PORT",
    ),
]


def refuse_contradictions(
    workdir: Path | None, memory: str | None, ray: str | None, graph: Path | None
) -> None:
    """InputError for options that do not go together."""
    from personae.errors import InputError

    if workdir is None and memory is not None:
        raise InputError("--memory goes with --workdir; give a folder to work in")
    if workdir is None and ray is not None:
        raise InputError("--ray goes with --workdir; give a folder that all nodes see")
    if workdir is not None and graph is not None:
        raise InputError("--workdir makes the graph itself; leave out --graph")


def in_stages(
    faces: "FaceSet", recipe: "Recipe", workdir: Path, memory: str | None, ray: str | None
) -> "NDArray[np.int32]":
    """The labels; says how far each stage is, and which were done before."""
    from personae.scale.pipeline import MOMENTS, memory_of, people_in_stages
    from personae.scale.shards import HERE, OnRay, as_file
    from personae.scale.sizes import bytes_of, shown
    from personae.scale.stages import Run

    held = bytes_of(memory) if memory else memory_of_machine()
    place = OnRay(ray) if ray else HERE
    on_disk = ray is not None or isinstance(as_file(faces.features), Path)
    needed = memory_of(len(faces), faces.dimension, recipe, on_disk=on_disk)
    told_of = ", ".join(f"{name} {shown(size, up=True)}" for name, size in needed.items())
    typer.echo(f"memory at most: {told_of}; {shown(held)} may be held")
    with one_after_another(lambda stage: progress(stage, "faces")) as told:
        labels, ran = people_in_stages(faces, recipe, workdir, Run(held, told, place))
    copies = len(faces) - ran["cells"].record["counts"]["faces"]
    if copies:
        typer.echo(f"{copies:,} of the {len(faces):,} faces are copies; the stages know of the others alone")
    if (inner := f"{MOMENTS}/cells") in ran:
        stood, looked = (ran[name].record["counts"]["faces"] for name in ("cells", inner))
        typer.echo(
            f"{looked:,} of {stood:,} faces stand for their moment; the stages in {MOMENTS} are of these"
        )
    for name, stage in ran.items():
        seconds = f"{stage.record['seconds']:.1f} s" if stage.fresh else "done before"
        counts = ", ".join(
            f"{what.replace('_', ' ')} {count if isinstance(count, str) else format(count, ',')}"
            for what, count in stage.record["counts"].items()
        )
        typer.echo(f"{name}: {seconds}; {counts}")
    return labels


def album_of(photos: Path, workdir: Path) -> "Album":
    """What is in a folder of photos and videos; `faces.npz` in the folder to work in tells where they are.

    InputError: nobody is in them.
    """
    from personae.cli.embed import found_in, look_through, looked_at
    from personae.data import write_faces
    from personae.data.one_writer import one_writer_in
    from personae.embed import sface
    from personae.embed.clips import RATE
    from personae.errors import InputError

    with one_writer_in(workdir):
        album = look_through(photos, workdir / "faces.store", sface(), RATE)
        if not len(album.faces):
            raise InputError(f"{photos}: {looked_at(album)}, but no face in them")
        write_faces(album.faces, workdir / "faces.npz")
    typer.echo(found_in(album))
    typer.echo(f"faces: {workdir / 'faces.npz'}")
    return album


def memory_of_machine() -> int:
    """Bytes, or of the container if that has fewer; without a limit where the system does not tell."""
    told = [sys.maxsize]
    with suppress(AttributeError, ValueError, OSError):
        told.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for limit in OF_CONTAINER:
        with suppress(ValueError, OSError):  # "max" is none
            told.append(int(limit.read_text()))
    return min(told)
