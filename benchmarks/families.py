"""Albums in which one person has most of the pictures: `python -m benchmarks.families`.

Of `lfw`, both embedders: one person with half to nineteen twentieths of the faces; half of the others are
there once, the rest are pictures of six people. Auto runs as it comes; the oracle is the map equation or
components on cosines, whichever threshold the labels say is best. Three draws each; means.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from benchmarks.default import percent, scores
from benchmarks.record import SHARED, record
from personae import Auto, FaceSet, KnnGraph, knn_graph, read_faces
from personae.clustering.map_equation import MapEquation
from personae.graph.components import component_labels

FACES = (30, 60, 100, 200, 400)
SHARES = (0.5, 0.7, 0.8, 0.85, 0.9, 0.95)
OTHERS = 6  # people who are there more than once
DRAWS = 3
CUTS = np.r_[np.linspace(0, 0.96, 17), 0.98, 0.99, 0.997]  # quantiles of the links' cosines


@cache
def whole(embedder: str) -> FaceSet:
    return read_faces(SHARED / "data" / f"lfw.{embedder}.npz")


def album(embedder: str, faces: int, share: float, seed: int) -> FaceSet:
    everybody, draw = whole(embedder), np.random.default_rng([seed, faces, round(1000 * share)])
    sizes = np.bincount(everybody.truth)
    most = round(faces * share)
    several, alone = (faces - most) // 2, (faces - most + 1) // 2
    among = np.bincount(np.arange(several) % OTHERS, minlength=OTHERS)
    child = draw.choice(np.flatnonzero(sizes >= most))
    people = draw.permutation(np.setdiff1d(np.flatnonzero(sizes), child))
    able = people[sizes[people] >= among.max(initial=1)][:OTHERS]
    wanted = [(child, most), *zip(able, among, strict=True)]
    wanted += [(person, 1) for person in np.setdiff1d(people, able, assume_unique=True)[:alone]]
    rows = [draw.permutation(np.flatnonzero(everybody.truth == person))[:count] for person, count in wanted]
    return everybody.take(draw.permutation(np.concatenate(rows)))


def best(faces: FaceSet, graph: KnnGraph) -> dict[str, float]:
    cuts = np.maximum(np.quantile(graph.similarities, CUTS), 1e-6)
    found: list[NDArray[np.int32]] = []
    for cut in cuts:
        links = graph.at_least(cut)
        found += [MapEquation().cluster(links), component_labels(links)]
    return max((scores(faces, labels) for labels in found), key=lambda one: sum(one.values()))


def main() -> None:
    rows = []
    for embedder in ("sface", "dlib"):
        for share in SHARES:
            runs = []
            for faces in (album(embedder, n, share, seed) for n in FACES for seed in range(DRAWS)):
                graph = knn_graph(faces, min(80, len(faces) - 1))
                auto = scores(faces, Auto().fit(faces, graph=graph).labels_)
                runs.append([*auto.values(), *best(faces, graph).values()])
            means = [percent(mean / 100) for mean in np.mean(runs, axis=0)]
            names = ("pairwise_f", "bcubed_f", "oracle_pairwise_f", "oracle_bcubed_f")
            row = {"embedder": embedder, "share": share, **dict(zip(names, means, strict=True))}
            row["worst_bcubed_f"] = percent(min(run[1] for run in runs) / 100)
            print(row, flush=True)
            rows.append(row)
    record("families", {"faces": FACES, "draws": DRAWS, "rows": rows})


if __name__ == "__main__":
    main()
