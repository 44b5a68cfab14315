"""A small data set, written in the format of the learned clustering literature."""

import numpy as np

from personae import knn_graph
from tests.planted import made_faces


def write_part(folder, name, faces, k):
    """features/NAME.bin, labels/NAME.meta and knns/NAME/faiss_k_K.npz with distances and the face itself."""
    for kind in ("features", "labels", f"knns/{name}"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    faces.features.astype("<f4").tofile(folder / "features" / f"{name}.bin")
    (folder / "labels" / f"{name}.meta").write_text("".join(f"{person}\n" for person in faces.truth))
    graph = knn_graph(faces, k - 1)
    itself = np.arange(len(faces))[:, None]
    numbers = np.hstack([itself, graph.neighbors]).astype(np.float32)
    distances = np.hstack([np.zeros(itself.shape), 1 - graph.similarities]).astype(np.float32)
    data = np.stack([numbers, distances], axis=1)
    np.savez_compressed(folder / "knns" / name / f"faiss_k_{k}.npz", data=data)


def write_set(folder, names, k):
    """Parts of other people each, of 24 values; the first is to learn from."""
    made = []
    for seed, name in enumerate(names):
        faces = made_faces([12] * 5 + [6] * 15 + [2] * 10, d=24, spread=0.4, seed=seed)
        write_part(folder, name, faces, k)
        made.append(faces)
    return made
