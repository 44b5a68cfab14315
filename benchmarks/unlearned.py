"""The unlearned methods on real embeddings, as they come: `python -m benchmarks.unlearned`.

`lfw` is 13,233 faces of 5,749 people, 4,069 of them with one face; `train` is 10,273 faces of 1,286 people;
each with two embedders of very different geometry. Parameters called "oracle" were chosen with the labels.
"""

import time
from typing import Any

import numpy as np

from benchmarks.record import SHARED, peak_mib, record
from personae import Auto, FaceMap, FaceSet, KnnGraph, Threshold, evaluate, knn_graph, read_faces
from personae.evaluation import bootstrap

SETS = ("lfw.sface", "lfw.dlib", "train.sface", "train.dlib")
TAUS = {"sface": np.arange(0.40, 0.71, 0.01), "dlib": np.arange(0.92, 0.985, 0.0025)}


def rows_of(name: str, faces: FaceSet) -> list[dict[str, Any]]:
    graph = knn_graph(faces, 80)
    rows = [
        row(name, "Auto", "as it comes", faces, Auto(), graph),
        row(name, "FaceMap", "the paper's k=256, window=20", faces, FaceMap(), graph),
        row(name, "FaceMap", "for albums, k=24, window=4", faces, FaceMap.for_albums(), graph),
        row(name, "Threshold", "as it comes, tau=0.6", faces, Threshold(), graph),
    ]
    tau = best_tau(name, faces, graph)
    return [*rows, row(name, "Threshold", f"oracle, tau={tau:.4g}", faces, Threshold(tau), graph)]


def best_tau(name: str, faces: FaceSet, graph: KnnGraph) -> float:
    """The threshold of the highest sum of both F."""

    def worth(tau: float) -> float:
        score = evaluate(faces.truth, Threshold(tau).fit_predict(graph))
        return score.pairwise.f + score.bcubed.f

    return float(max(TAUS[name.split(".")[1]], key=worth))


def row(
    name: str, method: str, parameters: str, faces: FaceSet, estimator: Any, graph: KnnGraph
) -> dict[str, Any]:
    began = time.perf_counter()
    if isinstance(estimator, Auto):
        labels = estimator.fit(faces, graph=graph).labels_
    else:
        labels = estimator.fit_predict(graph if estimator.k == graph.k else knn_graph(faces, estimator.k))
    seconds = time.perf_counter() - began
    score = evaluate(faces.truth, labels)
    interval = bootstrap(faces.truth, labels, replicates=200)
    result = {
        "set": name,
        "method": method,
        "parameters": parameters,
        "pairwise_f": round(100 * score.pairwise.f, 2),
        "pairwise_f_interval": [
            round(100 * end, 1) for end in (interval.pairwise.f.low, interval.pairwise.f.high)
        ],
        "bcubed_f": round(100 * score.bcubed.f, 2),
        "bcubed_f_interval": [round(100 * end, 1) for end in (interval.bcubed.f.low, interval.bcubed.f.high)],
        "nmi": round(100 * score.information.nmi_arithmetic, 2),
        "clusters": score.clusters,
        "identities": score.identities,
        "seconds": round(seconds, 2),
        "peak_mib": peak_mib(),
    }
    print(result)
    return result


def main() -> None:
    Auto().fit(np.random.default_rng(0).normal(size=(500, 16)))  # compiled before the clock runs
    rows: list[dict[str, Any]] = []
    for name in SETS:
        rows += rows_of(name, read_faces(SHARED / "data" / f"{name}.npz"))
    seconds = "after the shared graph of 80 neighbors; FaceMap's own lists are searched within"
    record("unlearned", {"seconds": seconds, "rows": rows})


if __name__ == "__main__":
    main()
