"""YuNet: where are the faces in a picture, and their eyes, nose and mouth?

Wu, Peng, Yu, "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research 2023. The network
says for each cell of three grids how sure it is of a face there, and where its box and landmarks lie.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from personae.embed.session import WEIGHTS, open_session

STRIDES = (8, 16, 32)  # pixels a cell of each grid
FINE = 1600 * 1200  # pixels of the look for small faces
COARSE = 320 * 320  # pixels of the look for faces that fill the picture; YuNet is trained on 10 to 300 pixels
COARSE_FROM = 400 * 400  # pixels from which a face can be too large for the fine look
SURE = 0.7  # below it half of what comes is hands, backs of heads and slivers of faces
OVERLAP = 0.3  # boxes that share more of their union are the same face
MOST = 5000  # candidates that enter the comparison of boxes

Float = NDArray[np.float32]


@dataclass(frozen=True)
class Detections:
    """F faces, surest first.

    boxes:     (F, 4) float32, left, top, width, height, pixels
    landmarks: (F, 5, 2) float32, x and y of eyes, nose, corners of the mouth, each left to right, pixels
    scores:    (F,) float32 in [0, 1]
    """

    boxes: Float
    landmarks: Float
    scores: Float

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, rows: NDArray[Any]) -> "Detections":
        """The faces `rows` (indices or a mask), in that order."""
        return Detections(self.boxes[rows], self.landmarks[rows], self.scores[rows])

    def scaled(self, x: float, y: float) -> "Detections":
        """The same faces in a picture `x` times as wide and `y` times as high."""
        if x == y == 1:
            return self
        by = np.array([x, y, x, y], np.float32)
        return Detections(self.boxes * by, self.landmarks * by[:2], self.scores)

    @classmethod
    def joined(cls, parts: Sequence["Detections"]) -> "Detections":
        """The faces of all parts, one part after the other."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            np.concatenate([NOTHING.boxes, *(part.boxes for part in parts)]),
            np.concatenate([NOTHING.landmarks, *(part.landmarks for part in parts)]),
            np.concatenate([NOTHING.scores, *(part.scores for part in parts)]),
        )

    def distinct(self) -> "Detections":
        """One detection a face: each, surest first, unless a surer one kept before covers it."""
        first = self.take(np.argsort(-self.scores, kind="stable")[:MOST])
        return first.take(np.array(apart(first.boxes), dtype=np.intp))


NOTHING = Detections(np.empty((0, 4), np.float32), np.empty((0, 5, 2), np.float32), np.empty(0, np.float32))


@dataclass(frozen=True)
class Detector:
    """YuNet with the settings above; `fingerprint` changes with anything that could change its findings."""

    session: Any
    fingerprint: bytes

    def find(self, picture: Image.Image) -> Detections:
        """All faces of an RGB picture, in its pixels. Memory: about 40 bytes a pixel of the `FINE` look."""
        width, height = picture.size
        seen = [self.look(look).scaled(width / look.width, height / look.height) for look in looks(picture)]
        return within(Detections.joined(seen).distinct(), picture.size)

    def look(self, picture: Image.Image) -> Detections:
        """All candidates at this very size, many to a face."""
        pixels = padded(picture)
        outputs = dict(zip(OUTPUTS, self.session.run(OUTPUTS, {"input": pixels}), strict=True))
        return decode(outputs, pixels.shape[3])


OUTPUTS = [f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in STRIDES]


@cache
def yunet() -> Detector:
    """The shipped detector, loaded once."""
    model = (WEIGHTS / "yunet.onnx").read_bytes()
    settings = repr((FINE, COARSE, COARSE_FROM, SURE, OVERLAP, MOST)).encode()
    return Detector(open_session(model), blake2b(model + settings, digest_size=16).digest())


def looks(picture: Image.Image) -> list[Image.Image]:
    """The picture at one or two sizes: fine for small faces, coarse for those that fill it."""
    shown = [shrunk(picture, FINE)]
    if picture.width * picture.height > COARSE_FROM:
        shown.append(shrunk(shown[0], COARSE))
    return shown


def shrunk(picture: Image.Image, most: int) -> Image.Image:
    """The picture with about `most` pixels, averaged down; itself if it has no more."""
    scale = (most / (picture.width * picture.height)) ** 0.5
    if scale >= 1:
        return picture
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.BILINEAR)


def padded(picture: Image.Image) -> Float:
    """(1, 3, H, W) float32 in 0..255, blue first, zeros below and to the right up to multiples of 32."""
    width, height = picture.size
    grid = STRIDES[-1]
    pixels = np.zeros((1, 3, -(-height // grid) * grid, -(-width // grid) * grid), np.float32)
    for channel, band in enumerate(reversed(picture.split())):
        pixels[0, channel, :height, :width] = np.asarray(band)
    return pixels


def decode(outputs: Mapping[str, Float], width: int) -> Detections:
    """The cells at `SURE` or above as faces, by grid and cell.

    outputs: for each stride s, over the cells of a grid row by row: cls_s and obj_s (1, cells, 1) in [0, 1];
             bbox_s (1, cells, 4), centre from the cell's corner and log of the size; kps_s (1, cells, 10)
             from the cell's corner; all in cells
    width:   pixels of the padded picture
    """
    grids: list[Detections] = []
    for stride in STRIDES:
        face, here = outputs[f"cls_{stride}"][0, :, 0], outputs[f"obj_{stride}"][0, :, 0]
        cells = np.flatnonzero(face * here >= SURE**2)
        if not len(cells):
            continue
        row, column = np.divmod(cells, width // stride)
        corner = np.stack([column, row], axis=1).astype(np.float32)
        offsets = outputs[f"bbox_{stride}"][0, cells]
        size = np.exp(np.minimum(offsets[:, 2:], 10))
        boxes = np.concatenate([corner + offsets[:, :2] - size / 2, size], axis=1)
        landmarks = corner[:, None] + outputs[f"kps_{stride}"][0, cells].reshape(-1, 5, 2)
        scores = np.minimum(np.sqrt(face[cells] * here[cells]), 1)
        grids.append(Detections(boxes * np.float32(stride), landmarks * np.float32(stride), scores))
    return Detections.joined(grids)


def apart(boxes: Float) -> list[int]:
    """Rows to keep, in order: a box goes if it overlaps one kept before it by more than `OVERLAP`."""
    left_top, size = boxes[:, :2], boxes[:, 2:]
    right_bottom, area = left_top + size, size.prod(axis=1)
    open_rows = np.ones(len(boxes), bool)
    kept: list[int] = []
    for row in range(len(boxes)):
        if not open_rows[row]:
            continue
        kept.append(row)
        shared = np.minimum(right_bottom, right_bottom[row]) - np.maximum(left_top, left_top[row])
        both = np.maximum(shared, 0).prod(axis=1)
        open_rows &= both <= OVERLAP * (area + area[row] - both)
    return kept


def within(found: Detections, size: tuple[int, int]) -> Detections:
    """Boxes cut off at the edges; faces with the middle outside or all landmarks at one place are left out."""
    edge = np.array(size, np.float32)
    left_top, extent = found.boxes[:, :2], found.boxes[:, 2:]
    middle = left_top + extent / 2
    spread = (found.landmarks != found.landmarks[:, :1]).any(axis=(1, 2))
    inside = ((middle >= 0) & (middle < edge)).all(axis=1) & spread
    start = np.maximum(left_top, 0)
    boxes = np.concatenate([start, np.minimum(left_top + extent, edge) - start], axis=1)
    return Detections(boxes, found.landmarks, found.scores).take(inside)
