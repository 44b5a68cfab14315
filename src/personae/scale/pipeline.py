"""From features to labels in stages on disk: cells, knn, links, labels; the same labels as in memory."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from personae.clustering.map_equation import MapEquation
from personae.data.faceset import BLOCK, FaceSet
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.link.links import Links
from personae.link.outlier_detection import OutlierDetection
from personae.link.strangers import Strangers
from personae.methods.auto import AS_ASKED, Auto, people
from personae.methods.facemap import FaceMap
from personae.methods.star_fc import StarFC
from personae.scale.search_stages import (
    BASE,
    cells_memory,
    lay_out,
    probes_likely,
    read_knn,
    search,
    search_memory,
)
from personae.scale.stages import Desk, Ran, Stage, Told, run_stages

LINKED = 64  # links a face that there is memory for
TORCH = 300 << 20  # bytes
OF_LINK = 60  # bytes that the map equation's search holds for each of them


class Recipe(NamedTuple):
    """A method in two steps, with a folder between them.

    k:          neighbors a face
    look:       writes what the links follow from to the folder, and tells of it in numbers
    people:     (N,) int32 by what `look` wrote
    of_look:    what the first depends on, JSON
    of_people:  what the second depends on besides
    libraries:  bytes of libraries that only this method loads
    copies:     of the features that the link model holds
    """

    k: int
    look: Callable[[FaceSet, KnnGraph, Path], dict[str, Any]]
    people: Callable[[FaceSet, KnnGraph, Path], NDArray[np.int32]]
    of_look: Mapping[str, Any]
    of_people: Mapping[str, Any]
    libraries: int = 0
    copies: int = 0


def auto_recipe(method: Auto) -> Recipe:
    """`Auto` without a target for the precision, which would take several partitions."""
    method.check()

    def look(faces: FaceSet, graph: KnnGraph, folder: Path) -> dict[str, Any]:
        looks = method.looks(faces, graph)
        floors = looks.floors[AS_ASKED:]
        np.savez(folder / "strangers.npz", floors=floors, **vars(looks.strangers))
        return {"floor": round(floors[0], 2)}

    def people_by(faces: FaceSet, graph: KnnGraph, folder: Path) -> NDArray[np.int32]:
        with np.load(folder / "strangers.npz") as held:
            return people(faces, graph, Strangers(held["level"], held["spread"]), held["floors"].tolist())

    return Recipe(
        k=method.k,
        look=look,
        people=people_by,
        of_look={"false_links": method.false_links, "sample": method.sample},
        of_people={"clusterer": "map_equation"},
        copies=1,
    )


def facemap_recipe(method: FaceMap) -> Recipe:
    """`FaceMap` as it is."""
    outliers, clusterer = OutlierDetection(method.window), MapEquation(method.directed, method.search)
    return Recipe(
        k=method.k,
        look=lambda _, graph, folder: write_links(Links.of(outliers.link(graph)), folder),
        people=lambda _, graph, folder: clusterer.cluster(read_links(folder, graph).graph),
        of_look={"window": method.window},
        of_people={"clusterer": "map_equation", **asdict(clusterer)},
    )


def star_fc_recipe(trained: StarFC) -> Recipe:
    """A trained `StarFC`."""
    weights = hashlib.blake2b(digest_size=16)
    for values in trained.model_.module.state_dict().values():
        weights.update(values.numpy().tobytes())
    return Recipe(
        k=trained.k,
        look=lambda faces, graph, folder: write_links(trained.links(faces, graph=graph), folder),
        people=lambda _, graph, folder: trained.decision_.people(read_links(folder, graph)),
        of_look={"model": weights.hexdigest(), "preset": trained.preset},
        of_people=asdict(trained.decision_),
        libraries=TORCH,
        copies=3,
    )


def people_in_stages(
    faces: FaceSet, recipe: Recipe, workdir: Path, memory: int, told: Told, recall: float = 0.99
) -> tuple[NDArray[np.int32], dict[str, Ran]]:
    """(N,) int32, 0..C-1 in the order of the first faces; and the stages, `workdir` holding a folder of each.

    memory: bytes that may be held; less than what the formulas of the stages ask for is refused
    recall: as in `knn_graph`

    InputError, OutputError: as `run_stages`.
    """
    ran = run_stages(stages_of(faces, recipe, recall), workdir, memory, told)
    return np.load(ran["labels"].folder / "labels.npy"), ran


def stages_of(faces: FaceSet, recipe: Recipe, recall: float) -> list[Stage]:
    """The stages with what each depends on, and the memory and the disk it takes."""
    n, d = faces.features.shape
    k, probes, memory = min(recipe.k, n - 1), probes_likely(n), memory_of(n, d, recipe)
    of_faces = {"faces": n, "d": d, "features": _checksum(faces.features)}

    def link(desk: Desk) -> dict[str, Any]:
        desk.told(0, n)
        found = recipe.look(faces, read_knn(desk.of["knn"]), desk.folder)
        desk.told(n, n)
        return found

    def label(desk: Desk) -> dict[str, Any]:
        desk.told(0, n)
        labels = recipe.people(faces, read_knn(desk.of["knn"]), desk.of["links"])
        np.save(desk.folder / "labels.npy", labels)
        desk.told(n, n)
        sizes = np.bincount(labels)
        return {"people": int((sizes > 1).sum()), "lone_faces": int((sizes == 1).sum())}

    return [
        Stage(
            name="cells",
            parameters={**of_faces, "k": recipe.k, "recall": recall},
            after=[],
            work=lambda desk: lay_out(faces.features, recipe.k, recall, desk),
            memory=memory["cells"],
            disk=8 * n * (1 + probes),
        ),
        Stage(
            name="knn",
            parameters={**of_faces, "k": recipe.k},
            after=["cells"],
            work=lambda desk: search(faces.features, recipe.k, desk),
            memory=memory["knn"],
            disk=n * (16 * k + 4 * d),
        ),
        Stage(
            name="links",
            parameters={**of_faces, **recipe.of_look},
            after=["knn"],
            work=link,
            memory=memory["links"],
            disk=4 * n * (2 * k + 1),
        ),
        Stage(
            name="labels",
            parameters=recipe.of_people,
            after=["knn", "links"],
            work=label,
            memory=memory["labels"],
            disk=4 * n,
        ),
    ]


def memory_of(n: int, d: int, recipe: Recipe) -> dict[str, int]:
    """Bytes that each stage holds at most, by formulas that are measured by `benchmarks.scale`."""
    k, probes = min(recipe.k, n - 1), probes_likely(n)
    in_use = BASE + recipe.libraries + n * (4 * d + 8 * k)  # features and graph
    of_links = OF_LINK * min(k, LINKED)
    return {
        "cells": cells_memory(n, d, probes),
        "knn": search_memory(n, d, k, probes),
        "links": in_use + n * (4 * d * recipe.copies + 16 * k + of_links),
        "labels": in_use + n * (4 * d * recipe.copies + 16 * k + of_links),
    }


def write_links(links: Links, folder: Path) -> dict[str, Any]:
    """Writes the weights, 0 where there is no link, and what else the links hold; how many there are."""
    there = links.graph.neighbors != NOBODY
    np.save(folder / "weights.npy", np.where(there, links.graph.similarities, np.float32(0)))
    np.save(folder / "density.npy", links.density)
    if links.preference is not None:
        np.save(folder / "preference.npy", links.preference)
    return {"links": int((there & (links.graph.similarities > 0)).sum())}


def read_links(folder: Path, graph: KnnGraph) -> Links:
    """What `write_links` wrote of a graph; links of weight 0 are none."""
    weights = np.load(folder / "weights.npy", mmap_mode="r")
    preference = folder / "preference.npy"
    return Links(
        graph.nearest(weights.shape[1]).linked(weights).where(weights > 0),
        np.load(folder / "density.npy"),
        np.load(preference) if preference.is_file() else None,
    )


def _checksum(features: NDArray[np.floating[Any]]) -> str:
    total = hashlib.blake2b(f"{features.shape} {features.dtype}".encode(), digest_size=16)
    for start in range(0, len(features), BLOCK):
        total.update(np.ascontiguousarray(features[start : start + BLOCK]).tobytes())
    return total.hexdigest()
