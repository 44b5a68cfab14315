"""The default beside what labels could have chosen: `python -m benchmarks.default`.

The protocol, fixed before the runs: every collection of `benchmarks.collections`, drawn with three seeds. Auto
runs as it comes. The oracles choose with the labels: components and the map equation on cosines, each with the
threshold (and the map equation with the k) whose pairwise and BCubed F add up to the most. The other methods
run as they come. What Auto expects of itself, without labels, stands beside what the labels say.

A run that was stopped goes on where it was; `--seeds` and `--only` do a part, `--again` runs Auto once more, or
the methods that follow it, and keeps the rows of the others.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.collections import Collection, collections
from benchmarks.record import RESULTS, record
from benchmarks.unlearned import ends
from personae import ARO, DBSCAN, FCES, HDBSCAN, Auto, FaceMap, FaceSet, KnnGraph, evaluate, knn_graph
from personae.clustering.map_equation import MapEquation
from personae.errors import PersonaeError
from personae.evaluation import bootstrap
from personae.graph.components import component_labels

SEEDS = (0, 1, 2)
CUTS = np.r_[np.linspace(0.05, 0.85, 9), 0.92, 0.96, 0.98, 0.99, 0.997]  # quantiles of the links' cosines
KS = (20, 80)  # and the collection's own
AS_THEY_COME = {"facemap": FaceMap, "fces": FCES, "hdbscan": HDBSCAN, "dbscan": DBSCAN, "aro": ARO}
ORACLES = ("oracle components", "oracle map equation")
METHODS = ("auto", *ORACLES, *AS_THEY_COME)


def rows_of(collection: Collection, seed: int, methods: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Of each of these methods."""
    faces = collection.faces(seed)
    graph = knn_graph(faces, min(collection.k, len(faces) - 1))
    about = {"collection": collection.name, "seed": seed, "faces": len(faces), "k": graph.k}
    for name in methods:
        yield {**about, "method": name, **found_by(name, faces, graph)}


def found_by(name: str, faces: FaceSet, graph: KnnGraph) -> dict[str, Any]:
    """How good one method is."""
    if name == "auto":
        return of_auto(faces, graph)
    if name in ORACLES:
        return best(faces, component_runs(graph) if name == ORACLES[0] else map_equation_runs(graph))
    try:
        return scores(faces, AS_THEY_COME[name]().fit(faces).labels_)
    except PersonaeError as refusal:
        return {"refused": str(refusal)}


def of_auto(faces: FaceSet, graph: KnnGraph) -> dict[str, Any]:
    began = time.perf_counter()
    auto = Auto(k=graph.k).fit(faces, graph=graph)
    seconds = time.perf_counter() - began
    interval = bootstrap(faces.truth, auto.labels_, replicates=200)
    return {
        **scores(faces, auto.labels_),
        "pairwise_f_interval": ends(interval.pairwise.f),
        "bcubed_f_interval": ends(interval.bcubed.f),
        "expected": expected(auto),
        "seconds": round(seconds, 2),
    }


def expected(auto: Auto) -> dict[str, Any]:
    """What the default says of itself, in percent."""
    return {
        name: {"f": percent(score.f), "interval": ends(score.interval)}
        for name, score in (("pairwise", auto.expected_.pairwise), ("bcubed", auto.expected_.bcubed))
    }


def scores(faces: FaceSet, labels: NDArray[np.int32]) -> dict[str, float]:
    found = evaluate(faces.truth, labels)
    return {"pairwise_f": percent(found.pairwise.f), "bcubed_f": percent(found.bcubed.f)}


def percent(share: float) -> float:
    return round(100 * share, 2)


def best(faces: FaceSet, runs: Iterator[NDArray[np.int32]]) -> dict[str, float]:
    return max((scores(faces, labels) for labels in runs), key=lambda found: sum(found.values()))


def component_runs(graph: KnnGraph) -> Iterator[NDArray[np.int32]]:
    for cut in np.quantile(graph.similarities, CUTS):
        yield component_labels(graph.at_least(cut))


def map_equation_runs(graph: KnnGraph) -> Iterator[NDArray[np.int32]]:
    for k in sorted({min(k, graph.k) for k in (*KS, graph.k)}):
        nearest = graph.nearest(k)
        for cut in np.quantile(nearest.similarities, CUTS):
            yield MapEquation().cluster(nearest.at_least(cut))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--only", help="collections whose name holds this")
    parser.add_argument("--again", nargs="*", choices=METHODS)
    options = parser.parse_args()
    file = RESULTS / "default.json"
    again = () if options.again is None else options.again or ("auto",)
    there = json.loads(file.read_text())["rows"] if file.exists() else []
    rows = {(row["collection"], row["seed"], row["method"]): row for row in there}
    for seed in options.seeds:
        for collection in collections():
            done = {name for name in METHODS if (collection.name, seed, name) in rows}
            asked = [name for name in METHODS if name in again or name not in done]
            if not asked or (options.only or "") not in collection.name:
                continue
            for row in rows_of(collection, seed, asked):
                rows[row["collection"], row["seed"], row["method"]] = row
                print(row, flush=True)
            record("default", {"rows": list(rows.values())})


if __name__ == "__main__":
    main()
