"""From features to labels in stages on disk: cells, knn, links, labels; the same labels as in memory."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personae.data.atomic import sweep
from personae.data.faceset import FaceSet
from personae.data.one_writer import one_writer_in
from personae.graph.components import first_seen
from personae.graph.copies import Copies
from personae.scale.cells_stage import cells_disk, cells_memory, lay_out, probes_likely
from personae.scale.memory import Size
from personae.scale.recipe import TOLD_UP_TO, WANTS_MEMORY, Recipe
from personae.scale.search_stages import read_knn, search, search_memory
from personae.scale.shards import Features, as_file, checksum, opened, within_reach
from personae.scale.stages import Desk, Ran, Run, Stage, run_stages

MOMENTS = "moments"


def people_in_stages(
    faces: FaceSet, recipe: Recipe, workdir: Path, run: Run, recall: float = 0.99
) -> tuple[NDArray[np.int32], dict[str, Ran]]:
    """(N,) int32, 0..C-1 in the order of the first faces; and the stages, `workdir` holding a folder of each.

    The stages know of distinct faces alone, as all methods do; where there are copies and the features are in
    a file, or need to be, those of the distinct faces are written beside the stages. Where one face of each
    moment is looked at alone, all stages are done once more, of these, in a folder of their own.

    run:    with less memory than what the formulas of the stages ask for it is refused
    recall: as in `knn_graph`

    InputError: as `run_stages`. OutputError: so too; another run is at work there.
    """
    with one_writer_in(workdir.absolute()):
        sweep(workdir)
        copies = Copies.among(faces.features, recipe.known and recipe.known[0])
        labels, ran = _of_distinct(copies, faces, recipe, workdir, run, recall)
        for stage in ran.values():
            if stage.record["counts"].get("without_labels") == WANTS_MEMORY:
                stage.folder.with_suffix(".json").unlink()  # more may be given the next time
    return labels, ran


def _of_distinct(
    copies: Copies | None, faces: FaceSet, recipe: Recipe, workdir: Path, run: Run, recall: float
) -> tuple[NDArray[np.int32], dict[str, Ran]]:
    """The labels of all faces, from stages of the distinct ones."""
    distinct = None if copies is None else copies.first
    reach: Features
    if run.place.apart or isinstance(as_file(faces.features), Path):
        reach = within_reach(faces.features, workdir, distinct)
        faces = faces if copies is None else FaceSet(opened(reach))
    else:
        faces = faces if copies is None else copies.faces(faces)
        reach = faces.features
    if copies is not None and recipe.known is not None:
        known, under = recipe.known
        recipe = under(copies.constraints(known))
    moments: Copies | None = None
    asked = False

    def goes_on(ran: Mapping[str, Ran]) -> bool:
        nonlocal moments, asked
        if recipe.moments is not None and "knn" in ran and not asked:
            moments, asked = recipe.moments(faces, read_knn(ran["knn"].folder)), True
        return moments is None

    ran = run_stages(stages_of(faces, recipe, recall, reach), workdir, run, goes_on)
    if moments is None:
        labels = np.load(ran["labels"].folder / "labels.npy")
    else:
        fewer = workdir / MOMENTS
        fewer.mkdir(exist_ok=True)
        sweep(fewer)
        labels, more = _of_distinct(moments, faces, recipe, fewer, run, recall)
        ran |= {f"{MOMENTS}/{name}": stage for name, stage in more.items()}
    return labels if copies is None else first_seen(labels[copies.of]), ran


def stages_of(faces: FaceSet, recipe: Recipe, recall: float, features: Features) -> list[Stage]:
    """The stages with what each depends on, and the memory and the disk it takes.

    features: those of the faces, or the file that they are in
    """
    n, d = faces.features.shape
    recipe = recipe._replace(k=int(recipe.k))  # a number of NumPy would be told as such in every file
    memory = memory_of(n, d, recipe, on_disk=isinstance(features, Path))
    disk = disk_of(n, min(recipe.k, n - 1))
    if isinstance(features, Path):
        disk["knn"] += 0 if faces.features.dtype == np.float32 else 4 * n * d
        disk["links"] += n * recipe.look_disk(d)
    of_faces = {"faces": n, "d": d, "features": checksum(faces.features)}

    def label(desk: Desk) -> dict[str, Any]:
        desk.told(0, n)
        labels = recipe.people(features, desk)
        np.save(desk.folder / "labels.npy", labels)
        desk.told(n, n)
        sizes = np.bincount(labels)
        return {"people": int((sizes > 1).sum()), "lone_faces": int((sizes == 1).sum())}

    def expect(desk: Desk) -> dict[str, Any]:
        assert recipe.expected is not None
        desk.told(0, n)
        told = recipe.expected(features, desk, np.load(desk.of["labels"] / "labels.npy"))
        desk.told(n, n)
        return {"without_labels": told}

    stages = [
        Stage(
            name="cells",
            parameters={**of_faces, "k": recipe.k, "recall": recall},
            after=[],
            work=lambda desk: lay_out(features, recipe.k, recall, desk),
            memory=memory["cells"],
            disk=disk["cells"],
        ),
        Stage(
            name="knn",
            parameters={**of_faces, "k": recipe.k},
            after=["cells"],
            work=lambda desk: search(features, recipe.k, desk),
            memory=memory["knn"],
            disk=disk["knn"],
        ),
        Stage(
            name="links",
            parameters={**of_faces, **recipe.of_look},
            after=["knn"],
            work=lambda desk: recipe.look(features, desk),
            memory=memory["links"],
            disk=disk["links"],
        ),
        Stage(
            name="labels",
            parameters=recipe.of_people,
            after=["knn", "links"],
            work=label,
            memory=memory["labels"],
            disk=disk["labels"],
        ),
    ]
    if recipe.expected is not None and n <= TOLD_UP_TO:
        stages += [
            Stage(
                name="expected",
                parameters=recipe.of_people,
                after=["knn", "links", "labels"],
                work=expect,
                memory=memory["labels"],
                disk=0,
            )
        ]
    return stages


def memory_of(n: int, d: int, recipe: Recipe, *, on_disk: bool = True) -> dict[str, int]:
    """Bytes that each stage holds at most, by formulas that are measured by `benchmarks.scale`.

    on_disk: whether the features are a map of a file
    """
    size, probes = Size(n, d, min(recipe.k, n - 1), on_disk), probes_likely(n)
    return {
        "cells": cells_memory(n, d, probes, on_disk=on_disk),
        "knn": search_memory(n, d, size.k, probes),
        "links": recipe.look_memory(size),
        "labels": recipe.people_memory(size),
    }


def disk_of(n: int, k: int) -> dict[str, int]:
    """Bytes that each stage has on disk at most, those on the way to its result included."""
    return {
        "cells": cells_disk(n),
        "knn": n * (30 * k + 8),
        "links": 4 * n * (2 * k + 1),
        "labels": 4 * n,
    }
