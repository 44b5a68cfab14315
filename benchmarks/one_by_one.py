"""New faces one by one in a large gallery, beside an HNSW index: `python -m benchmarks.one_by_one`.

Made identities. What an update takes, in processor seconds: the search among all faces and the whole.
Beside it what HNSW takes to add the same faces and to look for their neighbors, for several beams; it does not
tell whose lists the new faces belong on.
"""

import time
from collections.abc import Callable
from typing import Any

import faiss
import numpy as np

from benchmarks.record import record
from personae import Gallery, SyntheticIdentities, synthetic_faces, update
from personae.graph.grown import grown

FACES, NEW, K = 100_000, (1, 10, 100, 1000), 80
BEAMS = (80, 320, 1280)


def taken(work: Callable[[], Any]) -> tuple[Any, float]:
    """What it returns, and processor seconds."""
    began = time.process_time()
    found = work()
    return found, round(time.process_time() - began, 3)


def main() -> None:
    small = synthetic_faces(SyntheticIdentities(faces=600, people=150)).features
    update(Gallery.of(small[:500]), small[500:])  # compiled before the clock runs
    made = synthetic_faces(SyntheticIdentities(faces=FACES + sum(NEW)))
    features, truth = np.ascontiguousarray(made.features, np.float32), made.truth
    gallery, full = taken(lambda: Gallery.of(features[:FACES]))
    index = faiss.IndexHNSWFlat(features.shape[1], 32, faiss.METRIC_INNER_PRODUCT)
    _, build = taken(lambda: index.add(features[:FACES]))
    grown(gallery.graph, features[: FACES + 1], K)
    rows: list[dict[str, Any]] = []
    for new in NEW:
        first = index.ntotal
        faces = features[first : first + new]
        graph, search = taken(lambda faces=faces: grown(gallery.graph, np.r_[gallery.features, faces], K))
        _, whole = taken(lambda faces=faces: update(gallery, faces, renew=False))
        _, added = taken(lambda faces=faces: index.add(faces))
        own = graph.neighbors[FACES:]
        mates = truth[np.where(own < FACES, own, own - FACES + first)] == truth[first : first + new, None]
        beams = []
        for beam in BEAMS:
            index.hnsw.efSearch = beam
            found, asked = taken(lambda faces=faces: index.search(faces, K + 1)[1])
            found = np.where(found >= first, found - first + FACES, found)
            held = (found[:, None, :] == own[:, :, None]).any(axis=2)
            recalls = {"recall_at_k": held.mean()}
            if mates.any():
                recalls["same_identity_recall"] = held[mates].mean()
            beams.append({"beam": beam, "search": asked, **{a: round(float(b), 4) for a, b in recalls.items()}})
        rows.append({"new": new, "grown": search, "update": whole, "hnsw_add": added, "beams": beams})
        print(rows[-1], flush=True)
    about = {"faces": FACES, "d": features.shape[1], "k": K, "full": full, "hnsw_build": build}
    record("one_by_one", {**about, "rows": rows})


if __name__ == "__main__":
    main()
