"""The papers' own comparisons, small: `python -m benchmarks.experiments`.

What each paper varies, with its published network and few steps: 400 people of `train.sface` to learn from, 200
others of it to be tested on, one seed. Thresholds are chosen on an eighth of the people that are learned from.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.learned import graded
from benchmarks.record import RESULTS, SHARED, record

LEARNED_FROM, TESTED_ON = 400, 200  # people
K = 40
SHAPES = ((40, 5, 5), (10, 5, 5), (20, 5, 5), (40, 2, 5), (40, 10, 5), (40, 5, 2), (40, 5, 10))
BOUNDS = (5, 10, 20, 40)
MODES = {"RE": "relation", "LP": "linkage", "both": "both"}


def main() -> None:
    from personae import knn_graph, read_faces

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=EXPERIMENTS, default=list(EXPERIMENTS))
    chosen = parser.parse_args()
    faces = read_faces(SHARED / "data" / "train.sface.npz")
    order = np.random.default_rng(0).permutation(int(faces.truth.max()) + 1)
    learn, test = (
        faces.take(np.flatnonzero(np.isin(faces.truth, people)))
        for people in (order[:LEARNED_FROM], order[LEARNED_FROM : LEARNED_FROM + TESTED_ON])
    )
    graph = knn_graph(test, K)
    file = RESULTS / "experiments.json"
    rows = json.loads(file.read_text())["rows"] if file.is_file() else []
    for name in chosen.only:
        rows = [row for row in rows if row["experiment"] != name]
        for row in EXPERIMENTS[name](learn, test, graph):
            whole = {"experiment": name, **row}
            print(whole, flush=True)
            rows.append(whole)
            record("experiments", {"learned_from": len(learn), "tested_on": len(test), "k": K, "rows": rows})


def bounds(learn: Any, test: Any, graph: Any) -> Iterator[dict[str, Any]]:
    """L-GCN's kNN upper bound: all links between two people cut, and no other."""
    from personae.evaluation.neighbors import upper_bound_labels

    for k in BOUNDS:
        yield {"variant": f"k = {k}", **graded(test, upper_bound_labels(graph.nearest(k), test.truth))}


def l_gcn(learn: Any, test: Any, graph: Any) -> Iterator[dict[str, Any]]:
    """Aggregations, then the shape of the subgraphs at test time with the mean."""
    from personae import LGCN
    from personae.link.pivot_subgraphs import Neighborhood
    from personae.methods.l_gcn import PAPER

    plan = replace(PAPER, steps=60, validate_every=60)
    for aggregation in ("weighted", "attention", "mean"):
        method = LGCN(k=K, plan=plan, aggregation=aggregation, training=SHAPES[0], testing=SHAPES[0])
        method.fit(learn)
        yield {"variant": f"{aggregation}, {told(SHAPES[0])}", **tried(method, test, graph)}
    for shape in SHAPES[1:]:
        method.model_.config = replace(method.model_.config, shape=Neighborhood(*shape))
        yield {"variant": f"mean, {told(shape)}", **tried(method, test, graph)}


def ve_gcn(learn: Any, test: Any, graph: Any) -> Iterator[dict[str, Any]]:
    """GCN-V with links by the features, and by the hidden features."""
    from personae import GCNV
    from personae.train.gcn_v import PLAN

    plan = replace(PLAN, steps=400, validate_every=100)
    for space in ("raw", "hidden"):
        yield {"variant": f"{space} graph", **tried(GCNV(k=K, plan=plan, space=space).fit(learn), test, graph)}


def star_fc(learn: Any, test: Any, graph: Any) -> Iterator[dict[str, Any]]:
    """Subgraphs of close people or of faces anywhere; people with node intimacy and without."""
    from personae import StarFC
    from personae.methods.star_fc import PAPER

    plan = replace(PAPER, steps=160)
    for sampling, name in (("structure", "SPSS"), ("faces", "random faces")):
        with tempfile.TemporaryDirectory() as folder:  # both clusterers have one network
            for clusterer in ("node_intimacy", "components"):
                method = StarFC(k=K, plan=plan, sampling=sampling, clusterer=clusterer)
                found = tried(method.fit(learn, folder=Path(folder)), test, graph)
                yield {"variant": f"{name}, {clusterer.replace('_', ' ')}", **found}


def facet(learn: Any, test: Any, graph: Any) -> Iterator[dict[str, Any]]:
    """The cosine, the relation encoder, the linkage predictor, and both."""
    from personae.evaluation.links import link_curve
    from personae.link.facet import FaceTConfig
    from personae.link.links import Links
    from personae.train.exam import Exam
    from personae.train.facet import PUBLISHED, learn_facet

    exam = Exam.of(learn, learn.truth, K, 0)
    plan = replace(PUBLISHED, steps=200, warmup=50, validate_every=100)
    for name, mode in (("cosine", None), *MODES.items()):
        if mode is None:
            known, asked = Links.of(exam.graph), Links.of(graph)
        else:
            model, _ = learn_facet(exam, FaceTConfig(learn.dimension, mode=mode), plan)
            known, asked = model.links(exam.faces, exam.graph), model.links(test, graph)
        decision, _ = exam.decide(known, ["components"], {})
        curve = link_curve(asked.graph, test.truth)
        yield {
            "variant": name,
            **graded(test, decision.people(asked)),
            "auc": round(100 * curve.auc, 2),
            "tpr_at_fpr_1e2": round(100 * curve.tpr_at_fpr_1e2, 2),
            "tpr_at_fpr_1e3": round(100 * curve.tpr_at_fpr_1e3, 2),
        }


EXPERIMENTS = {made.__name__: made for made in (bounds, ve_gcn, star_fc, facet, l_gcn)}


def tried(method: Any, test: Any, graph: Any) -> dict[str, Any]:
    began = time.perf_counter()
    labels = method.predict(test, graph=graph)
    return graded(test, labels) | {"seconds": round(time.perf_counter() - began, 1)}


def told(shape: tuple[int, int, int]) -> str:
    return "k1 = {}, k2 = {}, u = {}".format(*shape)


if __name__ == "__main__":
    main()
