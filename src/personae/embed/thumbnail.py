"""A small picture of a face, to show to people."""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 112  # pixels
CONTEXT = 1.5  # side of the square around a face, in longer sides of its box
MOST_BYTES = 4096
QUALITIES = (60, 40, 20, 5)  # of the JPEG; the first that is small enough


def thumbnail(picture: Image.Image, box: NDArray[np.float32]) -> bytes:
    """A square JPEG of at most 4 KB, the face in the middle as far as the picture goes.

    box: (4,) left, top, width, height, pixels of `picture`
    """
    left, top, width, height = (float(value) for value in box)
    side = min(max(CONTEXT * max(width, height), 1.0), *picture.size)
    x = min(max(left + width / 2 - side / 2, 0.0), picture.width - side)
    y = min(max(top + height / 2 - side / 2, 0.0), picture.height - side)
    square = picture.resize(
        (SIDE, SIDE), Image.Resampling.BILINEAR, box=(x, y, x + side, y + side), reducing_gap=2.0
    )
    for quality in QUALITIES:
        written = BytesIO()
        square.save(written, "JPEG", quality=quality)
        if written.tell() <= MOST_BYTES:
            break
    return written.getvalue()
