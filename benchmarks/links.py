"""How fast the learned link models judge links: `python -m benchmarks.links [--models NAME ...]`.

Untrained networks on made faces, 100,000 x 256 with 80 neighbors, whose graph is searched once and kept in the
folder for temporary files; the search is not counted. Each model has a process of its own. Beside it, in the
same process and in turn with it, runs the plain implementation, the network as the paper has it put to every
pair, on fewer faces, scaled to all; of L-GCN, whose pivots take long and as long each, a share of all faces is
asked, scaled as well. The floor, in processor seconds, is the larger of two times: the operations at the rate
of a large product, and the bytes of all gathers at the rate at which random rows are read, both of one core.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.record import RESULTS, peak_mib, record

FACES, D, K = 100_000, 256, 80
FLOAT = 4  # bytes
TURNS, LONG = 3, 60  # processor seconds after which there is one turn only
WARM = 2000  # faces, before the clock runs
FOLDER = Path(tempfile.gettempdir()) / "personae-links"


@dataclass(frozen=True)
class Case:
    """A link model with what its speed is compared to.

    model: with its `links(faces, graph)`
    plain: the same on few faces, each pair through the whole network; None where that is the only form
    few:   faces it is put to
    flops: floating-point operations a face that no implementation can leave out, with each face projected once
    bytes: read by the gathers, a face
    asked: one in so many faces, by a model that takes `pivots`
    """

    model: Any
    plain: Callable[[Any, Any], Any] | None
    few: int
    flops: float
    bytes: float
    asked: int = 1

    def links(self, faces: Any, graph: Any) -> Any:
        """(N / asked, k) probabilities"""
        if self.asked == 1:
            return self.model.links(faces, graph).graph.similarities
        return self.model.probabilities(faces, graph, np.arange(0, len(faces), self.asked))


def star_fc() -> Case:
    from personae.link.star_fc import StarFCConfig, StarFCModel

    model = StarFCModel(StarFCConfig(D))
    h = model.config.hidden
    return Case(
        model,
        lambda faces, graph: pair_by_pair(model, faces, graph),
        2000,
        flops=2 * (2 * D * h + 2 * h * h) + K * (2 * D + 4 * h),  # A~ has K links a face at least
        bytes=FLOAT * K * (D + h),
    )


def pair_by_pair(model: Any, faces: Any, graph: Any) -> Any:
    """STAR-FC with both faces of every link beside each other, through both layers of the head."""
    import torch

    from personae.graph.affinity import affinity

    features = torch.from_numpy(faces.features)
    average = torch.from_numpy((affinity(graph) @ faces.features).astype(np.float32))
    block = 50
    with torch.no_grad():
        x = model.module.faces(features, average)
        found = []
        for start in range(0, len(faces), block):
            others = torch.from_numpy(graph.neighbors[start : start + block].astype(np.int64))
            ones = torch.arange(start, start + len(others)).repeat_interleave(graph.k)
            pairs = torch.cat([x[ones], x[others.ravel()]], dim=1)
            logits = model.module.verdict(model.module.bend(model.module.pair(pairs)))
            found.append(logits.softmax(1)[:, 1].view(others.shape))
        return torch.cat(found).numpy()


def evidence() -> Case:
    from personae.link.evidence import OF_FACE, OF_PAIR
    from personae.link.evidence_net import EvidenceConfig, EvidenceModel

    model = EvidenceModel(EvidenceConfig())
    h = model.config.hidden
    of_pair = 2 * (OF_PAIR * h + h * h) + 8 * h + 6 * D
    return Case(
        model,
        None,
        0,
        flops=2 * (2 * OF_FACE * h + 2 * h * h) + K * of_pair,
        bytes=FLOAT * K * (3 * D + h + OF_FACE + K),
    )


def gcn_v() -> Case:
    from personae.link.gcn_v import ConfidenceConfig, ConfidenceModel

    model = ConfidenceModel(ConfidenceConfig(D, space="raw"))
    h = model.config.hidden
    return Case(model, None, 0, flops=2 * (2 * D * h + h * h) + 2 * K * D, bytes=FLOAT * K * D)


def gcn_ve() -> Case:
    from personae.link.gcn_e import ConnectivityConfig, ConnectivityModel
    from personae.link.gcn_v import ConfidenceConfig

    model = ConnectivityModel(ConnectivityConfig(ConfidenceConfig(D)))
    h = model.config.confidence.hidden
    widths = (h, *model.config.hidden)
    pairs = list(pairwise(widths))
    # a face asked has half of its list as candidates on average, and none has more
    of_candidate = sum(4 * wide * out for wide, out in pairs) + sum(2 * K / 2 * wide for wide in widths)
    first = gcn_v()
    return Case(model, None, 0, first.flops + model.config.confident * K / 2 * of_candidate, first.bytes)


def l_gcn() -> Case:
    from benchmarks.padded_l_gcn import padded_probabilities
    from personae.link.l_gcn import PivotConfig
    from personae.link.l_gcn_inference import PivotModel

    model = PivotModel(PivotConfig(D))
    widths = (D, *model.config.hidden)
    of_row = sum(4 * wide * out for wide, out in pairwise(widths[1:]))  # without the first
    return Case(
        model,
        lambda faces, graph: padded_probabilities(model, faces, graph, np.arange(len(faces))),
        200,
        flops=LGCN_ROWS * of_row,
        bytes=FLOAT * LGCN_ROWS * D,
        asked=20,
    )


def facet() -> Case:
    from personae.link.facet import FaceTConfig
    from personae.link.facet_model import FaceTModel

    model = FaceTModel(FaceTConfig(D))
    attention = model.config.layers * 4 * K * K * D
    # what belongs to a face is projected once; the later layers and the judgement see every candidate anew
    tokens = K * 2 * D * D * (1 + 4 * (model.config.layers - 1) + 1)
    return Case(model, None, 0, flops=attention + tokens + 12 * D * D, bytes=FLOAT * K * 3 * D)


LGCN_ROWS = 326  # of a subgraph of the made faces, on average
# another model plugs in here: a function that builds its Case
CASES: dict[str, Callable[[], Case]] = {
    built.__name__: built for built in (star_fc, evidence, gcn_v, gcn_ve, facet, l_gcn)
}


def prepared(faces: int) -> None:
    """The made faces and their graph on disk."""
    from personae.data import SyntheticEmbedder, SyntheticIdentities, synthetic_faces
    from personae.graph import knn_graph
    from personae.graph.files import write_graph

    if not graph_file(faces).exists():
        FOLDER.mkdir(exist_ok=True)
        made = synthetic_faces(SyntheticIdentities(faces=faces, embedder=SyntheticEmbedder(dimension=D)))
        np.save(features_file(faces), made.features)
        write_graph(knn_graph(made, K), graph_file(faces))


def features_file(faces: int) -> Path:
    return FOLDER / f"features-{faces}.npy"


def graph_file(faces: int) -> Path:
    return FOLDER / f"graph-{faces}.npz"


def measured(name: str, count: int) -> dict[str, Any]:
    """One model, in this process."""
    import torch

    from personae.data import FaceSet
    from personae.graph import KnnGraph, knn_graph
    from personae.graph.files import read_graph

    torch.manual_seed(0)
    case = CASES[name]()
    case.model.module.eval()
    faces, graph = FaceSet(np.load(features_file(count))), read_graph(graph_file(count))
    graph = KnnGraph(np.ascontiguousarray(graph.neighbors), np.ascontiguousarray(graph.similarities))
    warm = faces.take(np.arange(min(WARM, count)))
    case.links(warm, knn_graph(warm, K))
    few = faces.take(np.arange(min(case.few, count))) if case.plain else None
    of_few = knn_graph(few, K) if few else None
    before, peak = peak_mib(), 0
    seconds, plain = [], []
    for turn in range(TURNS):
        began, busy = time.perf_counter(), time.process_time()
        links = case.links(faces, graph)
        seconds.append(((time.perf_counter() - began) * case.asked, (time.process_time() - busy) * case.asked))
        peak = peak if turn else peak_mib()  # before the plain one runs
        if case.plain and few is not None:
            began, busy = time.perf_counter(), time.process_time()
            case.plain(few, of_few)
            scale = count / len(few)
            plain.append(((time.perf_counter() - began) * scale, (time.process_time() - busy) * scale))
        if seconds[0][1] / case.asked > LONG:
            break
    assert np.isfinite(links).all()
    best, busy = min(seconds)[0], min(pair[1] for pair in seconds)
    found = {
        "faces": count,
        "asked": len(links),
        "seconds": round(best, 2),
        "cpu_seconds": round(busy, 2),
        "faces_per_second": round(count / best),
        "threads": torch.get_num_threads(),
        "mib_before": before,
        "peak_mib": peak,
    }
    if not plain:
        return found
    slow, slow_busy = min(plain)[0], min(pair[1] for pair in plain)
    return found | {
        "plain_faces": len(few) if few else 0,
        "plain_seconds_scaled": round(slow, 1),
        "plain_cpu_seconds_scaled": round(slow_busy, 1),
        "times_faster": round(slow / best, 1),
        "times_less_cpu": round(slow_busy / busy, 1),
    }


def rates() -> tuple[float, float]:
    """Operations a second of a large product, and bytes a second of reading random rows; of one core."""
    import torch

    from personae.link.layers import Product, products_in_one_thread

    product, rows = Product(torch.randn(2048, 2048), torch.zeros(2048)), torch.randn(100_000, 512)
    order = torch.randint(0, 100_000, (2_500, 80))
    products, gathers = [], []
    with products_in_one_thread(), torch.inference_mode():
        for _ in range(5):
            began = time.thread_time()
            product(rows[:8192].view(2048, 2048))
            products.append(2 * 2048**3 / (time.thread_time() - began))
            began = time.thread_time()
            torch.nn.functional.embedding_bag(order, rows, mode="sum")
            gathers.append(order.numel() * 512 * FLOAT / (time.thread_time() - began))
    return max(products), max(gathers)


def with_floor(row: dict[str, Any], products: float, gathers: float) -> dict[str, Any]:
    """The row with the processor seconds that cannot be saved."""
    case = CASES[row["model"]]()
    floor = max(row["faces"] * case.flops / products, row["faces"] * case.bytes / gathers)
    return row | {
        "floor_cpu_seconds": round(floor, 2),
        "ratio_to_floor": round(row["cpu_seconds"] / floor, 2),
    }


def keep(rows: list[dict[str, Any]], speeds: tuple[float, float]) -> None:
    """Writes the figures, all floors by the rates of today."""
    rows.sort(key=lambda row: str(row["model"]))
    products, gathers = speeds
    rates_of_core = {"gflops": round(products / 1e9), "gather_gb_per_second": round(gathers / 1e9, 1)}
    record("links", {"d": D, "k": K, **rates_of_core, "rows": [with_floor(row, *speeds) for row in rows]})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="*", choices=CASES, default=list(CASES))
    parser.add_argument("--faces", type=int, default=FACES, help="another number is printed and not recorded")
    parser.add_argument("--one", action="store_true", help="the first model, here, as JSON")
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(measured(chosen.models[0], chosen.faces)))
        return
    prepared(chosen.faces)
    file, speeds = RESULTS / "links.json", rates()
    rows = json.loads(file.read_text())["rows"] if file.is_file() else []
    if rows:
        keep(rows, speeds)
    for name in chosen.models:
        command = [sys.executable, "-m", "benchmarks.links", "--one", "--faces", str(chosen.faces)]
        done = subprocess.run(
            [*command, "--models", name], env=os.environ, check=True, stdout=subprocess.PIPE, text=True
        )
        found = with_floor({"model": name, **json.loads(done.stdout.splitlines()[-1])}, *speeds)
        print(found, flush=True)
        rows = [row for row in rows if row["model"] != name] + [found]
        if chosen.faces == FACES:
            keep(rows, speeds)


if __name__ == "__main__":
    main()
