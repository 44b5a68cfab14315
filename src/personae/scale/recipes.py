"""Methods in two steps with a folder between them: links, run of faces by run of faces, and people."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from personae.clustering.components import Components
from personae.clustering.looks import AS_ASKED, people
from personae.clustering.map_equation import MapEquation
from personae.data.atomic import atomic_write
from personae.data.constraints import Constraints
from personae.data.faceset import FaceSet
from personae.data.pages import passing
from personae.errors import refuse_no_cosine
from personae.evaluation.expected import expected
from personae.graph.components import components_of, joining_links
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.graph.threads import Span, in_threads, products_alone
from personae.link.links import Links
from personae.link.outlier_detection import OutlierDetection
from personae.link.strangers import BLOCK, Sample, Side, Strangers, seen_from, settled
from personae.methods.auto import Auto
from personae.methods.facemap import FaceMap
from personae.methods.star_fc import StarFC
from personae.methods.threshold import Threshold
from personae.scale.lists_on_disk import tables
from personae.scale.memory import (
    LINKED,
    OF_FACE,
    TORCH,
    Size,
    of_auto_shard,
    of_convolution,
    of_evidence,
    of_looks,
    of_map_equation,
)
from personae.scale.recipe import WANTS_MEMORY, Recipe
from personae.scale.search_stages import read_knn, write_rows
from personae.scale.shards import BASE, ROWS, Features, opened, rows_of, runs
from personae.scale.stages import Desk


def auto_recipe(method: Auto, constraints: Constraints | None = None) -> Recipe:
    """`Auto` without a target for the precision, which would take several partitions."""
    method.check()

    def look(reach: Features, desk: Desk) -> dict[str, Any]:
        graph, passes = read_knn(desk.of["knn"]), 0

        def refuse(links: int) -> None:
            desk.refuse_more_than_memory(of_looks(_size(reach, graph), method.sample, links))

        def measured(
            features: NDArray[np.floating[Any]],
            sample: Sample,
            *,
            side: Side,
            labels: NDArray[np.int32] | None = None,
        ) -> Strangers:
            nonlocal passes
            asked, known = desk.folder / f"asked-{passes}.npz", desk.folder / f"known-{passes}.npy"
            with atomic_write(asked) as temporary:
                np.savez(temporary, **vars(sample))
            if labels is not None:
                with atomic_write(known) as temporary:
                    np.save(temporary, labels)
            work = partial(_seen, features=reach, asked=asked, known=known, side=side)
            n, d = features.shape
            told = Pass(of_auto_shard(n, d, len(sample.face)), f", look {passes + 1}")
            seen = in_rows(desk, f"seen-{passes}", work, n, told)
            found = Afforded(**vars(settled(np.load(seen))), refuse=refuse)
            for file in (asked, known, seen):
                file.unlink(missing_ok=True)
            passes += 1
            return found

        looks = method.looks(FaceSet(opened(reach)), graph, measured=measured)
        floors, floor = looks.reach(AS_ASKED), looks.floors[AS_ASKED]
        count = looks.strangers.count(graph, floor)
        told: dict[str, Any] = {"floors": floors, "people": looks.unconstrained()}
        told |= {"level": looks.strangers.level, "spread": looks.strangers.spread}
        np.savez(desk.folder / "strangers.npz", **told)
        return {"floor": round(floor, 2), "links": count}

    def people_by(features: Features, desk: Desk) -> NDArray[np.int32]:
        with np.load(desk.of["links"] / "strangers.npz") as held:
            if constraints is None:
                return np.asarray(held["people"])
            level, spread, floors = held["level"], held["spread"], held["floors"].tolist()
        graph = read_knn(desk.of["knn"])

        def refuse(links: int) -> None:
            desk.refuse_more_than_memory(of_map_equation(_size(features, graph), links))

        strangers = Afforded(level, spread, refuse)
        return people(FaceSet(opened(features)), graph, strangers, floors, constraints)

    def expected_of(features: Features, desk: Desk, labels: NDArray[np.int32]) -> str:
        faces, graph = FaceSet(opened(features)), read_knn(desk.of["knn"])
        if reason := method.unforeseen(len(faces), int(labels.max()) + 1):
            return f"unknown, {reason}"
        with np.load(desk.of["links"] / "strangers.npz") as held:
            strangers, floors = Strangers(held["level"], held["spread"]), held["floors"].tolist()
        loosest = -(-strangers.count(graph, floors[0]) // len(faces))
        if of_map_equation(_size(features, graph), loosest) > desk.memory:
            return WANTS_MEMORY
        strict = people(faces, graph, strangers, floors[2:], constraints)
        loose = people(faces, graph, strangers, floors[:1] + floors, constraints)
        return str(expected(labels, strict, loose))

    of_look: dict[str, Any] = {"false_links": method.false_links, "sample": method.sample}
    if method.strangers is not None:
        rows = np.asarray(method.strangers, np.float32)
        of_look["strangers"] = hashlib.blake2b(rows.tobytes(), digest_size=16).hexdigest()
    return Recipe(
        k=method.k,
        look=look,
        people=people_by,
        of_look=of_look,
        of_people={"clusterer": "map_equation", **_told_of(constraints)},
        look_memory=partial(of_looks, sample=method.sample),
        people_memory=of_map_equation,
        known=None if constraints is None else (constraints, partial(auto_recipe, method)),
        moments=partial(method.moments, constraints=constraints),
        expected=expected_of,
    )


def facemap_recipe(method: FaceMap, constraints: Constraints | None = None) -> Recipe:
    """`FaceMap` as it is."""
    clusterer = MapEquation(method.directed, method.search)

    def look(features: Features, desk: Desk) -> dict[str, Any]:
        n, k = read_knn(desk.of["knn"]).neighbors.shape
        work = partial(_kept, knn=desk.of["knn"], window=method.window)
        weights = np.load(in_rows(desk, "weights", work, n, Pass(BASE + 100 * k * ROWS)), mmap_mode="r")
        return {"links": _links_in(weights)}

    def people_by(features: Features, desk: Desk) -> NDArray[np.int32]:
        weights, graph = np.load(desk.of["links"] / "weights.npy", mmap_mode="r"), read_knn(desk.of["knn"])
        desk.refuse_more_than_memory(of_map_equation(_size(features, graph), _links_a_face(weights)))
        return clusterer.cluster(graph.linked(weights).positive(), constraints)

    return Recipe(
        k=method.k,
        look=look,
        people=people_by,
        of_look={"window": method.window},
        of_people={"clusterer": "map_equation", **asdict(clusterer), **_told_of(constraints)},
        look_memory=lambda size: BASE + 100 * size.k * ROWS,
        people_memory=of_map_equation,
        known=None if constraints is None else (constraints, partial(facemap_recipe, method)),
    )


def star_fc_recipe(trained: StarFC) -> Recipe:
    """A trained `StarFC`; its links are looked at in one piece."""
    general, hidden = trained.preset == "general", trained.model_.config.hidden

    def memory(size: Size, links: int = LINKED) -> int:
        return TORCH + of_looks(size, links=links) + OF_FACE * size.n

    weights = hashlib.blake2b(digest_size=16)
    for values in trained.model_.module.state_dict().values():
        weights.update(values.numpy().tobytes())

    def look(features: Features, desk: Desk) -> dict[str, Any]:
        faces = FaceSet(opened(features))
        desk.told(0, len(faces))
        counts = write_links(trained.links(faces, graph=read_knn(desk.of["knn"])), desk.folder)
        desk.told(len(faces), len(faces))
        return counts

    def people_by(features: Features, desk: Desk) -> NDArray[np.int32]:
        graph = read_knn(desk.of["knn"])
        links = read_links(desk.of["links"], graph)
        kept = _links_a_face(links.graph.similarities, trained.decision_.tau)
        desk.refuse_more_than_memory(memory(_size(features, graph), kept))
        return trained.people(FaceSet(opened(features)), links, graph)

    return Recipe(
        k=trained.k,
        look=look,
        people=people_by,
        of_look={"model": weights.hexdigest(), "preset": trained.preset},
        of_people=asdict(trained.decision_),
        look_memory=partial(of_evidence if general else of_convolution, hidden=hidden),
        people_memory=memory,
        look_disk=lambda d: 8 * d if general else 4 * hidden,
    )


def threshold_recipe(method: Threshold, constraints: Constraints | None = None) -> Recipe:
    """`Threshold`: each run of faces tells a spanning forest of its links, and these are put together."""
    refuse_no_cosine(method.tau)

    def look(features: Features, desk: Desk) -> dict[str, Any]:
        n, k = read_knn(desk.of["knn"]).neighbors.shape
        work = partial(_forest, knn=desk.of["knn"], tau=method.tau, faces=n)
        forest = in_rows(desk, "forest", work, n, Pass(BASE + 4 * n + 32 * k * ROWS))
        return {"links": len(np.load(forest, mmap_mode="r"))}

    def people_by(features: Features, desk: Desk) -> NDArray[np.int32]:
        if constraints is not None:
            return Components(method.tau).cluster(read_knn(desk.of["knn"]), constraints)
        faces = len(read_knn(desk.of["knn"]))
        return components_of(np.load(desk.of["links"] / "forest.npy"), faces)

    return Recipe(
        k=method.k,
        look=look,
        people=people_by,
        of_look={"tau": method.tau},
        of_people={"clusterer": "components", "tau": method.tau, **_told_of(constraints)},
        look_memory=lambda size: BASE + 8 * size.n + 32 * size.k * ROWS,
        people_memory=lambda size: BASE + size.n * (12 if constraints is None else 32 * size.k),
        known=None if constraints is None else (constraints, partial(threshold_recipe, method)),
    )


@dataclass(frozen=True)
class Afforded(Strangers):
    """Strangers whose links are counted, before people are made of them.

    refuse: called with how many links a face has in the mean; InputError where these take too much memory
    """

    refuse: Callable[[int], None]

    def link(self, graph: KnnGraph, floor: float) -> KnnGraph:
        links = super().link(graph, floor)
        self.refuse(_links_a_face(links.similarities))
        return links


class Pass(NamedTuple):
    """A pass over all faces.

    memory: bytes that a shard holds
    part:   what it is called, where a stage has several
    """

    memory: int
    part: str = ""


def in_rows(desk: Desk, name: str, work: Callable[[Span], NDArray[Any]], faces: int, of: Pass) -> Path:
    """NAME.npy, the rows that `work` returns of each run of faces, one after the other; made in shards."""
    shards, file = runs(faces, ROWS), desk.folder / f"{name}.npy"
    if file.is_file():
        return file
    parts = {shard: desk.folder / f"{name}-{shard[0]:010}.npy" for shard in shards}
    left = [shard for shard in shards if not parts[shard].is_file()]
    done = faces - sum(high - low for low, high in left)
    if left:
        desk.told(done, faces, of.part)
    write = partial(_write, work=work, folder=desk.folder, name=name)
    for (low, high), _ in desk.place.run(write, left, of.memory):
        done += high - low
        desk.told(done, faces, of.part)
    first = np.load(parts[shards[0]], mmap_mode="r")
    count = sum(len(np.load(part, mmap_mode="r")) for part in parts.values())
    about = {
        "descr": np.lib.format.dtype_to_descr(first.dtype),
        "fortran_order": False,
        "shape": (count, *first.shape[1:]),
    }
    with atomic_write(file) as temporary, temporary.open("wb") as whole:
        np.lib.format.write_array_header_1_0(whole, about)
        for part in parts.values():
            whole.write(np.load(part).tobytes())
    for part in parts.values():
        part.unlink()
    return file


def write_links(links: Links, folder: Path) -> dict[str, Any]:
    """Writes the weights, 0 where there is no link, and what else the links hold; how many there are."""
    graph, count = links.graph, 0

    def weights() -> Iterator[NDArray[np.floating[Any]]]:
        nonlocal count
        for here in passing(len(graph), BLOCK, graph.neighbors):
            block = np.where(graph.neighbors[here] != NOBODY, graph.similarities[here], np.float32(0))
            count += int((block > 0).sum())
            yield block

    write_rows(folder / "weights.npy", graph.neighbors.shape, weights(), np.float32)
    np.save(folder / "density.npy", links.density)
    if links.preference is not None:
        np.save(folder / "preference.npy", links.preference)
    return {"links": count}


def read_links(folder: Path, graph: KnnGraph) -> Links:
    """What `write_links` wrote of a graph, from disk as it is needed."""
    weights = np.load(folder / "weights.npy", mmap_mode="r")
    preference = folder / "preference.npy"
    return Links(
        graph.nearest(weights.shape[1]).linked(weights),
        np.load(folder / "density.npy"),
        np.load(preference) if preference.is_file() else None,
    )


def _size(features: Features, graph: KnnGraph) -> Size:
    n, d = opened(features).shape
    return Size(n, d, graph.k, isinstance(features, Path))


def _links_in(weights: NDArray[np.floating[Any]], tau: float = 0.0) -> int:
    """How many are above 0, and `tau` or above."""
    blocks = (weights[here] for here in passing(len(weights), ROWS, weights))
    return sum(int(((block > 0) & (block >= np.float64(tau))).sum()) for block in blocks)


def _links_a_face(weights: NDArray[np.floating[Any]], tau: float = 0.0) -> int:
    """In the mean, and up."""
    return -(-_links_in(weights, tau) // len(weights))


def _write(span: Span, *, work: Callable[[Span], NDArray[Any]], folder: Path, name: str) -> None:
    with atomic_write(folder / f"{name}-{span[0]:010}.npy") as temporary:
        np.save(temporary, work(span))


def _seen(span: Span, *, features: Features, asked: Path, known: Path, side: Side) -> NDArray[np.float64]:
    """(R, 2), the strangers of a run of faces as `seen_from` tells them."""
    with np.load(asked) as held:
        sample = Sample(held["features"], held["face"], held["kinds"])
    labels = np.load(known, mmap_mode="r") if known.is_file() else None
    low, high = span
    blocks = [np.arange(start, min(start + BLOCK, high)) for start in range(low, high, BLOCK)]
    with products_alone():
        found = in_threads(
            lambda faces: seen_from(rows_of(features, faces), faces, sample, side, labels), blocks
        )
    return np.concatenate(found)


def _kept(span: Span, *, knn: Path, window: int) -> NDArray[np.float32]:
    """(R, k) the weights of a run of faces."""
    return OutlierDetection(window).weights(tables(knn)[1][slice(*span)])


def _forest(span: Span, *, knn: Path, tau: float, faces: int) -> NDArray[np.int32]:
    """(E, 2) a spanning forest of the links of a run of faces."""
    neighbors, similarities = (table[slice(*span)] for table in tables(knn))
    linked = np.where(similarities >= np.float64(tau), neighbors, np.int32(NOBODY))
    return joining_links(linked, span[0], faces)


def _told_of(constraints: Constraints | None) -> dict[str, str]:
    """What tells these constraints from others."""
    if constraints is None:
        return {}
    total = hashlib.blake2b(digest_size=16)
    for values in (constraints.group, constraints.apart, constraints.weight):
        total.update(values.tobytes())
    return {"constraints": total.hexdigest()}
