"""Our search for the shortest description beside others: `python -m benchmarks.map_equation`.

One planted graph: each face links to 60 others, three fifths of them of its own person, people of log-normal
sizes, the faces in no order. And the links of 100,000 made faces, which people look alike in, both ways and one
way. Each program runs in a process of its own, on one thread, and is given the same matrix; seconds are those
of the processor, and these and memory are beyond having the matrix. Programs that are not installed are left
out, and networkit where links go one way, which it does not know.
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
from personae.data import SyntheticIdentities, like_sface, synthetic_faces
from personae.graph import codelength, directed, knn_graph, map_equation_labels, undirected
from personae.graph.components import first_seen

FACES, LINKS, OWN = 426_000, 60, 0.6
MADE = SyntheticIdentities(faces=100_000, embedder=like_sface())
NEIGHBORS, TAUS = 80, (0.4, 0.5)  # links of made faces
PROGRAMS = {"personae": "numba", "networkit": "networkit", "infomap": "infomap"}
ONE_WAY = ("personae", "infomap")


def planted() -> tuple[csr_array, Any]:
    """The symmetric matrix, both directions of 25.6 million links added up, and the truth."""
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
    place = rng.permutation(FACES).astype(np.int32)
    cells = place[rows[kept]], place[others.ravel()[kept]]
    links = csr_array((weights.ravel()[kept], cells), shape=(FACES, FACES))
    shuffled = np.empty_like(truth)
    shuffled[place] = truth
    both = (links + links.T).tocsr()
    both.sort_indices()
    return both, shuffled


def run_personae(matrix: csr_array, one_way: bool) -> Any:
    return map_equation_labels(matrix, directed=one_way)


def run_networkit(matrix: csr_array, one_way: bool) -> Any:
    import networkit

    assert not one_way
    networkit.setNumberOfThreads(1)
    networkit.setSeed(1, False)
    edges = triu(matrix, k=1).tocoo()
    triplets = edges.data.astype(np.float64), (edges.row.astype(np.uint64), edges.col.astype(np.uint64))
    network = networkit.GraphFromCoo(triplets, n=matrix.shape[0], weighted=True)
    search = networkit.community.LouvainMapEquation(network, True, parallelizationStrategy="none")
    return np.asarray(search.run().getPartition().getVector())


def run_infomap(matrix: csr_array, one_way: bool) -> Any:
    import infomap

    network = infomap.Network.from_scipy_sparse_matrix(matrix, directed=one_way)
    flow = "directed" if one_way else "undirected"
    options = infomap.Options(two_level=True, flow_model=flow, seed=1, num_trials=1, silent=True)
    modules = network.run(options=options).modules()
    n = matrix.shape[0]
    return np.array([modules.get(node, n + node) for node in range(n)])  # faces without links are left out


RUN = {"personae": run_personae, "networkit": run_networkit, "infomap": run_infomap}


def measure(program: str, folder: Path, case: str) -> dict[str, Any]:
    matrix, truth = load_npz(folder / f"{case}.npz"), np.load(folder / "truth.npy")
    one_way = case.endswith("one way")
    RUN[program](matrix[:200, :200].tocsr(), one_way)  # imported and compiled before the clock runs
    before = peak_mib()
    began = time.process_time()
    labels = first_seen(RUN[program](matrix, one_way))
    seconds = time.process_time() - began
    added = max(0, peak_mib() - before)
    return {
        "stored_edges": matrix.nnz,
        "seconds": round(seconds, 1),
        "peak_mib_before": before,
        "added_mib": added,
        "bytes_an_edge": round(added * 2**20 / matrix.nnz, 1),
        "codelength": round(codelength(matrix, labels, directed=one_way), 6),
        "modules": int(labels.max()) + 1,
        "people": int(truth.max()) + 1,
    }


def make(kind: str, folder: Path) -> None:
    """Writes the truth and a matrix a case."""
    if kind == "planted":
        matrix, truth = planted()
        matrices = {"planted": matrix}
    else:
        faces = synthetic_faces(MADE)
        truth = faces.truth
        graph = knn_graph(faces, NEIGHBORS)
        matrices = {}
        for tau in TAUS:
            links = graph.at_least(tau)
            matrices[f"made faces from {tau}, both ways"] = undirected(links)
            matrices[f"made faces from {tau}, one way"] = directed(links)
    np.save(folder / "truth.npy", truth)
    for case, matrix in matrices.items():
        save_npz(folder / f"{case}.npz", matrix, compressed=False)


def in_a_process(*arguments: str) -> str:
    """What the benchmark prints with these arguments; a child counts the memory of its parent as its own."""
    command = [sys.executable, "-m", "benchmarks.map_equation", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def side_by_side(folder: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """The figures of each program on each matrix of the folder."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for case in sorted(path.stem for path in folder.glob("*.npz")):
        found[case] = {}
        for program in ONE_WAY if case.endswith("one way") else PROGRAMS:
            if find_spec(PROGRAMS[program]):
                found[case][program] = json.loads(in_a_process("--measure", program, str(folder), case))
                print(case, program, found[case][program], flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--make", nargs=2, help="a kind of graph and a folder: write the matrices there")
    parser.add_argument("--measure", nargs=3, help="a program, a folder and a case: print figures as JSON")
    chosen = parser.parse_args()
    if chosen.make:
        make(chosen.make[0], Path(chosen.make[1]))
    elif chosen.measure:
        program, folder, case = chosen.measure
        print(json.dumps(measure(program, Path(folder), case)))
    else:
        results = {}
        for kind in ("planted", "made"):
            with tempfile.TemporaryDirectory() as folder:
                in_a_process("--make", kind, folder)
                results |= side_by_side(Path(folder))
        record("map_equation", {"results": results})


if __name__ == "__main__":
    main()
