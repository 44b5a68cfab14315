"""How near people who do not exist come to real ones: `python -m benchmarks.synthetic`.

Each real set, where it is there, beside synthetic ones of as many faces and people: their cosines, and what
four methods reach at the threshold that is best for each (best mean of pairwise and BCubed F, chosen with the
truth). The embedders' constants were fitted to `train`, but for the sub-centres: only lfw has people with
hundreds of faces, and they were chosen so that its largest stay whole. For the rest lfw is a check. The last
case leaves the defaults: label noise, likeness and spreads were set to lfw's cosines, to see what remains.
Also how fast faces are made, and in how much memory.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import DBSCAN, MiniBatchKMeans
from sklearn.neighbors import sort_graph_by_row_values

from benchmarks.record import SHARED, peak_mib, record
from personae.data import (
    FaceSet,
    SyntheticIdentities,
    like_dlib,
    like_sface,
    read_faces,
    synthetic_faces,
    write_synthetic_faces,
)
from personae.evaluation import bcubed, pairwise
from personae.graph import (
    KnnGraph,
    canonical_order,
    component_labels,
    knn_graph,
    map_equation_labels,
    undirected,
)

REAL = SHARED / "data"
SEEDS = (0, 1, 2)
PERCENTS = (1, 5, 50, 95, 99)
PAIRS = 1_000_000  # of two people, drawn
PAIRS_A_PERSON = 10  # of one person, drawn, so that the largest don't decide
MIN_SAMPLES = 3
TAUS = {"sface": np.arange(0.40, 0.73, 0.02), "dlib": np.arange(0.92, 0.9801, 0.0025)}
# train: so many people (second row) with so many faces (first row)
TRAIN_SIZES = [
    [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30],
    [5, 9, 4, 1054, 4, 5, 1, 2, 4, 2, 3, 1, 3, 6, 1, 3, 12, 25, 11, 20, 6, 5, 10, 5, 4, 8, 14, 59],
]  # fmt: skip
TRAIN = SyntheticIdentities(faces=10_273, sizes=tuple(np.repeat(*TRAIN_SIZES).tolist()))
LFW = SyntheticIdentities(faces=13_233, people=5_749)
SEEN_AS_LFW = replace(like_sface(), likeness=0.68, person_spread=0.12, face_spread=0.2)
CASES = {
    "train.sface": TRAIN,
    "lfw.sface": LFW,
    "train.dlib": replace(TRAIN, embedder=like_dlib()),
    "lfw.dlib": replace(LFW, embedder=like_dlib()),
    "lfw.sface, its own noise and spread": replace(LFW, label_noise=0.0005, embedder=SEEN_AS_LFW),
}
SPEED = {
    "10^6 x 256, float16": SyntheticIdentities(faces=10**6, embedder=like_sface(256)),
    "10^7 x 256, float16": SyntheticIdentities(faces=10**7, embedder=like_sface(256)),
}
Methods = dict[str, Callable[[float], NDArray[Any]]]


def measured(faces: FaceSet, taus: NDArray[np.float64]) -> dict[str, Any]:
    """The cosines of a set and what the methods reach on it."""
    assert faces.truth is not None
    graph = knn_graph(faces, 80)
    truth, order = faces.truth, canonical_order(graph)
    methods: Methods = {
        "components": lambda tau: component_labels(graph.at_least(tau)),
        "map equation": lambda tau: map_equation_labels(undirected(graph.at_least(tau)), order=order),
        "DBSCAN": lambda tau: dbscan_labels(graph, tau),
    }
    reached: dict[str, Any] = {
        name: max((scored(truth, method(tau), tau) for tau in taus), key=lambda r: r["pairwise"] + r["bcubed"])
        for name, method in methods.items()
    }
    means = MiniBatchKMeans(len(np.unique(truth)), init="random", n_init=1, batch_size=4096, random_state=0)
    means.set_params(reassignment_ratio=0.0)
    reached["K-means, true K"] = scored(truth, means.fit_predict(faces.features))
    return {"cosines": cosines(faces, graph), "methods": reached}


def scored(truth: NDArray[Any], labels: NDArray[Any], tau: float | None = None) -> dict[str, float]:
    row = {"pairwise": 100 * pairwise(truth, labels).f, "bcubed": 100 * bcubed(truth, labels).f}
    return row if tau is None else {"tau": float(tau), **row}


def dbscan_labels(graph: KnnGraph, tau: float) -> NDArray[np.int64]:
    """DBSCAN on the links of the kNN graph; noise faces are lone."""
    links = undirected(graph.at_least(tau))
    mutual = undirected(graph.at_least(tau).linked((graph.at_least(tau).neighbors >= 0).astype(np.float32)))
    links.data = np.maximum(
        1 - links.data / mutual.data, 1e-9
    )  # the cosine, whether one or both list the other
    scan = DBSCAN(eps=1 - tau + 1e-6, min_samples=MIN_SAMPLES, metric="precomputed")
    labels = scan.fit_predict(sort_graph_by_row_values(links, warn_when_not_sorted=False)).astype(np.int64)
    lone = labels < 0
    labels[lone] = labels.max() + 1 + np.arange(lone.sum())
    return labels


def cosines(faces: FaceSet, graph: KnnGraph) -> dict[str, Any]:
    assert faces.truth is not None
    generator = np.random.default_rng(0)
    x, truth = faces.features.astype(np.float32), faces.truth
    counts = np.bincount(truth)
    within = []
    for members in np.split(np.argsort(truth, kind="stable"), np.cumsum(counts)[:-1]):
        one, other = np.triu_indices(len(members), 1)
        drawn = generator.permutation(len(one))[:PAIRS_A_PERSON]
        within.append(np.einsum("ij,ij->i", x[members[one[drawn]]], x[members[other[drawn]]]))
    one, other = generator.integers(len(faces), size=(2, PAIRS))
    apart = truth[one] != truth[other]
    between = np.einsum("ij,ij->i", x[one[apart]], x[other[apart]])
    same = truth[graph.neighbors] == truth[:, None]
    several = counts[truth] > 1
    impostor = np.where(same, -1, graph.similarities).max(axis=1)  # -1: all 80 neighbors are the same person
    return {
        "within": percentiles(np.concatenate(within)),
        "between": percentiles(between),
        "best impostor": percentiles(impostor[impostor > -1]),
        "nearest is another, %": 100 * float((~same[:, 0]).mean()),
        "nearest is another, of people with several faces, %": 100 * float((~same[several, 0]).mean()),
    }


def percentiles(values: NDArray[Any]) -> list[float]:
    return [float(value) for value in np.percentile(values, PERCENTS)]


def over_seeds(results: list[Any]) -> Any:
    """The same structure with means over the seeds, and where scores are, the lowest and highest."""
    first = results[0]
    if isinstance(first, dict):
        return {key: over_seeds([result[key] for result in results]) for key in first}
    if isinstance(first, list):
        return [float(value) for value in np.mean(results, axis=0)]
    return {"mean": float(np.mean(results)), "low": min(results), "high": max(results)}


def rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return round(value, 1 if abs(value) > 1 else 4) if isinstance(value, float) else value


def compare(name: str, made: SyntheticIdentities) -> dict[str, Any]:
    file = REAL / f"{name.split(',', maxsplit=1)[0]}.npz"
    taus = TAUS["dlib" if "dlib" in name else "sface"]
    settings = {key: value for key, value in asdict(made).items() if key not in ("sizes", "seed")}
    settings["sizes"] = made.sizes if isinstance(made.sizes, str) else "as train's"
    settings["seeds"] = SEEDS
    synthetic = over_seeds([measured(synthetic_faces(replace(made, seed=seed)), taus) for seed in SEEDS])
    real = measured(read_faces(file), taus) if file.exists() else None
    return {"settings": settings, "real": rounded(real), "synthetic": rounded(synthetic)}


def show(name: str, result: dict[str, Any]) -> None:
    print(f"\n{name}: real | synthetic, mean of {len(SEEDS)} seeds (lowest..highest)")
    real, synthetic = result["real"], result["synthetic"]
    for key, made in synthetic["cosines"].items():
        found = "-" if real is None else real["cosines"][key]
        print(f"  {key}: {found} | {made if isinstance(made, list) else made['mean']}")
    for method, made in synthetic["methods"].items():
        line = f"  {method}:"
        for score, value in made.items():
            found = "-" if real is None else real["methods"][method][score]
            line += f"  {score} {found} | {value['mean']} ({value['low']}..{value['high']})"
        print(line)


def measure_speed(case: str, folder: str) -> dict[str, Any]:
    """Seconds, peak memory and size of one file, in this process."""
    made = SPEED[case]
    synthetic_faces(
        SyntheticIdentities(faces=10, embedder=made.embedder, bursts=0)
    )  # compiled before the clock runs
    before, start = peak_mib(), time.perf_counter()
    path = Path(folder) / "faces.npy"
    write_synthetic_faces(made, path)
    seconds = round(time.perf_counter() - start, 1)
    return {
        "faces": made.faces,
        "people": len(made.faces_of_each()),
        "dimension": made.embedder.dimension,
        "seconds": seconds,
        "faces_a_second": round(made.faces / seconds),
        "file_mib": path.stat().st_size >> 20,
        "peak_mib_before": before,
        "peak_mib": peak_mib(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speed", choices=SPEED, help="measure this one here, print JSON and write nothing")
    chosen = parser.parse_args()
    if chosen.speed:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(measure_speed(chosen.speed, folder)))
        return
    speed = {}
    for case in SPEED:  # first, since a process starts with its parent's peak
        command = [sys.executable, "-m", "benchmarks.synthetic", "--speed", case]
        speed[case] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        print(f"{case}: {speed[case]}")
    results = {}
    for name, made in CASES.items():
        results[name] = compare(name, made)
        show(name, results[name])
    notes = {
        "methods": "on the exact 80-NN graph; tau is the best for the mean of both F, chosen with the truth",
        "DBSCAN": f"min_samples {MIN_SAMPLES}, cosine, on the links of the graph, noise faces lone",
        "K-means, true K": "scikit-learn's MiniBatchKMeans, random start, one run",
        "percents": PERCENTS,
        "fitted to": "train.sface and train.dlib, the sub-centres also to the largest people of lfw.sface",
    }
    record("synthetic", {"notes": notes, "results": results, "speed": speed})


if __name__ == "__main__":
    main()
