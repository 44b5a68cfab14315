"""Our search for the shortest description beside others: `python -m benchmarks.map_equation`.

One planted graph: each face links to 60 others, three fifths of them of its own person, people of log-normal
sizes. Each program runs in a process of its own, on one thread, and is given the same matrix; time and memory
are those beyond having it. Programs that are not installed are left out.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array, load_npz, save_npz, triu

from benchmarks.record import peak_mib, record
from personae.graph import codelength, map_equation_labels
from personae.graph.components import first_seen

FACES, LINKS, OWN = 426_000, 60, 0.6
PROGRAMS = {"personae": "numba", "networkit": "networkit", "infomap": "infomap"}


def planted() -> tuple[csr_array, Any]:
    """The symmetric matrix, both directions of 12.8 million links added up, and the truth."""
    rng = np.random.default_rng(0)
    sizes = np.maximum(2, rng.lognormal(3.3, 0.7, FACES // 20)).astype(np.int64)
    truth = np.repeat(np.arange(len(sizes)), sizes)[:FACES]
    first = np.r_[0, np.cumsum(sizes)][truth]
    size = np.minimum(sizes[truth], FACES - first)
    shape = (FACES, LINKS)
    own = first[:, None] + rng.integers(0, 1 << 62, shape) % size[:, None]
    others = np.where(rng.random(shape) < OWN, own, rng.integers(0, FACES, shape))
    weights = rng.uniform(0.2, 1, shape).astype(np.float32)
    rows = np.repeat(np.arange(FACES, dtype=np.int32), LINKS)
    kept = others.ravel() != rows
    cells = rows[kept], others.ravel()[kept].astype(np.int32)
    directed = csr_array((weights.ravel()[kept], cells), shape=(FACES, FACES))
    return (directed + directed.T).tocsr(), truth


def run_personae(matrix: csr_array) -> Any:
    return map_equation_labels(matrix)


def run_networkit(matrix: csr_array) -> Any:
    import networkit

    networkit.setNumberOfThreads(1)
    networkit.setSeed(1, False)
    edges = triu(matrix, k=1).tocoo()
    triplets = edges.data.astype(np.float64), (edges.row.astype(np.uint64), edges.col.astype(np.uint64))
    network = networkit.GraphFromCoo(triplets, n=FACES, weighted=True)
    search = networkit.community.LouvainMapEquation(network, True, parallelizationStrategy="none")
    return np.asarray(search.run().getPartition().getVector())


def run_infomap(matrix: csr_array) -> Any:
    import infomap

    network = infomap.Network.from_scipy_sparse_matrix(matrix, directed=False)
    options = infomap.Options(two_level=True, flow_model="undirected", seed=1, num_trials=1, silent=True)
    modules = network.run(options=options).modules()
    return np.array([modules[node] for node in range(FACES)])


def measure(program: str, folder: Path) -> dict[str, Any]:
    matrix, truth = load_npz(folder / "matrix.npz"), np.load(folder / "truth.npy")
    small = matrix[:200, :200].tocsr()
    map_equation_labels(small)  # compiled before the clock runs
    before = peak_mib()
    began = time.perf_counter()
    labels = first_seen(
        {"personae": run_personae, "networkit": run_networkit, "infomap": run_infomap}[program](matrix)
    )
    seconds = time.perf_counter() - began
    added = max(0, peak_mib() - before)
    return {
        "stored_edges": matrix.nnz,
        "seconds": round(seconds, 1),
        "peak_mib_before": before,
        "added_mib": added,
        "bytes_an_edge": round(added * 2**20 / matrix.nnz, 1),
        "codelength": round(codelength(matrix, labels), 6),
        "modules": int(labels.max()) + 1,
        "people": int(truth.max()) + 1,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", nargs=2, help="a program and a folder: measure it here and print JSON")
    chosen = parser.parse_args()
    if chosen.program:
        print(json.dumps(measure(chosen.program[0], Path(chosen.program[1]))))
        return
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        matrix, truth = planted()
        save_npz(Path(folder) / "matrix.npz", matrix, compressed=False)
        np.save(Path(folder) / "truth.npy", truth)
        del matrix, truth
        for program, module in PROGRAMS.items():
            if find_spec(module):
                command = [sys.executable, "-m", "benchmarks.map_equation", "--program", program, folder]
                done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
                results[program] = json.loads(done.stdout)
                print(program, results[program], flush=True)
    record("map_equation", {"results": results})


if __name__ == "__main__":
    main()
