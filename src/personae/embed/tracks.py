"""Tracks: the faces of one person through the frames of a shot.

A face goes on with the track that it overlaps and looks like, or that it looks very much like; a cut ends every
track. How alike strangers are is read from the thirty people of `rendered`, so any embedder will do.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.optimize import linear_sum_assignment

from personae.embed.embedder import Embedder
from personae.embed.faces import Face
from personae.embed.strangers import rendered

OVERLAP = 0.3  # of two boxes, shared over joined, from which a face is at the same place
REACH = 2.0  # longer sides of a face that it may have moved where it does not overlap
GAP = 2  # looks at which a track may miss its face
GRID = (32, 18)  # pixels to which a frame is reduced to tell a cut
LEVELS = 4  # of each colour in the histogram of those
CUT = 0.5  # of the pixels have another colour than before: a cut

Float = NDArray[np.float32]


@dataclass(frozen=True)
class Likeness:
    """How alike two faces have to be to be one track's, as cosines of an embedder.

    same_place: nine of ten pairs of strangers are less alike
    elsewhere:  all of them are
    """

    same_place: float
    elsewhere: float

    @classmethod
    def of(cls, embedder: Embedder) -> "Likeness":
        """Of strangers as this embedder sees them; a third of a second."""
        people = rendered(embedder)
        cosines = (people @ people.T)[np.triu_indices(len(people), 1)]
        return cls(float(np.quantile(cosines, 0.9)), float(cosines.max()))


@dataclass
class Track:
    """The faces of one person in a shot, in the order of time.

    times:    seconds from the start of the video
    features: unit, one a time
    last:     (4,) the latest box, pixels
    best:     the face of highest quality
    missed:   looks since the latest face
    """

    times: list[float]
    features: list[Float]
    last: Float
    best: Face
    missed: int = 0
    total: Float = field(default_factory=lambda: np.empty(0, np.float32))

    @classmethod
    def begun(cls, time: float, face: Face, feature: Float) -> "Track":
        """A track of one face."""
        return cls([time], [feature], face.box, face, total=feature.copy())

    def follow(self, time: float, face: Face, feature: Float) -> None:
        """Goes on with this face."""
        self.times.append(time)
        self.features.append(feature)
        self.total += feature
        self.last, self.missed = face.box, 0
        if face.quality > self.best.quality:
            self.best = face

    @property
    def mean(self) -> Float:
        """(d,) the mean of the features, at length 1."""
        length = float(np.linalg.norm(self.total))
        return self.total / length if length > 0 else self.features[0]


class Tracker:
    """Puts the faces of one frame after the other into tracks; memory is that of the tracks."""

    def __init__(self, likeness: Likeness) -> None:
        self.likeness = likeness
        self.tracks: list[Track] = []
        self._open: list[Track] = []
        self._colors: NDArray[np.float64] | None = None

    def look(self, time: float, picture: Image.Image, faces: Sequence[Face], features: Float) -> None:
        """The faces of the next frame, features (F, d)."""
        colors = histogram(picture)
        if self._colors is not None and np.abs(colors - self._colors).sum() / 2 > CUT:
            self._open = []
        self._colors = colors
        for track in self._open:
            track.missed += 1
        followed = self._matches(faces, features)
        for row, face in enumerate(faces):
            if row in followed:
                followed[row].follow(time, face, features[row])
            else:
                track = Track.begun(time, face, features[row])
                self.tracks.append(track)
                self._open.append(track)
        self._open = [track for track in self._open if track.missed <= GAP]

    def _matches(self, faces: Sequence[Face], features: Float) -> dict[int, Track]:
        """Which face goes on with which track, such that overlap and likeness are largest in all."""
        if not (faces and self._open):
            return {}
        boxes, lasts = np.stack([face.box for face in faces]), np.stack([track.last for track in self._open])
        alike = features @ np.stack([track.mean for track in self._open]).T
        shared = overlap(boxes, lasts)
        likely = (shared >= OVERLAP) & (alike >= self.likeness.same_place)
        likely |= within_reach(boxes, lasts) & (alike >= self.likeness.elsewhere)
        score = np.where(likely, 1 + shared + alike, 0)
        pairs = zip(*linear_sum_assignment(score, maximize=True), strict=True)
        return {int(row): self._open[at] for row, at in pairs if likely[row, at]}


def overlap(one: Float, other: Float) -> Float:
    """(A, B) the shared part of the joined area of boxes (A, 4) and (B, 4): left, top, width, height."""
    start = np.maximum(one[:, None, :2], other[None, :, :2])
    end = np.minimum((one[:, :2] + one[:, 2:])[:, None], (other[:, :2] + other[:, 2:])[None])
    both = np.maximum(end - start, 0).prod(axis=2)
    area = one[:, 2:].prod(axis=1)[:, None] + other[:, 2:].prod(axis=1)[None]
    return np.asarray(both / np.maximum(area - both, 1e-9), np.float32)


def within_reach(one: Float, other: Float) -> NDArray[np.bool_]:
    """(A, B) whether the middles are at most `REACH` longer sides apart."""
    middles = (one[:, :2] + one[:, 2:] / 2)[:, None] - (other[:, :2] + other[:, 2:] / 2)[None]
    side = np.maximum(one[:, 2:].max(axis=1)[:, None], other[:, 2:].max(axis=1)[None])
    return np.asarray(np.linalg.norm(middles, axis=2) <= REACH * side)


def histogram(picture: Image.Image) -> NDArray[np.float64]:
    """(LEVELS^3,) the shares of the colours of a frame."""
    pixels = np.asarray(picture.resize(GRID, Image.Resampling.BOX)).reshape(-1, 3) // (256 // LEVELS)
    colors = pixels.astype(np.int64) @ np.array([LEVELS * LEVELS, LEVELS, 1])
    return np.bincount(colors, minlength=LEVELS**3) / len(colors)
