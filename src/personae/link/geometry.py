"""What tells an embedder's features from another's: how alike strangers are, and where their mean points.

A few photos of one person are as alike as strangers are in another embedder, so cosines alone tell little of a
small set. Where the features have a common part, though, every face has its share of it.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personae.data.faceset import FaceSet
from personae.errors import InputError

SAMPLE = 1024
APART = 0.1  # mean cosine that differs by less from that of strangers is of the same use
ALIKE = 0.75  # of the way from strangers to equal faces, which one person's hardly go
SURE, LIKELY = 6.0, 2.5  # widths from the common part; the latter for faces that are more alike than people are
MANY = 128  # faces that are hardly all one person where they are so alike


@dataclass(frozen=True)
class Geometry:
    """Of an embedder, by some of its faces.

    dimension: values a face
    strangers: mean cosine of random pairs
    common:    (d,) unit, where the mean of the faces points; empty if there are too few to tell
    level:     mean cosine of a face with the mean of the others
    spread:    standard deviation of that
    """

    dimension: int
    strangers: float
    common: tuple[float, ...] = ()
    level: float = 0.0
    spread: float = 1.0

    @classmethod
    def of(cls, faces: FaceSet) -> "Geometry":
        """Of these faces, from evenly spaced ones."""
        sample = _sampled(faces)
        n, total = len(sample), sample.sum(axis=0)
        if n < 3:
            return cls(faces.dimension, _mean_cosine(sample))
        others = total - sample
        shares = (sample * others).sum(axis=1) / np.maximum(np.linalg.norm(others, axis=1), 1e-9)
        common = total / max(np.linalg.norm(total), 1e-9)
        rounded = tuple(np.round(common, 4).tolist())
        return cls(faces.dimension, _mean_cosine(sample), rounded, float(shares.mean()), float(shares.std()))

    def check(self, faces: FaceSet) -> None:
        """InputError: these faces are of another embedder than the model was trained on.

        What counts for a model are cosines: faces whose cosines are those of strangers pass wherever their mean
        points.
        """
        if faces.dimension != self.dimension:
            raise InputError(
                f"the faces have {faces.dimension} values and the model was trained on {self.dimension}; "
                "it needs features of the same embedder"
            )
        found = _mean_cosine(_sampled(faces))
        odd = len(faces) > 1 and abs(found - self.strangers) > APART
        if odd and (self.is_foreign(faces) or self._all_equal(faces)):
            raise InputError(
                f"random faces have a mean cosine of {found:.2f} and {self.strangers:.2f} where the model was "
                "trained, and it is not that they are few people; these are another embedder's features, "
                "train on some of them"
            )

    def is_foreign(self, faces: FaceSet) -> bool:
        """Whether these faces, strangers or one person, are hardly of this embedder.

        Their mean lacks the common part by many widths, and is nearer to a direction of its own. One face of an
        embedder with a small common part is never foreign.
        """
        if not self.common:
            return False
        lacking, own = self._widths(faces)
        return lacking > max(LIKELY if len(faces) > 1 and self._are_alike(faces) else SURE, 2 * own)

    def _all_equal(self, faces: FaceSet) -> bool:
        """Whether very many faces are more alike than one person's, and have no common part to explain it."""
        if len(faces) < MANY or not self._are_alike(faces):
            return False
        lacking, own = self._widths(faces)
        return self.level < LIKELY * self.spread or lacking > own

    def _are_alike(self, faces: FaceSet) -> bool:
        return _mean_cosine(_sampled(faces)) - self.strangers > ALIKE * (1 - self.strangers)

    def _widths(self, faces: FaceSet) -> tuple[float, float]:
        """How much of the common part their mean lacks, and how much it has if it could point anywhere.

        A width is that of one face, times how much of the mean is not the common part: n strangers cancel each
        other out, n faces of one person don't.
        """
        mean = _sampled(faces).mean(axis=0)
        length = max(float(np.linalg.norm(mean)), 1e-6)
        share = float(mean @ np.array(self.common))
        left = math.sqrt(max(length**2 - share**2, 1e-6) / max(1 - share**2, 1e-6))
        lacking = (self.level - share) / max(self.spread * left, 1e-6)
        return lacking, abs(share) / length * math.sqrt(self.dimension)


def _sampled(faces: FaceSet) -> NDArray[np.float64]:
    rows = np.unique(np.linspace(0, len(faces) - 1, SAMPLE).astype(np.int64))
    return faces.features[rows].astype(np.float64)


def _mean_cosine(sample: NDArray[np.float64]) -> float:
    """Of all pairs, 0 if there are none."""
    n, total = len(sample), sample.sum(axis=0)
    return float((total @ total - (sample**2).sum()) / (n * (n - 1))) if n > 1 else 0.0
