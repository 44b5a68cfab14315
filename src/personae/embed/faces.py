"""The faces of one photo: found, aligned, described; and then embedded."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from personae.embed.align import crop_face, similarity_transforms, source_pixels
from personae.embed.embedder import Embedder
from personae.embed.picture import DRAFTS, Picture, PixelAllowance, decode, open_photo, shrink_to
from personae.embed.quality import quality
from personae.embed.thumbnail import thumbnail
from personae.embed.yunet import FINE, Detections, Detector

STAGES = ("read", "detect", "align", "embed", "describe")


@dataclass(frozen=True)
class Face:
    """One face of a photo.

    box:       (4,) float32, left, top, width, height, pixels of the upright photo
    landmarks: (5, 2) float32, eyes, nose, corners of the mouth, pixels of the upright photo
    score:     in [0, 1], how sure the detector is
    quality:   in [0, 1], how usable the face is
    crop:      (112, 112, 3) uint8, what the embedder is to see
    thumbnail: a small JPEG
    """

    box: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    score: float
    quality: float
    crop: NDArray[np.uint8]
    thumbnail: bytes


class Stopwatch:
    """Seconds spent in each stage by the thread that holds it."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(STAGES, 0.0)

    @contextmanager
    def measuring(self, stage: str) -> Iterator[None]:
        """Adds the time of the block to `stage`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += time.perf_counter() - start


@dataclass(frozen=True)
class Lens:
    """What looks at photos: a detector, an embedder, and how many pixels may be in memory."""

    detector: Detector
    embedder: Embedder
    allowance: PixelAllowance

    def faces_in(self, file: BinaryIO, watch: Stopwatch) -> list[Face]:
        """The faces of a photo, from left to right.

        BrokenPhotoError, MissingExtraError: as of `open_photo` and `decode`.
        """
        with watch.measuring("read"):
            photo = open_photo(file)
            shrink = shrink_to(photo, FINE)
        with self.allowance.taking(photo.width * photo.height // shrink**2):
            with watch.measuring("read"):
                picture = decode(photo, shrink)
            with watch.measuring("detect"):
                found = self.detector.find(picture.image)
            finer = finer_shrink(found, shrink)
            if finer == shrink:
                return self.described(picture, found, watch)
        with self.allowance.taking(photo.width * photo.height // finer**2):
            with watch.measuring("read"):
                coarse = picture.image.size
                del picture  # before the finer one is there
                picture = decode(open_photo(file), finer)
            found = found.scaled(picture.image.width / coarse[0], picture.image.height / coarse[1])
            return self.described(picture, found, watch)

    def faces_of(self, picture: Picture, watch: Stopwatch) -> list[Face]:
        """The faces of a picture that is decoded already, from left to right."""
        with self.allowance.taking(picture.image.width * picture.image.height):
            with watch.measuring("detect"):
                found = self.detector.find(picture.image)
            return self.described(picture, found, watch)

    def described(self, picture: Picture, found: Detections, watch: Stopwatch) -> list[Face]:
        """A face for each detection, from left to right, all lengths in pixels of the photo itself."""
        found = found.take(np.lexsort((found.boxes[:, 1], found.boxes[:, 0])))
        whole = found.scaled(picture.size[0] / picture.image.width, picture.size[1] / picture.image.height)
        rows = range(len(found))
        with watch.measuring("align"):
            transforms = similarity_transforms(found.landmarks)
            sizes = source_pixels(transforms)
            crops = [crop_face(picture.image, transform) for transform in transforms]
        with watch.measuring("describe"):
            usable = [quality(float(found.scores[row]), float(sizes[row]), crops[row]) for row in rows]
            small = [thumbnail(picture.image, found.boxes[row]) for row in rows]
        return [
            Face(
                box=whole.boxes[row],
                landmarks=whole.landmarks[row],
                score=float(whole.scores[row]),
                quality=usable[row],
                crop=crops[row],
                thumbnail=small[row],
            )
            for row in rows
        ]

    def features_of(self, faces: Sequence[Face], watch: Stopwatch) -> NDArray[np.float32]:
        """(F, d) float32, the unit features of faces. InputError: as of `Embedder.embed`."""
        with watch.measuring("embed"):
            features = [self.embedder.embed(face.crop) for face in faces]
        return np.array(features, np.float32).reshape(len(faces), self.embedder.dimension)


def finer_shrink(found: Detections, shrink: int) -> int:
    """The factor at which no face would be enlarged that the photo itself has pixels for; at most `shrink`."""
    if shrink == 1 or not len(found):
        return shrink
    smallest = float(source_pixels(similarity_transforms(found.landmarks)).min()) * shrink
    return next((by for by in DRAFTS if by <= min(smallest, shrink)), 1)
