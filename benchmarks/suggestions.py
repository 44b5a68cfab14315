"""What `personae.clustering.suggestions` knows, and whether it holds: `python -m benchmarks.suggestions`.

Learned from half of the people of `train`, put together in six ways and in two spaces each, both embedders;
held to the other half, and to an album of `lfw`. There the questions are answered with the truth as well, and
the people are looked for once more. Some ten minutes.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from benchmarks import collections as drawn
from benchmarks.expected import first_half
from benchmarks.record import record
from personae import Auto, Constraints, FaceSet, knn_graph
from personae.clustering.looks import AS_ASKED, Looks
from personae.clustering.suggestions import LEARNED, LIKELY, Suggestions, near_groups, signs
from personae.evaluation import bcubed

K = 80
NEAREST = -2.5  # gaps below say nothing
ASKED = 30  # questions that are answered, of each of the two sorts
CAPS: dict[str, drawn.Caps] = {
    "album": drawn.album(150, 30),
    "long tail": drawn.tail,
    "70 % lone": drawn.alone(0.7),
    "90 % lone": drawn.alone(0.9),
    "5 each": drawn.balanced(5),
    "24 large": drawn.largest(24),
}
SPACES = (drawn.as_it_is, drawn.noisy)
LOOKS = {"as asked": AS_ASKED, "ten times fewer false links": AS_ASKED + 2}


class Example(NamedTuple):
    """Gaps of groups and faces, as `suggestions` reads them, and what is true of them."""

    gap: NDArray[np.float64]
    one: NDArray[np.bool_]
    signs: NDArray[np.float64]
    elsewhere: NDArray[np.bool_]


def second_half(caps: drawn.Caps) -> drawn.Caps:
    """Of the people that `first_half` leaves."""

    def halved(count: NDArray[np.intp], draw: np.random.Generator) -> NDArray[np.intp]:
        half = first_half(drawn.whole)(count, draw) == 0
        some = np.zeros(len(count), dtype=np.intp)
        some[half] = caps(count[half], draw)
        return some

    return halved


def learned() -> dict[str, list[float]]:
    """Slopes and intercept of both curves."""
    found = []
    for embedder in ("sface", "dlib"):
        for kind, caps in CAPS.items():
            for space in SPACES:
                name = f"{kind}, {space.__name__}"
                print("learning from", embedder, name, flush=True)
                faces = drawn.Collection(name, f"train.{embedder}", first_half(caps), space).faces(0)
                found.append(example(faces, looks_at(faces)))
    gap, one, told, elsewhere = (np.concatenate(values) for values in zip(*found, strict=True))
    return {"one": curve(gap[:, None], one), "elsewhere": curve(told, elsewhere)}


def looks_at(faces: FaceSet) -> Looks:
    return Auto().looks(faces, knn_graph(faces, min(K, len(faces) - 1)))


def example(faces: FaceSet, looks: Looks) -> Example:
    labels, floor, truth = looks.labels(AS_ASKED), looks.floors[AS_ASKED], identities(faces)
    pairs, near = near_groups(labels, faces.features, looks.strangers)
    near -= floor
    asked = near > NEAREST
    who = people(labels, truth)[pairs[asked]]
    rows = np.flatnonzero(np.bincount(labels)[labels] > 1)
    told = np.stack(signs(labels, rows, faces.features, looks.strangers, floor), axis=1)
    return Example(near[asked], who[:, 0] == who[:, 1], told, is_stray(labels, truth)[rows])


def identities(faces: FaceSet) -> NDArray[np.int32]:
    assert faces.truth is not None
    return faces.truth


def people(labels: NDArray[np.int32], truth: NDArray[np.int32]) -> NDArray[np.intp]:
    """(C,) who most faces of each group are."""
    table = np.zeros((labels.max() + 1, truth.max() + 1), np.int32)
    np.add.at(table, (labels, truth), 1)
    return np.asarray(table.argmax(axis=1))


def is_stray(labels: NDArray[np.int32], truth: NDArray[np.int32]) -> NDArray[np.bool_]:
    """(N,) whether a face is another person than half of the others of its group, or more."""
    table = np.zeros((labels.max() + 1, truth.max() + 1), np.int32)
    np.add.at(table, (labels, truth), 1)
    same, others = table[labels, truth] - 1, table.sum(axis=1)[labels] - 1
    return np.asarray(2 * same < others)


def curve(values: NDArray[np.float64], happened: NDArray[np.bool_]) -> list[float]:
    found = LogisticRegression(C=1e3, max_iter=1000).fit(values, happened)
    return [round(float(value), 3) for value in (*found.coef_[0], found.intercept_[0])]


def held_out() -> Iterator[tuple[str, FaceSet]]:
    for embedder in ("sface", "dlib"):
        for kind, caps in CAPS.items():
            name, source = f"{kind}, other people", f"train.{embedder}"
            yield (
                f"{kind}, {embedder}",
                drawn.Collection(name, source, second_half(caps), drawn.as_it_is).faces(0),
            )
        album = drawn.Collection("album of 400 people", f"lfw.{embedder}", drawn.album(400, 40), drawn.as_it_is)
        yield f"lfw album, {embedder}", album.faces(0)


def held(faces: FaceSet) -> dict[str, Any]:
    """What was suggested, what was right of it, and F before and after it is answered."""
    looks, truth = looks_at(faces), identities(faces)
    row: dict[str, Any] = {"faces": len(faces)}
    for name, rung in LOOKS.items():
        labels, asked = looks.labels(rung), looks.suggestions(rung)
        who, size = people(labels, truth), np.bincount(labels)
        groups = (size[asked.pairs] > 1).all(axis=1)
        right = who[asked.pairs[:, 0]] == who[asked.pairs[:, 1]]
        row[name] = {
            "groups": of(right[groups], asked.one[groups]),
            "lone faces": of(right[~groups], asked.one[~groups]),
            "strays": of(is_stray(labels, truth)[asked.strays], asked.elsewhere),
            "f": bcubed(truth, labels).f,
        }
    first = looks.suggestions(AS_ASKED)
    known = answered(first, looks.labels(AS_ASKED), truth)
    after = Auto().fit(faces, graph=looks.graph, constraints=known).labels_
    row["answered"] = {"questions": min(len(first.pairs), ASKED) + min(len(first.strays), ASKED)}
    row["answered"]["f"] = bcubed(truth, after).f
    return row


def of(right: NDArray[np.bool_], told: NDArray[np.float64]) -> dict[str, float]:
    return {"asked": len(right), "right": int(right.sum()), "expected": round(float(told.sum()), 1)}


def answered(asked: Suggestions, labels: NDArray[np.int32], truth: NDArray[np.int32]) -> Constraints:
    """What somebody who knows the people says to the first questions of each sort."""
    who = people(labels, truth)
    sure = [np.flatnonzero((labels == group) & (truth == person)) for group, person in enumerate(who)]
    together, apart = [], []
    for a, b in asked.pairs[:ASKED]:
        if who[a] == who[b]:
            together.append(np.r_[sure[a], sure[b]])
        else:
            apart.append((sure[a][0], sure[b][0]))
    for face in asked.strays[:ASKED]:
        group = labels[face]
        if truth[face] == who[group]:
            together.append(np.r_[face, sure[group][:4]])
        else:
            apart.append((face, sure[group][0]))
    return Constraints.of(len(labels), together, apart)


def main() -> None:
    LEARNED.write_text(json.dumps(learned(), indent=1) + "\n")
    rows = {}
    for name, faces in held_out():
        rows[name] = held(faces)
        print(name, rows[name], flush=True)
    record("suggestions", {"likely": LIKELY, "rows": rows})


if __name__ == "__main__":
    main()
