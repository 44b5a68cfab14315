"""Tracks with bad frames, and what learns to look away from them: `python -m benchmarks.films`.

A film is made of photos: 5 to 15 faces of one person, drawn at random, are a track; half as many pairs of
tracks as there are tracks, of two people each, are taken to overlap in time. 40 % of the frames are bad: one
half of those shows somebody else of the film, the other loses 50 to 100 % of its feature to a blur, which is
a face that is the same for all frames of the film, and another one a frame, both of people left over. There
are two directions, as in `benchmarks.balls`, and three seeds, which draw tracks, bad frames and weights. Then
the same without bad frames.

Every method sees the film alone and is given its constraints. Where nobody says how many people there are, the
vectors of all methods are cut by the rule of `VideoTransformer`: `Auto`, asked for few false pairs. Then the
number is told, and average linkage joins down to it. `BallClusters` is trained on the people of the other
side. Written to benchmarks/results/films.json.
"""

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.balls import LONGEST, SEEDS, SHORTEST, scores
from benchmarks.learned import DIRECTIONS, EMBEDDERS, sides
from benchmarks.record import RESULTS, record

SHARES = (0.4, 0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--embedders", nargs="*", default=EMBEDDERS)
    parser.add_argument("--shares", nargs="*", type=float, default=SHARES)
    chosen = parser.parse_args()
    file = RESULTS / "films.json"
    rows = json.loads(file.read_text())["rows"] if file.is_file() else []
    for share in chosen.shares:
        for embedder in chosen.embedders:
            for direction in reversed(DIRECTIONS):
                for seed in SEEDS:
                    key = {"direction": direction, "embedder": embedder, "bad": share, "seed": seed}
                    found = compared(direction, embedder, share, seed)
                    rows = [row for row in rows if not key.items() <= row.items()] + [
                        key | row for row in found
                    ]
                    for row in found:
                        print(key | row, flush=True)
                    record("films", {"rows": rows})


def compared(direction: str, embedder: str, share: float, seed: int) -> list[dict[str, Any]]:
    """A row a method."""
    from personae.methods.estimator import people_of

    learn, test = sides(direction, embedder)
    rng = np.random.default_rng(seed)
    film_of(learn, share, rng)  # not looked at; the films stay those of earlier results
    film = film_of(test, share, rng)
    frames, held, truth = film
    apart = apart_in(held, len(truth))
    rows = []
    for name, learned in learners(seed).items():
        began = time.perf_counter()
        vectors = learned(frames, held)
        seconds = round(time.perf_counter() - began, 1)
        for told, clusters in ((False, None), (True, int(truth.max()) + 1)):
            found = scores(truth, people_of(vectors, apart, n_clusters=clusters))
            rows.append({"method": name, "number": told, "seconds": seconds, **found})
    return rows + chained(film) + in_balls(learn, film, seed)


def film_of(faces: Any, share: float, rng: np.random.Generator) -> tuple[Any, Any, NDArray[np.int32]]:
    """The frames, the constraints, and whose each track is."""
    from personae import Constraints, FaceSet

    rows, whose = [], []
    for person in np.unique(faces.truth):
        left = rng.permutation(np.flatnonzero(faces.truth == person))
        while len(left) >= SHORTEST:
            length = int(rng.integers(SHORTEST, LONGEST + 1))
            rows.append(left[:length])
            whose.append(person)
            left = left[length:]
    track = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    truth = np.unique(whose, return_inverse=True)[1].astype(np.int32)
    clean = faces.features[np.concatenate(rows)].astype(np.float64)
    rest = np.setdiff1d(np.arange(len(faces)), np.concatenate(rows))
    frames = spoiled(clean, truth[track], faces.features[rest].astype(np.float64), share, rng)
    groups = np.split(np.arange(len(track)), np.flatnonzero(np.diff(track)) + 1)
    pairs = rng.integers(0, len(truth), (len(truth) // 2, 2))
    pairs = pairs[truth[pairs[:, 0]] != truth[pairs[:, 1]]]
    first = np.array([group[0] for group in groups])
    return FaceSet.of(frames.astype(np.float32)), Constraints.of(len(track), groups, first[pairs]), truth


def spoiled(
    clean: NDArray[np.float64],
    person: NDArray[np.int32],
    others: NDArray[np.float64],
    share: float,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """The frames, of which this share is bad; `others` are faces that are in no track."""
    kind = rng.random(len(clean))
    somebody = rng.integers(0, len(clean), len(clean))
    wrong = (kind < share / 2) & (person[somebody] != person)
    blurred = (kind >= share / 2) & (kind < share)
    blur = 0.8 * others[rng.integers(0, len(others))] + 0.6 * others[rng.integers(0, len(others), len(clean))]
    blur /= np.linalg.norm(blur, axis=1, keepdims=True)
    lost = rng.uniform(0.5, 1, (len(clean), 1))
    frames = np.where(blurred[:, None], (1 - lost) * clean + lost * blur, clean)
    return np.where(wrong[:, None], clean[somebody], frames)


def learners(seed: int) -> dict[str, Callable[[Any, Any], NDArray[np.float32]]]:
    """What makes one vector a track of frames and constraints."""
    from personae import Siamese, VideoTransformer
    from personae.methods.estimator import tracks_of

    def average(frames: Any, held: Any) -> NDArray[np.float32]:
        return np.asarray(tracks_of(frames, held)[0].features)

    def centred(frames: Any, held: Any) -> NDArray[np.float32]:
        from personae.link.film import Film

        return Film.of(frames.features, held).means.numpy()

    def by(method: Any) -> Callable[[Any, Any], NDArray[np.float32]]:
        return lambda frames, held: method.fit(frames, constraints=held).tracks_

    return {
        "temporal average": average,
        "temporal average, film's mean taken off": centred,
        "Siamese, tracks (after TSiam)": by(Siamese("tracks", seed=seed)),
        "Siamese, ranked (after SSiam)": by(Siamese("ranked", seed=seed)),
        "VideoTransformer": by(VideoTransformer(seed=seed)),
    }


def apart_in(held: Any, tracks: int) -> Any:
    """The constraints between tracks."""
    from personae import Constraints

    return Constraints.of(tracks, apart=held.group[held.apart])


def chained(film: tuple[Any, Any, NDArray[np.int32]]) -> list[dict[str, Any]]:
    """C1C, which learns nothing and needs no threshold."""
    from personae import C1C

    frames, held, truth = film
    first = np.unique(held.group, return_index=True)[1]
    rows = []
    for told, clusters in ((False, None), (True, int(truth.max()) + 1)):
        began = time.perf_counter()
        labels = C1C(clusters).fit(frames, constraints=held).labels_[first]
        seconds = round(time.perf_counter() - began, 1)
        rows.append({"method": "C1C", "number": told, "seconds": seconds, **scores(truth, labels)})
    return rows


def in_balls(known: Any, film: tuple[Any, Any, NDArray[np.int32]], seed: int) -> list[dict[str, Any]]:
    """BallClusters trained on the faces of the others, as it is and fine-tuned on the film."""
    from personae import BallClusters

    frames, held, truth = film
    first = np.unique(held.group, return_index=True)[1]
    balls = BallClusters(seed=seed).fit(known)
    rows = []
    for name in ("BallClusters", "BallClusters, fine-tuned"):
        began = time.perf_counter()
        method = balls if name == "BallClusters" else balls.fine_tuned(frames, constraints=held)
        labels = method.predict(frames, constraints=held)[first]
        seconds = round(time.perf_counter() - began, 1)
        rows.append({"method": name, "number": False, "seconds": seconds, **scores(truth, labels)})
    return rows


if __name__ == "__main__":
    main()
