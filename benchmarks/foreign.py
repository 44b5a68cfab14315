"""How often features are refused as another embedder's, right and foreign ones: `python -m benchmarks.foreign`.

Sets of n faces of people whom neither the model nor the gallery has seen: strangers, one person, or some people
with most of their faces. Models are those for `train`; galleries hold one face of so many of its people.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.record import SHARED, record
from personae.data import FaceSet, read_faces
from personae.errors import InputError
from personae.link.geometry import Geometry

TRIES, SIZES, PEOPLE = 1000, (1, 2, 5, 12, 30, 64, 128), (50, 1286)
EMBEDDERS = ("sface", "dlib")
KINDS = ("strangers", "one person", "some people")


def chosen(truth: NDArray[np.int32], kind: str, n: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """(n,) rows of a set; fewer if there are not as many."""
    people = rng.permutation(np.unique(truth))
    if kind == "strangers":
        rows = rng.permutation(len(truth))
        return rows[np.unique(truth[rows], return_index=True)[1]][rng.permutation(len(people))[:n]]
    if kind == "one person":
        people = rng.permutation(np.flatnonzero(np.bincount(truth) >= n))[:1]
    else:
        people = people[: max(2, n // 4)]
    return rng.permutation(np.flatnonzero(np.isin(truth, people)))[:n]


def sets(faces: FaceSet, kind: str, n: int) -> Iterator[FaceSet]:
    """As many as are tried, less those that have too few faces."""
    rng = np.random.default_rng(n)
    assert faces.truth is not None
    for _ in range(TRIES):
        rows = chosen(faces.truth, kind, n, rng)
        if len(rows) == n:
            yield faces.take(rows)


def refuses(geometry: Geometry) -> Callable[[FaceSet], bool]:
    """Whether a model refuses."""

    def refused(faces: FaceSet) -> bool:
        try:
            geometry.check(faces)
        except InputError:
            return True
        return False

    return refused


def judges(embedder: str) -> dict[str, Callable[[FaceSet], bool]]:
    """A model, and galleries of several sizes."""
    held = read_faces(SHARED / "data" / f"train.{embedder}.npz")
    first = np.unique(held.truth, return_index=True)[1]
    first = np.random.default_rng(0).permutation(first)
    galleries = {f"gallery of {n:,}": Geometry.of(held.take(first[:n])).is_foreign for n in PEOPLE}
    return {"model": refuses(Geometry.of(held)), **galleries}


def main() -> None:
    rows: list[dict[str, Any]] = []
    for own in EMBEDDERS:
        by = judges(own)
        for other in EMBEDDERS:
            faces = read_faces(SHARED / "data" / f"lfw.{other}.npz")
            for kind in KINDS:
                for n in SIZES if kind == "strangers" else SIZES[1:]:
                    some = list(sets(faces, kind, n))
                    refused = {name: sum(map(judge, some)) for name, judge in by.items()}
                    rows.append({"of": own, "faces": other, "kind": kind, "n": n, "sets": len(some), **refused})
                    print(rows[-1], flush=True)
    record("foreign", {"tries": TRIES, "rows": rows})


if __name__ == "__main__":
    main()
