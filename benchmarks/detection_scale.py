"""GCN-D on 100,000 made faces: `python -m benchmarks.detection_scale`.

The model that comes with the package for SFace's features, on made faces of their geometry: some with sizes as
in LFW, also with more than twice as many proposals as the model asks for, and some of 20,000 people with five
faces each. The kNN graph is searched once, kept in the folder for temporary files, and not counted. Each case
has a process of its own. Beside the network stands its plain form, padded and dense, on one in `SHARE` of the
proposals that have `LARGEST` faces at most, scaled to all of these; larger ones would not fit into memory.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.detection import fs
from benchmarks.record import peak_mib, record, run_apart

FACES, K = 100_000, 80
SHARE, LARGEST = 50, 2000
FOLDER = Path(tempfile.gettempdir()) / "personae-detection"
MADE: dict[str, dict[str, Any]] = {
    "sizes as in LFW": {},
    "five faces each": {"people": FACES // 5, "sizes": "balanced"},
}
LISTS = (3, 4, 5, 7, 10, 20, 80)
DENSE = tuple(float(tau) for tau in np.round(1 / (1 + np.exp(-np.linspace(-1.4, 7, 40))), 5))
CASES: dict[str, tuple[str, dict[str, Any]]] = {  # the faces, and what is changed in the search
    "sizes as in LFW": ("sizes as in LFW", {}),
    "sizes as in LFW, 40 thresholds, 7 lengths of list": (
        "sizes as in LFW",
        {"ks": LISTS, "taus": DENSE},
    ),
    "five faces each": ("five faces each", {}),
}


def prepared(made_as: str) -> Path:
    """The folder with the faces and their graph."""
    from personae import knn_graph
    from personae.data import SyntheticIdentities, synthetic_faces
    from personae.data.synthetic_embedder import like_sface
    from personae.graph.files import write_graph

    folder = FOLDER / f"{made_as.replace(' ', '-')}-{FACES}"
    if not (folder / "graph.npz").exists():
        folder.mkdir(parents=True, exist_ok=True)
        made = synthetic_faces(SyntheticIdentities(faces=FACES, embedder=like_sface(), **MADE[made_as]))
        np.savez(folder / "faces.npz", X=made.features, y=made.truth)
        write_graph(knn_graph(made, K), folder / "graph.npz")
    return folder


def measured(case: str) -> dict[str, Any]:
    """Every step of one case, in this process."""
    from benchmarks.padded_gcn_d import padded_scores
    from personae import knn_graph, read_faces
    from personae.clustering import DeOverlap, Suppression
    from personae.graph.files import read_graph
    from personae.link.links import Links
    from personae.link.rated import Rated
    from personae.methods import GCND
    from personae.train.gcn_d import correlation
    from personae.train.proposals import overlaps

    method = GCND.pretrained("sface")
    model: Any = method.model_
    made_as, changes = CASES[case]
    folder = prepared(made_as)
    faces, graph = read_faces(folder / "faces.npz"), read_graph(folder / "graph.npz")
    warm = faces.take(np.arange(1000))
    method.predict(warm, graph=knn_graph(warm, K))
    before = peak_mib()
    steps: dict[str, dict[str, float]] = {}
    with timed(steps, "probabilities"):
        scene = model.scene(faces, graph)
    search = replace(model.config.search, **changes)
    with timed(steps, "proposals"):
        proposals = search.proposals(faces, scene.graph)
    with timed(steps, "scores"):
        scores = model.scores(scene, proposals)
    with timed(steps, "people"):
        rated = Rated(proposals, model.worth(scene, proposals, scores))
        labels = method.decision_.people(replace(Links.of(rated.links(graph)), proposals=rated))
    peak = peak_mib()
    kept = rated.at_least(method.decision_.tau)
    overlapping: dict[str, dict[str, float]] = {}
    for clusterer in (DeOverlap(0.5), Suppression(0.5)):
        clusterer.cluster(kept, len(faces))
        with timed(overlapping, str(clusterer)):
            found = clusterer.cluster(kept, len(faces))
        overlapping[str(clusterer)] |= fs(faces.truth, found)
    fitting = np.flatnonzero(proposals.sizes <= LARGEST)
    some = fitting[::SHARE]
    plain: dict[str, dict[str, float]] = {}
    with timed(plain, "padded"):
        padded = padded_scores(model, scene, proposals.take(some))
    with timed(plain, "packed"):
        packed = model.scores(scene, proposals.take(some))
    assert np.allclose(padded, packed, atol=1e-4)
    return {
        "case": case,
        "faces": len(faces),
        "people": int(faces.truth.max()) + 1,
        "proposals": len(proposals),
        "members": len(proposals.faces),
        "largest": int(proposals.sizes.max()),
        "steps": steps,
        "seconds": round(sum(step["seconds"] for step in steps.values()), 1),
        "cpu_seconds": round(sum(step["cpu_seconds"] for step in steps.values()), 1),
        "mib_before": before,
        "peak_mib": peak,
        "padded_proposals": len(some),
        "too_large_to_pad": len(proposals) - len(fitting),
        "padded_cpu_seconds_scaled": round(plain["padded"]["cpu_seconds"] * len(fitting) / len(some), 1),
        "times_less_cpu": round(plain["padded"]["cpu_seconds"] / plain["packed"]["cpu_seconds"], 1),
        "overlaps": overlapping,
        **fs(faces.truth, labels),
        "correlation": round(correlation(scores[:, 0], overlaps(proposals, faces.truth)[:, 0]), 3),
    }


@contextmanager
def timed(steps: dict[str, dict[str, float]], name: str) -> Iterator[None]:
    """Puts the seconds that what is inside takes into `steps`."""
    began, busy = time.perf_counter(), time.process_time()
    yield
    steps[name] = {
        "seconds": round(time.perf_counter() - began, 2),
        "cpu_seconds": round(time.process_time() - busy, 2),
    }


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(measured(sys.argv[1])))
        return
    rows = []
    for case in CASES:
        prepared(CASES[case][0])
        rows.append(run_apart("detection_scale", case))
        print(rows[-1], flush=True)
    record("detection_scale", {"k": K, "share": SHARE, "largest_padded": LARGEST, "rows": rows})


if __name__ == "__main__":
    main()
