"""How usable is a face? One number from how sure, how large and how sharp it is."""

import numpy as np
from numpy.typing import NDArray

FACE = (slice(16, 104), slice(16, 96))  # rows and columns of the crop that show skin in every pose
GREEN = 1  # the channel that carries most of the brightness, and the sharpest of most cameras
UNSURE, SURE = 0.6, 0.95  # detection scores that count as 0 and as 1
HALF_SIZE = 0.2  # pixels of the picture along a pixel of the crop at which size counts half
HALF_SHARPNESS = 0.1  # sharpness that counts half; faces in focus have 0.1 to 0.3


def quality(score: float, source_pixels: float, crop: NDArray[np.uint8]) -> float:
    """In [0, 1]: the geometric mean of three parts, each 0 for useless and towards 1 for as good as it gets.

    score:         of the detection, in [0, 1]; the part is linear from 0.6 to 0.95
    source_pixels: pixels of the picture along one pixel of the crop; the part is s / (s + 0.2)
    crop:          (112, 112, 3) uint8; the part is h / (h + 0.1) of its sharpness h

    The three numbers were set on faces that were blurred and shrunk on purpose: the mean falls as the
    similarity to other photos of the same person falls.
    """
    sure = min(max((score - UNSURE) / (SURE - UNSURE), 0.0), 1.0)
    size = source_pixels / (source_pixels + HALF_SIZE)
    edges = sharpness(crop)
    return float((sure * size * edges / (edges + HALF_SHARPNESS)) ** (1 / 3))


def sharpness(crop: NDArray[np.uint8]) -> float:
    """Strength of the finest structure over that of all structure, so that dark faces are not called blurred.

    The standard deviation of the Laplacian over that of the values themselves; 0 for a plain area.
    """
    light = crop[FACE][..., GREEN].astype(np.float32)
    middle = light[1:-1, 1:-1]
    finest = light[1:-1, 2:] + light[1:-1, :-2] + light[2:, 1:-1] + light[:-2, 1:-1] - 4 * middle
    spread = float(light.std())
    return float(finest.std()) / spread if spread > 0 else 0.0
