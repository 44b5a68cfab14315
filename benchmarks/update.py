"""Collections that grow beside a full run: `python -m benchmarks.update`.

Real faces in random order come in twenty batches, to `personae.update` as it is, and to one that never looks at
all faces again. Then batches of made identities come to a large collection.
"""

import time
from typing import Any

import numpy as np

from benchmarks.record import SHARED, record
from personae import Auto, FaceSet, SyntheticIdentities, evaluate, read_faces, synthetic_faces
from personae.scale import Gallery, update

SETS = ("lfw.sface", "lfw.dlib", "train.sface", "train.dlib")
BATCHES = 20
SEEDS = (0, 1, 2)
LARGE = (20_000, 100_000)
NEW = (100, 1000)


def fed(name: str, seed: int) -> list[dict[str, Any]]:
    """One set in batches."""
    faces = read_faces(SHARED / "data" / f"{name}.npz")
    faces = faces.take(np.random.default_rng(seed).permutation(len(faces)))
    batches = np.array_split(faces.features, BATCHES)
    began = time.perf_counter()
    whole = Auto().fit(faces).labels_
    rows = [{"way": "cluster", **scores(faces, whole), "seconds": since(began)}]
    for way, renew in (("update", True), ("update, renew=False", False)):
        gallery, seconds, moved = Gallery.of(batches[0]), [], []
        for batch in batches[1:]:
            began, before = time.perf_counter(), gallery
            gallery = update(before, batch, renew=renew)
            seconds.append(since(began))
            moved.append(100 * float((gallery.labels[: len(before)] != before.labels).mean()))
        rows.append(
            {
                "way": way,
                **scores(faces, gallery.labels),
                "seconds": round(sum(seconds), 2),
                "median_seconds": float(np.median(seconds)),
                "other_ids": round(float(np.mean(moved)), 3),
            }
        )
    return [{"set": name, "seed": seed, **row} for row in rows]


def grown_large(faces: int) -> list[dict[str, Any]]:
    """Batches of a few sizes that come to many faces."""
    made = synthetic_faces(SyntheticIdentities(faces=faces + max(NEW)))
    began = time.perf_counter()
    gallery = Gallery.of(made.features[:faces])
    full = since(began)
    whole = scores(made.take(np.arange(faces)), gallery.labels)
    rows = []
    for new in NEW:
        began = time.perf_counter()
        after = update(gallery, made.features[faces : faces + new])
        took = since(began)
        here = made.take(np.arange(len(after)))
        times = {"full_seconds": full, "seconds": took}
        rows.append({"faces": faces, "new": new, **times, "before": whole, "after": scores(here, after.labels)})
    return rows


def scores(faces: FaceSet, labels: np.ndarray[Any, Any]) -> dict[str, float]:
    found = evaluate(faces.truth, labels)
    return {"pairwise_f": round(100 * found.pairwise.f, 2), "bcubed_f": round(100 * found.bcubed.f, 2)}


def since(began: float) -> float:
    return round(time.perf_counter() - began, 2)


def main() -> None:
    small = synthetic_faces(SyntheticIdentities(faces=600, people=150))
    update(Gallery.of(small.features[:500]), small.features[500:])  # compiled before the clock runs
    rows: list[dict[str, Any]] = []
    large: list[dict[str, Any]] = []
    for name in SETS:
        for seed in SEEDS:
            rows += fed(name, seed)
            print(*rows[-3:], sep="\n", flush=True)
    for faces in LARGE:
        large += grown_large(faces)
        print(*large[-len(NEW) :], sep="\n", flush=True)
    record("update", {"batches": BATCHES, "rows": rows, "large": large})


if __name__ == "__main__":
    main()
