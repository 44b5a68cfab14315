"""People whose faces we made, so that the answer is known."""

import numpy as np

from personae.data import FaceSet


def made_faces(sizes: list[int], *, d: int = 64, spread: float = 0.6, seed: int = 0) -> FaceSet:
    """People of these sizes in random order; strangers have cosines near 0, mates near 1 / (1 + spread^2)."""
    rng = np.random.default_rng(seed)
    truth = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    centres = rng.normal(size=(len(sizes), d)) / np.sqrt(d)
    return FaceSet.of(centres[truth] + spread * rng.normal(size=(len(truth), d)) / np.sqrt(d), truth)
