"""Every unlearned method at 200,000 faces: `python -m benchmarks.at_scale`.

The faces do not exist; they have the geometry and the long tail of real ones: 86,889 people, 61,498 of them
with one face. The kNN graph is searched once and kept in the folder for temporary files, from where every run,
a process of its own with two threads, reads as many ranks as its method looks at. Methods that have a number of
clusters or a threshold to choose get what suits these faces: the true number, or the threshold of `SUITING`.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.record import RESULTS, THREADS, peak_mib, record, run_apart
from personae.data import FaceSet, SyntheticIdentities, synthetic_faces
from personae.errors import InputError
from personae.evaluation import bcubed, pairwise
from personae.graph import KnnGraph, knn_graph
from personae.graph.files import read_graph, write_graph
from personae.methods import METHODS
from personae.methods.estimator import GraphClusterer

MADE = SyntheticIdentities(faces=200_000)
FOLDER = Path(tempfile.gettempdir()) / "personae-at-scale"
FEATURES, TRUTH = FOLDER / "features.npy", FOLDER / "truth.npy"
KS = (80, 256)
SECONDS, MIB = 60, 4096
PEOPLE = len(MADE.faces_of_each())
SUITING: dict[str, list[dict[str, Any]]] = {
    "hac": [
        {"linkage": "single", "tau": 0.6},
        {"linkage": "average", "tau": 0.5},
        {"linkage": "complete", "tau": 0.5},
        {"linkage": "single", "n_clusters": PEOPLE},
        {"linkage": "average", "n_clusters": PEOPLE},
        {"linkage": "complete", "n_clusters": PEOPLE},
    ],
    "dbscan": [{"tau": 0.6, "min_samples": 3}],
    "kmeans": [{"n_clusters": PEOPLE}],
    "facemap": [{"k": 24, "window": 4}],
}


def prepare() -> None:
    """The faces and their graphs on disk."""
    if not graph_file(KS[-1]).exists():  # the last that is written
        FOLDER.mkdir(exist_ok=True)
        faces = synthetic_faces(MADE)
        np.save(FEATURES, faces.features)
        np.save(TRUTH, faces.truth)
        graph = knn_graph(faces, KS[-1])
        for k in KS:
            write_graph(graph.nearest(k), graph_file(k))


def graph_file(k: int) -> Path:
    return FOLDER / f"graph-{k}.npz"


def measured(name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """One method, in this process."""
    method = METHODS[name](**parameters)
    needed = getattr(method, "k", 0)
    uses_graph = isinstance(method, GraphClusterer) or name in ("auto", "ddc", "finch")
    small = synthetic_faces(SyntheticIdentities(faces=400))
    few = {"n_clusters": 200} if "n_clusters" in parameters else {}
    graph = knn_graph(small, needed) if uses_graph else None
    fit(METHODS[name](**{**parameters, **few}), small, graph)  # compiled before the clock runs
    faces = FaceSet(np.load(FEATURES))
    graph = read_graph(graph_file(min(k for k in KS if k >= needed))) if uses_graph else None
    began, busy = time.perf_counter(), time.process_time()
    try:
        fit(method, faces, graph)
    except InputError as error:
        return {"refused": str(error)}
    seconds, busy, peak = time.perf_counter() - began, time.process_time() - busy, peak_mib()
    truth = np.load(TRUTH)
    return {
        "seconds": round(seconds, 1),
        "cpu_seconds": round(busy, 1),
        "peak_mib": peak,
        "pairwise_f": round(100 * pairwise(truth, method.labels_).f, 2),
        "bcubed_f": round(100 * bcubed(truth, method.labels_).f, 2),
        "clusters": int(method.labels_.max()) + 1,
    }


def fit(method: Any, faces: FaceSet, graph: KnnGraph | None) -> None:
    """Fits to what the method looks at: the graph, both, or the features."""
    if graph is None:
        method.fit(faces)
    elif isinstance(method, GraphClusterer):
        method.fit(graph)
    else:
        method.fit(faces, graph=graph)


def run(name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """One method in a process of its own."""
    words = ["--method", name, "--parameters", json.dumps(parameters)]
    return {"method": name, "parameters": parameters, **run_apart("at_scale", *words)}


def cases() -> list[tuple[str, dict[str, Any]]]:
    return [(name, parameters) for name in METHODS for parameters in ({}, *SUITING.get(name, []))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--method", choices=METHODS, help="measure this one here, print JSON and write nothing")
    parser.add_argument("--parameters", type=json.loads, default={})
    parser.add_argument("--again", nargs="+", choices=METHODS, help="only these; the others' figures are kept")
    chosen = parser.parse_args()
    if chosen.method:
        print(json.dumps(measured(chosen.method, chosen.parameters)))
        return
    prepare()
    file = RESULTS / "at_scale.json"
    kept = json.loads(file.read_text())["rows"] if chosen.again else []
    known = {(row["method"], json.dumps(row["parameters"])): row for row in kept}
    rows = []
    for name, parameters in cases():
        key = name, json.dumps(parameters)
        rows.append(known[key] if key in known and name not in chosen.again else run(name, parameters))
        print(rows[-1], flush=True)
    record(
        "at_scale",
        {
            "faces": MADE.faces,
            "people": PEOPLE,
            "dimension": MADE.embedder.dimension,
            "threads": int(THREADS),
            "target": {"seconds": SECONDS, "mib": MIB},
            "measures": "seconds after the graph, by the clock and of processor time; the peak memory is of "
            "the whole process, features and graph included",
            "rows": rows,
        },
    )


if __name__ == "__main__":
    main()
