"""From five landmarks to the 112 x 112 crop that face embedders of the ArcFace family are trained on.

The transform is the least-squares similarity of Umeyama, "Least-Squares Estimation of Transformation Parameters
Between Two Point Patterns", PAMI 1991; the template is the one of Deng et al., "ArcFace", CVPR 2019.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 112  # pixels
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
"""Where the eyes, the tip of the nose and the corners of the mouth go, left to right in the picture, pixels."""


def similarity_transforms(landmarks: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """(F, 2, 3) float64, the matrix of each face that takes (x, y, 1) in the picture to (x, y) in the crop.

    landmarks: (F, 5, 2) pixels of the picture, in the order of `TEMPLATE`, not all at one place

    A rotation with scaling is the multiplication by one complex number, so the best one is a complex
    regression through the two centres; it never mirrors.
    """
    points = landmarks[..., 0] + 1j * landmarks[..., 1].astype(np.float64)  # (F, 5)
    target = TEMPLATE[:, 0] + 1j * TEMPLATE[:, 1]  # (5,)
    centre = points.mean(axis=1)  # (F,)
    spread = points - centre[:, None]
    turn = (spread.conj() @ (target - target.mean())) / (np.abs(spread) ** 2).sum(axis=1)
    shift = target.mean() - turn * centre
    rows = [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]]
    return np.array(rows).transpose(2, 0, 1)


def source_pixels(transforms: NDArray[np.float64]) -> NDArray[np.float64]:
    """(F,) pixels of the picture along one pixel of the crop; below 1 the crop enlarges the face."""
    return 1 / np.hypot(transforms[:, 0, 0], transforms[:, 1, 0])


def crop_face(picture: Image.Image, transform: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(112, 112, 3) uint8, the face upright at its place; black where the picture ends.

    transform: (2, 3) as of `similarity_transforms`

    Bilinear. A face much larger than the crop is averaged down by a whole factor first, since bilinear reads
    only four pixels and would pick up noise and moiré from the rest.
    """
    (a, b, tx), (c, d, ty) = transform.tolist()
    area = a * d - b * c
    a, b, c, d = d / area, -b / area, -c / area, a / area  # from the crop to the picture
    tx, ty = -a * tx - b * ty, -c * tx - d * ty
    # Pillow counts from the corners of pixels, the landmarks from their middles.
    tx, ty = tx + 0.5 - (a + b) / 2, ty + 0.5 - (c + d) / 2
    factor = int(abs(area) ** -0.5 + 0.5)
    if factor > 1:
        across, down = (0, a, b, a + b), (0, c, d, c + d)  # the corners of the crop, in its sides
        left = max(0, int(tx + SIDE * min(across)) - factor)
        top = max(0, int(ty + SIDE * min(down)) - factor)
        right = min(picture.width, int(tx + SIDE * max(across)) + factor)
        bottom = min(picture.height, int(ty + SIDE * max(down)) + factor)
        if left >= right or top >= bottom:
            return np.zeros((SIDE, SIDE, 3), np.uint8)
        picture = picture.reduce(factor, (left, top, right, bottom))
        a, b, tx, c, d, ty = (value / factor for value in (a, b, tx - left, c, d, ty - top))
    crop = picture.transform(
        (SIDE, SIDE), Image.Transform.AFFINE, (a, b, tx, c, d, ty), Image.Resampling.BILINEAR
    )
    return np.asarray(crop)
