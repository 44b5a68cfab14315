"""The unlearned methods on real embeddings: `python -m benchmarks.unlearned`.

`lfw` is 13,233 faces of 5,749 people, 4,069 of them with one face; `train` is 10,273 faces of 1,286 people;
each with two embedders of very different geometry. Every method runs as it comes and, where it has something to
choose, with the choice that is best with the labels, which no user has: these rows are called oracle. The
graph, of as many neighbors as any of them looks at, is searched once a set and shared; each method has a
process of its own.
"""

import argparse
import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.record import RESULTS, SHARED, record
from personae import FaceSet, read_faces
from personae.comparison import Compared, compare
from personae.evaluation import bootstrap
from personae.methods import METHODS

SETS = ("lfw.sface", "lfw.dlib", "train.sface", "train.dlib")
REPLICATES = 200
TAUS = {"sface": np.arange(0.36, 0.70, 0.02), "dlib": np.arange(0.92, 0.976, 0.0025)}


def tried(faces: FaceSet, embedder: str) -> dict[str, list[dict[str, Any]]]:
    """What the oracle chooses from, where it is not one threshold that `compare` tries."""
    assert faces.truth is not None
    people = len(np.unique(faces.truth))
    taus = [round(float(tau), 4) for tau in TAUS[embedder]]
    return {
        "dbscan": [{"tau": tau, "min_samples": samples} for tau in taus[::2] for samples in (1, 3)],
        "density_peaks": [
            {"tau": tau, "sigma": sigma} for tau in (0.1, 0.3, 0.6) for sigma in (0.01, 0.05, 0.2)
        ],
        "facemap": [
            {"k": k, "window": window} for k, window in ((12, 2), (16, 4), (24, 4), (48, 4), (80, 8), (160, 8))
        ],
        "fces": [
            {"theta": theta, "sigma": sigma, "k": k}
            for theta in (0.22, 0.4, 0.6)
            for sigma in (0.1, 0.5)
            for k in (20, 80)
        ],
        "hac": [
            {"linkage": "average", **cut} for cut in ({"n_clusters": people}, *({"tau": t} for t in taus[1::6]))
        ],
        "hdbscan": [{"min_cluster_size": size, "min_samples": of} for size in (2, 3) for of in (1, 2, 3)],
        "kmeans": [{"n_clusters": people}],
        "mean_shift": [] if embedder == "sface" else [{"tau": 0.96}],
        "rank_order": [{"t": t, "nearest": near} for t in (8, 14) for near in (9, 20)],
    }


def rows_of(name: str, methods: list[str]) -> Iterator[dict[str, Any]]:
    faces = read_faces(SHARED / "data" / f"{name}.npz")
    choices = tried(faces, name.split(".")[1])
    for result in compare(faces, faces.truth, methods, oracle=True, tried=choices):
        yield row(name, faces, result)


def row(name: str, faces: FaceSet, result: Compared) -> dict[str, Any]:
    """One line of the tables; scores in percent."""
    about = {"set": name, "method": result.method, "oracle": result.oracle, "parameters": result.parameters}
    if result.evaluation is None or result.labels is None:
        return {**about, "refused": result.refused}
    score, interval = result.evaluation, bootstrap(faces.truth, result.labels, replicates=REPLICATES)
    return {
        **about,
        "pairwise_f": round(100 * score.pairwise.f, 2),
        "pairwise_f_interval": ends(interval.pairwise.f),
        "bcubed_f": round(100 * score.bcubed.f, 2),
        "bcubed_f_interval": ends(interval.bcubed.f),
        "nmi": round(100 * score.information.nmi_arithmetic, 2),
        "clusters": score.clusters,
        "identities": score.identities,
        "cluster_ratio": round(score.cluster_ratio, 1),
        "singleton_ratio": round(score.singleton_ratio, 1),
        "seconds": round(result.seconds, 2),
        "peak_mib": result.peak_mib,
    }


def ends(interval: Any) -> list[float]:
    return [round(100 * interval.low, 1), round(100 * interval.high, 1)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--again", nargs="+", choices=METHODS, help="only these; the others' figures are kept")
    again = parser.parse_args().again
    file = RESULTS / "unlearned.json"
    rows = [row for row in json.loads(file.read_text())["rows"] if row["method"] not in again] if again else []
    for name in SETS:
        for found in rows_of(name, again or list(METHODS)):
            rows.append(found)
            print(found, flush=True)
    rows.sort(key=lambda row: (SETS.index(row["set"]), list(METHODS).index(row["method"])))
    notes = {
        "graph": "what any method looks at, searched once a set; its time and memory are not in the figures",
        "intervals": f"95 %, {REPLICATES} samples of the identities",
        "memory": "the most the process of the method held beyond features and graph",
    }
    record("unlearned", {"notes": notes, "rows": rows})


if __name__ == "__main__":
    main()
