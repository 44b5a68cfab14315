"""Small collections, for the models that come along: `python -m benchmarks.albums`.

Of each set some people are drawn, most of whom are there once or twice, as in an album. The models learned from
`train`, of which neither set holds people but a few. Beside them the default method, which learns nothing. Rows
of other methods in the results stay.
"""

import argparse
import json

import numpy as np

from benchmarks.record import RESULTS, SHARED, record

EMBEDDERS = ("sface", "dlib")
SETS = ("train_small", "lfw")
PEOPLE = (60, 120, 300)
DRAWS = 4
AT_MOST = 40  # faces a person


def main() -> None:
    from personae import Auto, evaluate, read_faces
    from personae.methods import LEARNED

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", nargs="*", default=["auto", *LEARNED])
    names = parser.parse_args().methods
    file = RESULTS / "albums.json"
    before = json.loads(file.read_text())["rows"] if file.is_file() else []
    rows = []
    for name in names:
        for embedder in EMBEDDERS:
            method = Auto() if name == "auto" else LEARNED[name].pretrained(embedder)
            for source in SETS:
                whole = read_faces(SHARED / "data" / f"{source}.{embedder}.npz")
                for people in PEOPLE:
                    scores, faces = [], []
                    for draw in range(DRAWS):
                        album = whole.take(drawn(whole.truth, people, draw))
                        labels = method.fit_predict(album) if name == "auto" else method.predict(album)
                        scores.append(evaluate(album.truth, labels))
                        faces.append(len(album))
                    row = {
                        "method": name,
                        "embedder": embedder,
                        "set": source,
                        "people": people,
                        "faces": round(np.mean(faces)),
                        "pairwise_f": round(100 * float(np.mean([score.pairwise.f for score in scores])), 2),
                        "bcubed_f": round(100 * float(np.mean([score.bcubed.f for score in scores])), 2),
                    }
                    print(row, flush=True)
                    rows.append(row)
    rows += [row for row in before if row["method"] not in names]
    order = ["auto", *LEARNED]
    rows.sort(key=lambda row: (order.index(row["method"]), EMBEDDERS.index(row["embedder"])))
    record("albums", {"draws": DRAWS, "rows": rows})


def drawn(truth: np.ndarray, people: int, draw: int) -> np.ndarray:
    """The faces of an album: so many people, each with a few of their faces."""
    rng = np.random.default_rng([draw, people])
    sizes = np.bincount(truth)
    most = np.zeros(len(sizes), dtype=np.int64)
    most[rng.permutation(np.flatnonzero(sizes))[:people]] = np.minimum(rng.zipf(1.6, people), AT_MOST)
    rows = rng.permutation(len(truth))
    rows = rows[np.argsort(truth[rows], kind="stable")]
    place = np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return rng.permutation(rows[place < most[truth[rows]]])


if __name__ == "__main__":
    main()
