"""The kNN graph of a large set beside faiss and NN-descent: `python -m benchmarks.approximate`.

Made identities with the geometry of SFace in 256 dimensions, k = 80. Each program has a process of its own and
two threads; its time is that of the whole graph, building included, without the compilation of ours and of
pynndescent. The settings of faiss are the cheapest of a ladder that reach our recall of same-identity neighbors
on 1,000 faces. The search for settings is not counted. Needs the extra `bench`.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.record import RESULTS, THREADS, peak_mib, record, run_apart
from personae.data import SyntheticIdentities, synthetic_faces
from personae.data.faceset import FaceSet
from personae.data.synthetic_embedder import like_sface
from personae.graph import KnnGraph, knn_graph
from personae.graph.exact import nearest_faces

K, D = 80, 256
SAMPLE = 1000
FOLDER = Path(tempfile.gettempdir()) / "personae-approximate"
NPROBES = (16, 32, 64, 128, 192, 256, 384, 512)
BEAMS = (96, 128, 192, 256, 384, 512, 768)

Neighbors = np.ndarray[Any, Any]
Clocks = tuple[float, float]


def prepare(faces: int) -> Path:
    """The faces and the exact neighbors of some, on disk."""
    FOLDER.mkdir(exist_ok=True)
    file = FOLDER / f"{faces}.npz"
    if not file.exists():
        made = synthetic_faces(SyntheticIdentities(faces=faces, embedder=like_sface(D)))
        asked = np.random.default_rng(0).choice(faces, SAMPLE, replace=False)
        exact, _ = nearest_faces(made.features, asked, K)
        np.savez(file, features=made.features, truth=made.truth, asked=asked, exact=exact)
    return file


def ours(features: Neighbors, reaches: Callable[[Neighbors], bool]) -> tuple[Neighbors, str, Clocks]:
    knn_graph(FaceSet(features[:300]), K)
    small = FaceSet(features[:51_000, :8] / np.linalg.norm(features[:51_000, :8], axis=1, keepdims=True))
    knn_graph(small, 4, recall=0.5)  # compiled before the clock runs
    began = clocks()
    graph: KnnGraph = knn_graph(FaceSet(features), K)
    return graph.neighbors, "recall=0.99", since(began)


def faiss_ivf(features: Neighbors, reaches: Callable[[Neighbors], bool]) -> tuple[Neighbors, str, Clocks]:
    import faiss

    began = clocks()
    cells = round(4 * len(features) ** 0.5)
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(D), D, cells, faiss.METRIC_INNER_PRODUCT)
    index.train(features)
    index.add(features)
    build = since(began)
    for nprobe in NPROBES:
        index.nprobe = nprobe
        if reaches(lambda rows: index.search(rows, K + 1)[1]):
            break
    return searched(index, features, build, f"cells={cells}, nprobe={nprobe}")


def faiss_hnsw(features: Neighbors, reaches: Callable[[Neighbors], bool]) -> tuple[Neighbors, str, Clocks]:
    import faiss

    began = clocks()
    index = faiss.IndexHNSWFlat(D, 32, faiss.METRIC_INNER_PRODUCT)
    index.add(features)
    build = since(began)
    for beam in BEAMS:
        index.hnsw.efSearch = beam
        if reaches(lambda rows: index.search(rows, K + 1)[1]):
            break
    return searched(index, features, build, f"M=32, efSearch={beam}")


def searched(index: Any, features: Neighbors, build: Clocks, setting: str) -> tuple[Neighbors, str, Clocks]:
    began = clocks()
    found = index.search(features, K + 1)[1]
    took = since(began)
    return found, setting, (build[0] + took[0], build[1] + took[1])


def nn_descent(features: Neighbors, reaches: Callable[[Neighbors], bool]) -> tuple[Neighbors, str, Clocks]:
    from pynndescent import NNDescent

    options = {"metric": "dot", "n_neighbors": K + 1, "n_jobs": int(THREADS), "random_state": 0}
    NNDescent(features[:2000], **options)  # compiled before the clock runs
    began = clocks()
    return NNDescent(features, **options).neighbor_graph[0], "n_neighbors=81", since(began)


PROGRAMS = {"personae": ours, "faiss IVF": faiss_ivf, "faiss HNSW": faiss_hnsw, "NN-descent": nn_descent}


def clocks() -> Clocks:
    return time.perf_counter(), time.process_time()


def since(began: Clocks) -> Clocks:
    return time.perf_counter() - began[0], time.process_time() - began[1]


def measured(program: str, faces: int, goal: float) -> dict[str, Any]:
    """One program, in this process."""
    held = np.load(prepare(faces))
    features, truth, asked, exact = (held[name] for name in ("features", "truth", "asked", "exact"))
    same = truth[exact] == truth[asked][:, None]

    def recalls(found: Neighbors) -> tuple[float, float]:
        hits = (found[:, None, :] == exact[:, :, None]).any(axis=2)
        return float(hits[same].mean()), float(hits.mean())

    def reaches(search: Callable[[Neighbors], Neighbors]) -> bool:
        return recalls(search(features[asked]))[0] >= goal

    found, setting, (seconds, busy) = PROGRAMS[program](features, reaches)
    of_same, of_all = recalls(found[asked])
    return {
        "faces": faces,
        "program": program,
        "setting": setting,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(busy, 1),
        "peak_mib": peak_mib(),
        "same_identity_recall": round(of_same, 4),
        "recall_at_k": round(of_all, 4),
    }


def run(program: str, faces: int, goal: float) -> dict[str, Any]:
    """One program in a process of its own."""
    words = ["--program", program, "--faces", str(faces), "--goal", str(goal)]
    return run_apart("approximate", *words)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", choices=PROGRAMS, help="measure this one here, print JSON, write nothing")
    parser.add_argument("--faces", type=int, nargs="+", default=[60_000, 200_000])
    parser.add_argument("--goal", type=float)
    parser.add_argument("--again", nargs="+", choices=PROGRAMS, help="only these; the others' figures are kept")
    chosen = parser.parse_args()
    if chosen.program:
        print(json.dumps(measured(chosen.program, chosen.faces[0], chosen.goal or 0)))
        return
    file = RESULTS / "approximate.json"
    rows = json.loads(file.read_text())["rows"] if chosen.again else []
    known = {(row["faces"], row["program"]): row for row in rows}
    for faces in chosen.faces:
        prepare(faces)
        for program in chosen.again or PROGRAMS:
            goal = known[faces, "personae"]["same_identity_recall"] if program != "personae" else 0
            known[faces, program] = run(program, faces, goal)
            print(known[faces, program], flush=True)
            record(
                "approximate",
                {
                    "k": K,
                    "d": D,
                    "threads": int(THREADS),
                    "faiss": version("faiss-cpu"),
                    "pynndescent": version("pynndescent"),
                    "rows": [known[key] for key in sorted(known, key=order)],
                },
            )


def order(key: tuple[int, str]) -> tuple[int, int]:
    return key[0], list(PROGRAMS).index(key[1])


if __name__ == "__main__":
    main()
