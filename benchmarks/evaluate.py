"""How long the whole evaluation of 10^7 faces takes, and how much memory: `python -m benchmarks.evaluate`.

Each case runs in a process of its own, so that its peak memory is its own; it includes the interpreter, the
libraries and the input.
"""

import argparse
import json
import subprocess
import sys
import time
from typing import Any

from benchmarks.record import peak_mib, record

FACES, IDENTITIES = 10_000_000, 100_000
CASES = {
    "fragments": "evaluate: each identity in up to 4 clusters, 2 % of the faces in a wrong one",
    "scattered": "evaluate: random labels in 10^6 clusters, nearly as many cells as faces: the worst case",
    "noise": "evaluate: as fragments, with every third face labelled -1",
    "intervals": "bootstrap: 1,000 replicates at 13,233 faces of 5,749 identities",
    "links": "link_curve and upper_bound_labels: 584,013 faces, 80 neighbors, three fifths of them right",
}


def measure(case: str) -> dict[str, Any]:
    """Seconds and peak memory of one case, in this process."""
    return {"intervals": measure_intervals, "links": measure_links}.get(case, lambda: measure_evaluate(case))()


def measure_evaluate(case: str) -> dict[str, Any]:
    from personae.evaluation import contingency, evaluation_of

    truth, labels = labels_of(case)
    before, start = peak_mib(), time.perf_counter()
    table = contingency(truth, labels)
    tabulated = time.perf_counter()
    evaluation_of(table)
    return {
        "faces": FACES,
        "identities": table.identities,
        "clusters": table.clusters,
        "cells": len(table.count),
        "seconds": since(start),
        "seconds_for_the_table": round(tabulated - start, 2),
        "peak_mib_before": before,
        "peak_mib": peak_mib(),
    }


def measure_intervals() -> dict[str, Any]:
    import numpy as np

    from personae.evaluation import bootstrap

    generator = np.random.default_rng(0)
    truth = np.concatenate([np.arange(5749), generator.zipf(1.7, size=13_233 - 5749) % 5749])
    wrong = generator.random(len(truth)) < 0.05
    labels = np.where(wrong, generator.integers(5749, size=len(truth)), truth)
    start = time.perf_counter()
    bootstrap(truth, labels)
    return {"faces": len(truth), "identities": 5749, "seconds": since(start)}


def measure_links() -> dict[str, Any]:
    import numpy as np

    from personae.evaluation import link_curve, upper_bound_labels
    from personae.graph import KnnGraph

    generator = np.random.default_rng(0)
    shape = n, _ = 584_013, 80
    truth = np.arange(n, dtype=np.int32) // 68
    right = generator.random(shape, dtype=np.float32) < 0.6
    mates = 68 * truth[:, None] + generator.integers(68, size=shape, dtype=np.int32)
    neighbors = np.where(right, np.minimum(mates, n - 1), generator.integers(n, size=shape, dtype=np.int32))
    similarities = generator.standard_normal(shape, dtype=np.float32)
    similarities += 2 * right
    graph = KnnGraph(neighbors, similarities)
    del right, mates
    upper_bound_labels(graph.nearest(1), truth)  # compiled before the clock runs
    before, start = peak_mib(), time.perf_counter()
    upper_bound_labels(graph, truth)
    bounded, bound_peak = time.perf_counter(), peak_mib()
    link_curve(graph, truth)
    return {
        "links": neighbors.size,
        "seconds_for_the_bound": round(bounded - start, 2),
        "seconds_for_the_curve": since(bounded),
        "peak_mib_before": before,
        "peak_mib_bound": bound_peak,
        "peak_mib": peak_mib(),
    }


def labels_of(case: str) -> tuple[Any, Any]:
    """(N,) int64 truth and labels, in random order."""
    import numpy as np

    generator = np.random.default_rng(0)
    truth = generator.integers(IDENTITIES, size=FACES)
    if case == "scattered":
        return truth, generator.integers(10 * IDENTITIES, size=FACES)
    labels = 4 * truth + np.minimum(generator.geometric(0.6, size=FACES) - 1, 3)
    wrong = generator.random(FACES) < 0.02
    labels[wrong] = generator.integers(4 * IDENTITIES, size=int(wrong.sum()))
    if case == "noise":
        labels[generator.random(FACES) < 1 / 3] = -1
    return truth, labels


def since(start: float) -> float:
    return round(time.perf_counter() - start, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", choices=CASES, help="run this one here, print it as JSON and write nothing")
    chosen = parser.parse_args()
    if chosen.case:
        print(json.dumps(measure(chosen.case)))
        return
    results = {}
    for case, meaning in CASES.items():
        command = [sys.executable, "-m", "benchmarks.evaluate", "--case", case]
        run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        results[case] = {"case": meaning, **json.loads(run.stdout)}
        print(case, json.dumps(results[case]))
    record("evaluate", {"results": results})


if __name__ == "__main__":
    main()
