"""Pictures that are nearly the same, as bursts and edited copies are: `python -m benchmarks.bursts`.

People of `lfw` and of `train`, four pictures of each or three, both embedders. Each picture stands in the
collection many times, moved by noise, so that two of a moment are `near` times as far from each other as
strangers are. Auto runs as it comes; beside it what it makes of one picture of each moment, and the oracle on
all: the map equation or components on cosines, whichever threshold the labels say is best.
"""

from collections.abc import Iterator

import numpy as np

from benchmarks.default import percent, scores
from benchmarks.families import best
from benchmarks.record import SHARED, record
from personae import Auto, FaceSet, knn_graph, read_faces

PEOPLE = (5, 20, 100)
PICTURES, LEAST = 4, 3  # of a person, at most and at least
NEAR = (0.02, 0.05, 0.08, 0.12, 0.2)  # of the distance of strangers, 1 - cosine
TIMES = (5, 30)
K = 80


def collections(embedder: str) -> Iterator[FaceSet]:
    """A few pictures of a few people."""
    for source in ("lfw", "train"):
        faces = read_faces(SHARED / "data" / f"{source}.{embedder}.npz")
        draw = np.random.default_rng(0)
        for people in PEOPLE:
            who = draw.choice(np.flatnonzero(np.bincount(faces.truth) >= LEAST), people, replace=False)
            rows = [draw.permutation(np.flatnonzero(faces.truth == one))[:PICTURES] for one in who]
            yield faces.take(np.concatenate(rows))


def repeated(faces: FaceSet, times: int, near: float) -> FaceSet:
    """Each face so many times."""
    draw = np.random.default_rng(0)
    cosines = (faces.features @ faces.features.T)[np.triu_indices(len(faces), 1)]
    moved = draw.normal(size=(times * len(faces), faces.dimension))
    moved *= np.sqrt(near * (1 - np.median(cosines)) / faces.dimension)
    return FaceSet.of(np.repeat(faces.features, times, axis=0) + moved, np.repeat(faces.truth, times))


def main() -> None:
    rows = []
    for embedder in ("sface", "dlib"):
        sets = list(collections(embedder))
        once = [scores(faces, Auto().fit_predict(faces)) for faces in sets]
        for near in NEAR:
            for times in TIMES:
                runs = []
                for faces in (repeated(some, times, near) for some in sets):
                    graph = knn_graph(faces, K)
                    auto = scores(faces, Auto().fit(faces, graph=graph).labels_)
                    runs.append([*auto.values(), *best(faces, graph).values()])
                means = [percent(mean / 100) for mean in np.mean(runs, axis=0)]
                names = ("pairwise_f", "bcubed_f", "oracle_pairwise_f", "oracle_bcubed_f")
                row = {
                    "embedder": embedder,
                    "near": near,
                    "times": times,
                    **dict(zip(names, means, strict=True)),
                }
                row["worst_bcubed_f"] = percent(min(run[1] for run in runs) / 100)
                for name in ("pairwise_f", "bcubed_f"):
                    row[f"once_{name}"] = percent(float(np.mean([one[name] for one in once])) / 100)
                print(row, flush=True)
                rows.append(row)
    record("bursts", {"people": PEOPLE, "rows": rows})


if __name__ == "__main__":
    main()
