"""GCN-D and GCN-S, as they come with the package, on `lfw`: `python -m benchmarks.detection`.

They learned from `train`, so nobody in `lfw` is known to them. Which proposals there are against how well these
do, with predicted and with perfect scores; de-overlapping beside suppression; and the clusters of other methods
before and after `GCNDS.refine`. One seed.
"""

import time
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.record import SHARED, record

EMBEDDERS = ("sface", "dlib")
FIVE = (0.5, 0.7, 0.85, 0.93, 0.97)
TIMES = 9
LINKED = (0.9, 0.95, 0.98)  # quantiles of the cosines of neighbors, from which centres are linked


def fs(truth: Any, labels: Any) -> dict[str, float]:
    from personae import evaluate

    found = evaluate(truth, labels)
    return {
        "pairwise_f": round(100 * found.pairwise.f, 2),
        "bcubed_f": round(100 * found.bcubed.f, 2),
        "pairwise_precision": round(100 * found.pairwise.precision, 2),
        "pairwise_recall": round(100 * found.pairwise.recall, 2),
    }


def strategies(search: Any, graph: Any) -> dict[str, Any]:
    """Searches by name, from few proposals to many."""
    from personae.link.proposal_search import WHOLE

    linked = tuple(float(tau) for tau in np.quantile(graph.similarities, LINKED))
    plain = replace(search, modules=())
    turns = {"rules": ((1, WHOLE), (2, WHOLE)), "linked": linked}
    return {
        "one threshold": replace(plain, taus=(0.85,)),
        "5 thresholds": replace(plain, taus=FIVE),
        "5 thresholds, I = 2": replace(plain, taus=FIVE, turns=2, **turns),
        "5 thresholds, I = 3": replace(plain, taus=FIVE, turns=3, **turns),
        "15 thresholds": plain,
        "modules alone": replace(search, taus=()),
        "15 thresholds and modules": search,
    }


def detection(embedder: str, faces: Any, graph: Any) -> dict[str, Any]:
    from personae.clustering import DeOverlap
    from personae.link.rated import Rated
    from personae.methods import GCND
    from personae.train.gcn_d import correlation
    from personae.train.proposals import overlaps

    method = GCND.pretrained(embedder)
    model: Any = method.model_
    scene = model.scene(faces, graph)
    proposed = {}
    for name, search in strategies(model.config.search, graph).items():
        began = time.perf_counter()
        proposals = search.proposals(faces, scene.graph)
        searched = time.perf_counter()
        scores = model.scores(scene, proposals)
        scored = time.perf_counter()
        true = overlaps(proposals, faces.truth)
        rated, perfect = (
            Rated(proposals, model.worth(scene, proposals, one)).at_least(method.decision_.tau)
            for one in (scores, true)
        )
        proposed[name] = {
            "proposals": len(proposals),
            "members": len(proposals.faces),
            "correlation": round(correlation(scores[:, 0], true[:, 0]), 3),
            **fs(faces.truth, DeOverlap(0.5).cluster(rated, len(faces))),
            "perfect": fs(faces.truth, DeOverlap(0.5).cluster(perfect, len(faces))),
            "search_seconds": round(searched - began, 2),
            "score_seconds": round(scored - searched, 2),
        }
    return {"strategies": proposed, "overlaps": apart(rated, faces)}


def apart(rated: Any, faces: Any) -> dict[str, Any]:
    """What takes overlaps apart, on the same scores: F, and processor seconds, the least of `TIMES`."""
    from personae.clustering import DeOverlap, Suppression

    found = {}
    for clusterer in (
        *(DeOverlap(remains) for remains in (0.0, 0.5, 0.8)),
        *(Suppression(overlap) for overlap in (0.3, 0.5, 0.7)),
    ):
        seconds = []
        for _ in range(TIMES):
            began = time.process_time()
            labels = clusterer.cluster(rated, len(faces))
            seconds.append(time.process_time() - began)
        found[str(clusterer)] = fs(faces.truth, labels) | {"seconds": round(min(seconds), 4)}
    return found


def refined(embedder: str, faces: Any, graph: Any) -> dict[str, Any]:
    """GCN-D, other methods with their defaults, and CDP at lower thresholds, before and after."""
    from personae.methods import CDP, FINCH, GCNDS, HAC, FaceMap, KMeans

    cosines = [round(float(tau), 3) for tau in np.quantile(graph.similarities, (0.9, 0.95, 0.98))]
    people = int(faces.truth.max()) + 1
    method = GCNDS.pretrained(embedder)
    others = {
        "GCN-D": method.people(faces, method.links(faces, graph=graph), graph),
        "K-means, true number": KMeans(people).fit(faces).labels_,
        "HAC, average, true number": HAC("average", n_clusters=people).fit(faces).labels_,
        "FaceMap": FaceMap().fit(faces).labels_,
        "FINCH": FINCH().fit(faces).labels_,
        **{f"CDP, tau = {tau}": CDP(tau=tau).fit(graph).labels_ for tau in cosines},
    }
    return {
        name: {
            "before": fs(faces.truth, labels),
            "after": fs(faces.truth, method.refine(faces, labels, graph=graph)),
        }
        for name, labels in others.items()
    }


def main() -> None:
    from personae import knn_graph, read_faces

    found = {}
    for embedder in EMBEDDERS:
        faces = read_faces(SHARED / "data" / f"lfw.{embedder}.npz")
        graph = knn_graph(faces, 80)
        found[embedder] = detection(embedder, faces, graph) | {"refined": refined(embedder, faces, graph)}
        print(embedder, found[embedder], flush=True)
    record("detection", {"set": "lfw", "results": found})


if __name__ == "__main__":
    main()
