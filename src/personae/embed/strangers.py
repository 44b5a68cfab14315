"""Thirty people who do not exist, for a collection in which there are no strangers to measure."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from personae.embed.align import SIDE
from personae.embed.embedder import Embedder
from personae.embed.session import WEIGHTS

CROPS = "strangers.jpg"


def strangers(embedder: Embedder) -> NDArray[np.float32]:
    """(30, d) float32, unit features of people who are in nobody's photos, about a third of a second.

    The people were drawn with computer graphics, so any embedder can look at them and none was trained on
    them. Cosines of real faces with them spread like those with real strangers.
    """
    with Image.open(WEIGHTS / CROPS) as file:
        crops = np.asarray(file.convert("RGB")).reshape(-1, SIDE, SIDE, 3)
    return np.stack([embedder.embed(crop) for crop in crops])
