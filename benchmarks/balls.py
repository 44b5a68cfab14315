"""Ball Cluster Learning on tracks of people it has not seen: `python -m benchmarks.balls`.

Tracks are 5 to 15 faces of one person drawn at random, told by their mean feature; nobody says how many people
there are. Two directions: learned from `train`, tested on `lfw`; learned from half of the identities of `lfw`,
tested on `train`. Beside BallClusters with its learned radius: HAC with average and complete linkage, cut at
the threshold that is best (mean of pairwise and BCubed F) on all tracks of the training identities. Three
seeds, which draw the tracks and the weights. Written to benchmarks/results/balls.json.
"""

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.learned import DIRECTIONS, EMBEDDERS, sides
from benchmarks.record import record

SEEDS = (1, 2, 3)
SHORTEST, LONGEST = 5, 15  # faces of a track
TAUS = {"sface": np.arange(0.30, 0.80, 0.02), "dlib": np.arange(0.90, 0.995, 0.005)}
LINKAGES = ("average", "complete")


def main() -> None:
    rows: list[dict[str, Any]] = []
    for direction in reversed(DIRECTIONS):
        for embedder in EMBEDDERS:
            for seed in SEEDS:
                found = compared(direction, embedder, seed)
                rows += found
                for row in found:
                    print(row, flush=True)
                record("balls", {"rows": rows})


def compared(direction: str, embedder: str, seed: int) -> list[dict[str, Any]]:
    """A row a method."""
    from personae import HAC, BallClusters, FaceSet
    from personae.graph.all_pairs import all_cosines, merges_of_pairs

    learn, test = sides(direction, embedder)
    rng = np.random.default_rng(seed)
    (known, who), (tracks, truth) = (in_tracks(side, rng) for side in (learn, test))
    began = time.perf_counter()
    balls = BallClusters(seed=seed).fit(learn)
    seconds = time.perf_counter() - began
    about = {"direction": direction, "embedder": embedder, "seed": seed, "tracks": len(truth)}
    rows = [
        {
            "method": "BallClusters",
            "tau": round(balls.model_.tau, 3),
            **scores(truth, balls.predict(tracks)),
            "train_seconds": round(seconds, 1),
        }
    ]
    for linkage in LINKAGES:
        merges = merges_of_pairs(all_cosines(FaceSet.of(known).features), linkage)
        tried = [(scores(who, merges.at_least(tau)), tau) for tau in TAUS[embedder]]
        _, tau = max(tried, key=lambda pair: pair[0]["pairwise_f"] + pair[0]["bcubed_f"])
        labels = HAC(linkage, tau).fit_predict(tracks)
        rows.append({"method": f"HAC, {linkage}", "tau": round(float(tau), 3), **scores(truth, labels)})
    return [about | row for row in rows]


def in_tracks(faces: Any, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """The mean features of tracks and whose they are; what is left of a person after them is left out."""
    means, whose = [], []
    for person in np.unique(faces.truth):
        rows = rng.permutation(np.flatnonzero(faces.truth == person))
        while len(rows) >= SHORTEST:
            length = int(rng.integers(SHORTEST, LONGEST + 1))
            means.append(faces.features[rows[:length]].astype(np.float64).mean(axis=0))
            whose.append(person)
            rows = rows[length:]
    return np.array(means, np.float32), np.unique(whose, return_inverse=True)[1].astype(np.int32)


def scores(truth: NDArray[np.int32], labels: NDArray[np.int32]) -> dict[str, Any]:
    """Percent, and the number of clusters beside that of people."""
    from sklearn.metrics import normalized_mutual_info_score

    from personae.evaluation import bcubed, pairwise

    right = sum(np.bincount(truth[labels == one]).max() for one in range(int(labels.max()) + 1))
    shares = {
        "pairwise_f": pairwise(truth, labels).f,
        "bcubed_f": bcubed(truth, labels).f,
        "nmi": normalized_mutual_info_score(truth, labels),
        "wcp": right / len(truth),
    }
    counts = {"clusters": int(labels.max()) + 1, "people": int(truth.max()) + 1}
    return {name: round(100 * float(share), 2) for name, share in shares.items()} | counts


if __name__ == "__main__":
    main()
