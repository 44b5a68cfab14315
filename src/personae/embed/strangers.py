"""People who do not exist, for a collection in which there are too few strangers to measure."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from personae.embed.align import SIDE
from personae.embed.embedder import Embedder
from personae.embed.session import WEIGHTS

CROPS = "strangers.jpg"
USUAL = "strangers.npz"
DRAWN = 100


def strangers(embedder: Embedder) -> NDArray[np.float32]:
    """(M, d) float32, unit features of people who are in nobody's photos.

    Of SFace a hundred, drawn from the normal distribution with the mean and the covariance of its features of
    different people: real faces see them as they see real strangers. Of any other embedder those of `rendered`.
    """
    with np.load(WEIGHTS / USUAL) as held:
        if held["fingerprint"].tobytes() != embedder.fingerprint:
            return rendered(embedder)
        mean, factor = held["mean"].astype(np.float64), held["factor"].astype(np.float64)
    people = np.random.default_rng(0).normal(size=(DRAWN, len(mean))) @ factor.T + mean
    return np.asarray(people / np.linalg.norm(people, axis=1, keepdims=True), np.float32)


def rendered(embedder: Embedder) -> NDArray[np.float32]:
    """(30, d) float32, unit features of people drawn with computer graphics, about a third of a second.

    Any embedder can look at them, and none was trained on them. Cosines of real faces with them spread
    somewhat less than those with real strangers.
    """
    with Image.open(WEIGHTS / CROPS) as file:
        crops = np.asarray(file.convert("RGB")).reshape(-1, SIDE, SIDE, 3)
    return np.stack([embedder.embed(crop) for crop in crops])
