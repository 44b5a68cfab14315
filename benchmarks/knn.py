"""How far exact search is from its floor, the dense product alone: `python -m benchmarks.knn`."""

import time

import numpy as np

from benchmarks.record import record
from personae.data import FaceSet
from personae.graph import knn_graph

CASES = ((13_000, 128, 80), (13_000, 128, 256), (30_000, 256, 80), (30_000, 512, 80))
BLOCK = 1024


def measure(n: int, d: int, k: int) -> dict[str, float]:
    """Seconds of the search and of the products it cannot do without, in turn in one process."""
    faces = FaceSet.of(np.random.default_rng(0).normal(size=(n, d)).astype(np.float32))
    products = np.empty((BLOCK, n), dtype=np.float32)
    floor, search = [], []
    for _ in range(3):
        began = time.perf_counter()
        for start in range(0, n, BLOCK):
            rows = faces.features[start : start + BLOCK]
            np.matmul(rows, faces.features.T, out=products[: len(rows)])
        floor.append(time.perf_counter() - began)
        began = time.perf_counter()
        knn_graph(faces, k)
        search.append(time.perf_counter() - began)
    least, best = min(floor), min(search)
    return {
        "faces": n,
        "d": d,
        "k": k,
        "seconds": round(best, 2),
        "floor_seconds": round(least, 2),
        "ratio": round(best / least, 2),
        "gflops": round(2 * n * n * d / best / 1e9),
        "floor_gflops": round(2 * n * n * d / least / 1e9),
    }


def main() -> None:
    knn_graph(np.eye(300, dtype=np.float32), 10)  # compiled before the clock runs
    rows = []
    for case in CASES:
        rows.append(measure(*case))
        print(rows[-1])
    record("knn", {"floor": f"the matrix products alone, in blocks of {BLOCK} rows", "cases": rows})


if __name__ == "__main__":
    main()
