"""Collections of 2 to 100 faces, as a first try may have: `python -m benchmarks.few_faces`.

Of `lfw`, both embedders: strangers, one person, some people, people among strangers; and some who are all more
alike than strangers are elsewhere, as a family may be, made so by a direction that they share. Auto is given
people who are in none of the photos: those of `personae people` for SFace, and for dlib thirty of `train`.
Beside it Auto that is given none, and links above the threshold on cosines that SFace is published with. Twenty
draws each.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.default import percent, scores
from benchmarks.record import SHARED, record
from personae import Auto, FaceSet, knn_graph, read_faces
from personae.embed.embedder import sface
from personae.embed.strangers import strangers
from personae.graph.components import component_labels

ALONE = [1]
MORE_ALIKE = "people more alike"
ALIKE = {"sface": 0.2, "dlib": 0.09}  # of the square of their features, two and a half widths
SIZES = {
    "strangers alone": [ALONE * n for n in (2, 3, 5, 10, 20, 40)],
    "one person alone": [[n] for n in (2, 3, 5, 10, 20, 40)],
    "several people": [[2] * 2, [2] * 6, [3] * 2, [3] * 4, [4] * 5, [5] * 2, [5] * 8, [10] * 2, [20, 5, 5]],
    "people among strangers": [[2, 1], [3, 1, 1], [5, 3, 1], [10] + ALONE * 5, [5] * 3 + ALONE * 10],
    MORE_ALIKE: [ALONE * 10, [3] * 4, [5] * 3 + ALONE * 10, [5] * 8],
    f"{MORE_ALIKE}, 60 to 100 faces": [[10] * 6, [10] * 8, [10] * 10, [5] * 16],
}
DRAWS = 20
THRESHOLD = 0.363  # of SFace, https://github.com/opencv/opencv_zoo/tree/main/models/face_recognition_sface
OTHERS = 30  # people
WITHIN = 2  # points of BCubed F, of the expected one


def drawn(everybody: FaceSet, sizes: list[int], seed: int) -> FaceSet:
    """The faces of as many people as there are sizes."""
    draw, pictures = np.random.default_rng([seed, *sizes]), np.bincount(everybody.truth)
    used: list[int] = []
    rows = []
    for size in sizes:
        used.append(draw.choice(np.setdiff1d(np.flatnonzero(pictures >= size), used)))
        rows.append(draw.permutation(np.flatnonzero(everybody.truth == used[-1]))[:size])
    return everybody.take(draw.permutation(np.concatenate(rows)))


def more_alike(faces: FaceSet, share: float, seed: int) -> FaceSet:
    """The same people with a direction that all share, which is nobody's."""
    direction = np.random.default_rng(seed).normal(size=faces.dimension)
    shared = share**0.5 * direction / np.linalg.norm(direction)
    return FaceSet.of(shared + (1 - share) ** 0.5 * faces.features, truth=faces.truth)


def elsewhere(embedder: str) -> NDArray[np.float32]:
    """People who are in none of the photos."""
    if embedder == "sface":
        return strangers(sface())
    people = read_faces(SHARED / "data" / f"train.{embedder}.npz")
    _, first = np.unique(people.truth, return_index=True)
    return people.features[np.random.default_rng(0).permutation(first)[:OTHERS]]


Found = tuple[NDArray[np.int32], float | None]  # labels, and the BCubed F that is expected of them


def default(faces: FaceSet, others: NDArray[np.float32] | None = None) -> Found:
    method = Auto(strangers=others).fit(faces)
    return method.labels_, None if others is None else method.expected_.bcubed.f


def published(faces: FaceSet) -> Found:
    return component_labels(knn_graph(faces, len(faces) - 1).at_least(THRESHOLD)), None


def main() -> None:
    rows = []
    for embedder in ("sface", "dlib"):
        everybody, others = read_faces(SHARED / "data" / f"lfw.{embedder}.npz"), elsewhere(embedder)
        methods: dict[str, Callable[[FaceSet], Found]] = {
            "strangers given": partial(default, others=others),
            "none given": default,
        }
        if embedder == "sface":
            methods["published threshold"] = published
        for kind, several in SIZES.items():
            faces = [drawn(everybody, sizes, seed) for sizes in several for seed in range(DRAWS)]
            if kind.startswith(MORE_ALIKE):
                faces = [more_alike(some, ALIKE[embedder], seed) for seed, some in enumerate(faces)]
            for name, method in methods.items():
                labels, expected = zip(*map(method, faces), strict=True)
                found = [scores(*one)["bcubed_f"] for one in zip(faces, labels, strict=True)]
                right = percent(np.mean([f == 100 for f in found]))
                row = {"embedder": embedder, "collections": kind, "method": name, "right": right}
                row |= {"bcubed_f": percent(np.mean(found) / 100), "worst_bcubed_f": percent(min(found) / 100)}
                if None not in expected:
                    near = np.abs(100 * np.array(expected) - found) <= WITHIN
                    row["expected_within"] = percent(near.mean())
                print(row, flush=True)
                rows.append(row)
    record("few_faces", {"draws": DRAWS, "rows": rows})


if __name__ == "__main__":
    main()
