"""The default without one of its steps, or with another setting: `python -m benchmarks.ablation`.

On the collections of `benchmarks.collections`, drawn once: the mean of both F over all, how much worse than the
default as it comes the worst collection is. A run that was stopped goes on where it was.
"""

import json
from contextlib import ExitStack
from statistics import mean
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.collections import collections
from benchmarks.record import RESULTS, record
from personae import Auto, FaceSet, KnnGraph, evaluate, knn_graph
from personae.graph.components import component_labels

SEED = 0
AUTO = "personae.methods.auto"


class Chains:
    """Components in the place of the map equation."""

    def cluster(self, links: KnnGraph, constraints: None = None) -> Any:
        return component_labels(links)


def first_labels(labels: Any, *_: Any, **__: Any) -> Any:
    return labels


WITHOUT: dict[str, dict[str, Any]] = {
    "strangers not looked at again": {f"{AUTO}.SETTLED": np.inf},
    "not begun anew where widths have grown": {f"{AUTO}.WIDER": 1e9},
    "all faces given the same level and spread": {f"{AUTO}.lightest_tail": lambda strangers, pairs: 0.0},
    "each face's own level and spread believed": {f"{AUTO}.lightest_tail": lambda strangers, pairs: 1.0},
    "strangers' tail taken for a normal curve": {
        "personae.link.false_links.bell_line": lambda widths: (1.0, 0.0)
    },
    "one stranger in a thousand faces as the floor": {
        f"{AUTO}.least_widths": lambda strangers, pairs, graph, shares, floor: np.full(
            len(shares), floor
        ).tolist()
    },
    "components for the map equation": {
        f"{AUTO}.MapEquation": Chains,
        "personae.clustering.full_lists.MapEquation": Chains,
        "personae.clustering.look_alikes.MapEquation": Chains,
    },
    "people with full lists left torn": {f"{AUTO}.joined_again": first_labels},
    "look-alikes left together": {f"{AUTO}.look_alikes_apart": first_labels},
    "lone faces left alone": {f"{AUTO}.lone_faces_joined": first_labels},
}
SETTINGS: list[dict[str, Any]] = [
    {"false_links": 0.05},
    {"false_links": 0.3},
    {"sample": 256},
    {"sample": 4096},
    {"k": 10},
    {"k": 20},
    {"k": 40},
    {"k": 160},
]


def variants() -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Names, what is put in the place of what, and parameters; the first is the default as it comes."""
    settings = [(", ".join(f"{k} = {v:g}" for k, v in one.items()), {}, one) for one in SETTINGS]
    return [("as it comes", {}, {}), *((name, swaps, {}) for name, swaps in WITHOUT.items()), *settings]


def scores(faces: FaceSet, graph: KnnGraph, swaps: dict[str, Any], parameters: dict[str, Any]) -> list[float]:
    k = min(parameters.get("k", graph.k), len(faces) - 1)
    graph = graph.nearest(k) if k <= graph.k else knn_graph(faces, k)
    with ExitStack() as swapped:
        for name, other in swaps.items():
            swapped.enter_context(patch(name, other))
        labels = Auto(**{**parameters, "k": k}).fit(faces, graph=graph).labels_
    found = evaluate(faces.truth, labels)
    return [round(100 * found.pairwise.f, 2), round(100 * found.bcubed.f, 2)]


def main() -> None:
    file = RESULTS / "ablation.json"
    cases = json.loads(file.read_text())["cases"] if file.exists() else {}
    for collection in collections():
        here = cases.setdefault(collection.name, {})
        todo = [variant for variant in variants() if variant[0] not in here]
        if not todo:
            continue
        faces = collection.faces(SEED)
        graph = knn_graph(faces, min(collection.k, len(faces) - 1))
        for name, swaps, parameters in todo:
            here[name] = scores(faces, graph, swaps, parameters)
        record("ablation", {"seed": SEED, "rows": summary(cases), "cases": cases})
        print(collection.name, here, flush=True)


def summary(cases: dict[str, dict[str, list[float]]]) -> list[dict[str, Any]]:
    """A row a variant: both F in the mean, by embedder, and the worst change."""
    done = {name: here for name, here in cases.items() if all(name in here for name, _, _ in variants())}
    rows = []
    for variant, _, _ in variants():
        of = {name: here[variant] for name, here in done.items()}
        row: dict[str, Any] = {"variant": variant}
        for at, measure in enumerate(("pairwise_f", "bcubed_f")):
            row[measure] = round(mean(f[at] for f in of.values()), 2)
            changes = {name: f[at] - done[name]["as it comes"][at] for name, f in of.items()}
            worst = min(changes, key=lambda name: changes[name])
            row[f"worst_{measure}"] = round(changes[worst], 2)
            row[f"worst_{measure}_on"] = worst
        rows.append(row)
    return rows


if __name__ == "__main__":
    main()
