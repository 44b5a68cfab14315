"""The learned methods on people they have not seen: `python -m benchmarks.learned [--methods NAME ...]`.

Two directions: trained on `train`, tested on `lfw`; trained on half of the identities of `lfw`, tested on
`train`. All choices (thresholds, which clusterer, when to stop) are made on an eighth of the training
identities. Beside them, with thresholds chosen on the same eighth: connected components and the map equation
on plain cosines. Each run has a process of its own; rows of other methods in the results stay.

With --checkpoints a run goes on where it stopped, and then has no training time.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.record import RESULTS, SHARED, peak_mib, record

EMBEDDERS = ("sface", "dlib")
DIRECTIONS = ("train to lfw", "half of lfw to train")
PLAIN = ("components", "map_equation")
PRESETS = ("paper", "general")


def sides(direction: str, embedder: str) -> tuple[Any, Any]:
    """The faces to learn from and those to be tested on."""
    from personae import read_faces

    lfw, train = (read_faces(SHARED / "data" / f"{name}.{embedder}.npz") for name in ("lfw", "train"))
    if direction == DIRECTIONS[0]:
        return train, lfw
    half = np.random.default_rng(0).permutation(int(lfw.truth.max()) + 1) % 2 == 0
    return lfw.take(np.flatnonzero(half[lfw.truth])), train


def plain(clusterer: str, direction: str, embedder: str, seed: int) -> dict[str, Any]:
    """A clusterer on cosines, its threshold chosen as the learned methods choose theirs."""
    from personae import knn_graph
    from personae.link.links import Links
    from personae.train.exam import Exam

    learn, test = sides(direction, embedder)
    exam = Exam.of(learn, learn.truth, 80, seed)
    decision, validation = exam.decide(Links.of(exam.graph), [clusterer], {})
    began = time.perf_counter()
    labels = decision.people(Links.of(knn_graph(test, 80)))
    return scores(test, labels, validation, 0.0, time.perf_counter() - began)


def learned(
    name: str, preset: str, direction: str, embedder: str, seed: int, folder: Path | None = None
) -> dict[str, Any]:
    """A learned method: with its preset's clusterer, and with each other for comparison."""
    from personae import knn_graph
    from personae.methods import LEARNED

    learn, test = sides(direction, embedder)
    kept = None if folder is None else folder / f"{direction} {embedder} {seed}" / f"{name} {preset}"
    again = kept is not None and any(kept.rglob("checkpoint.pt"))
    began = time.perf_counter()
    method = LEARNED[name](preset=preset, seed=seed).fit(learn, folder=kept)
    trained = None if again else time.perf_counter() - began
    graph = knn_graph(test, method.k)
    began = time.perf_counter()
    labels = method.predict(test, graph=graph)
    return scores(test, labels, method.validation_, trained, time.perf_counter() - began) | {
        "clusterer": method.decision_.clusterer
    }


def graded(test: Any, labels: Any) -> dict[str, float]:
    """Both F, pairwise precision and recall, and NMI, in percent."""
    from personae import evaluate

    score = evaluate(test.truth, labels)
    return {
        "pairwise_f": round(100 * score.pairwise.f, 2),
        "bcubed_f": round(100 * score.bcubed.f, 2),
        "pairwise_precision": round(100 * score.pairwise.precision, 2),
        "pairwise_recall": round(100 * score.pairwise.recall, 2),
        "nmi": round(100 * score.information.nmi_arithmetic, 2),
    }


def scores(test: Any, labels: Any, validation: float, trained: float | None, seconds: float) -> dict[str, Any]:
    return {
        **graded(test, labels),
        "validation_f": round(100 * validation, 2),
        "training_seconds": None if trained is None else round(trained, 1),
        "seconds": round(seconds, 2),
        "peak_mib": peak_mib(),
    }


def main() -> None:
    from personae.methods import LEARNED

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", nargs="*", default=[*PLAIN, *LEARNED])
    parser.add_argument("--presets", nargs="*", default=PRESETS)
    parser.add_argument("--embedders", nargs="*", default=EMBEDDERS)
    parser.add_argument("--directions", nargs="*", default=DIRECTIONS)
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--checkpoints", type=Path)
    parser.add_argument("--one", action="store_true", help="run the first of each here and print JSON")
    chosen = parser.parse_args()
    if chosen.one:
        name, where = chosen.methods[0], (chosen.directions[0], chosen.embedders[0], chosen.seeds[0])
        options = (name, chosen.presets[0], *where, chosen.checkpoints)
        found = plain(name, *where) if name in PLAIN else learned(*options)
        print(json.dumps(found))
        return
    file = RESULTS / "learned.json"
    rows = json.loads(file.read_text())["rows"] if file.is_file() else []
    for direction in chosen.directions:
        for embedder in chosen.embedders:
            for name in chosen.methods:
                for preset in ("",) if name in PLAIN else chosen.presets:
                    for seed in chosen.seeds:
                        key = {
                            "direction": direction,
                            "embedder": embedder,
                            "method": name,
                            "preset": preset,
                            "seed": seed,
                        }
                        found = key | in_its_own_process(key, chosen.checkpoints)
                        print(found, flush=True)
                        rows = [row for row in rows if not key.items() <= row.items()] + [found]
                        record("learned", {"rows": rows})


def in_its_own_process(key: dict[str, Any], checkpoints: Path | None) -> dict[str, Any]:
    options = [
        *("--methods", key["method"], "--presets", key["preset"], "--embedders", key["embedder"]),
        *("--directions", key["direction"], "--seeds", str(key["seed"])),
        *(() if checkpoints is None else ("--checkpoints", str(checkpoints))),
    ]
    command = [sys.executable, "-m", "benchmarks.learned", "--one", *options]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
