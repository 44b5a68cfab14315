"""The people found: which faces belong together, in the order a reader wants them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from personae.clustering.suggestions import Suggestions
from personae.data.corrections import NUMBER
from personae.data.faceset import FaceSet, Sources
from personae.errors import InputError, listed
from personae.evaluation import Expected


@dataclass(frozen=True)
class Person:
    """Two distinct faces or more that belong together, or one that somebody named.

    number:     1 for the person with the most faces
    faces:      (n,) int64, rows of the FaceSet, best first; the first one represents the person
    photos:     how many photos show the person
    confidence: in [0, 1], the mean over the faces
    called:     the name that somebody gave, or a number that holds the faces together, or ""
    """

    number: int
    faces: NDArray[np.int64]
    photos: int
    confidence: float
    called: str = ""

    @property
    def name(self) -> str:
        """Person 1, Person 2, ... until somebody gives a name."""
        if not self.called or NUMBER.fullmatch(self.called):
            return f"Person {self.number}"
        return self.called


@dataclass(frozen=True)
class People:
    """N faces and the person each belongs to.

    faces:      N faces that know the photo they come from; the features are not read
    labels:     (N,) int32, 0 or more, which faces belong together; any numbering gives the same people
    confidence: (N,) float32 in [0, 1], how sure it is that the face belongs to its person
    thumbnails: N JPEGs, asked for one at a time and only when they are shown
    expected:   how good the grouping is likely to be, or None
    called:     what people are called, by label, as `personae.data.corrections` tells it
    suggested:  what is most likely wrong with the grouping, or None
    distinct:   (N,) int32, which of the distinct faces each face is, or None if none is a copy; with nobody but
                its copies a face is a lone one

    People are numbered by their faces, most first; among equals the one whose first face comes first. The
    number so depends on the faces, their order and the grouping alone. It is no name: photos added later can
    change it. Those who have a name keep it.

    The best face is the one of highest confidence x quality, the earlier one among equals: a face that is
    sharp, large and surely theirs. The medoid may be a blurred one, for blurred faces look alike, and
    finding it would read every feature.

    InputError: faces without sources, arrays that don't match, negative labels, confidence outside [0, 1], or
    a photo whose path would leave the photo folder.
    """

    faces: FaceSet
    labels: NDArray[np.int32]
    confidence: NDArray[np.float32]
    thumbnails: Sequence[bytes]
    expected: Expected | None = None
    called: Mapping[int, str] = field(default_factory=dict)
    suggested: Suggestions | None = None
    distinct: NDArray[np.int32] | None = None

    def __post_init__(self) -> None:
        n = len(self.faces)
        if self.labels.shape != (n,) or self.confidence.shape != (n,) or len(self.thumbnails) != n:
            raise InputError(
                f"{n:,} faces, labels {self.labels.shape}, confidence {self.confidence.shape}, "
                f"{len(self.thumbnails):,} thumbnails; give one of each a face, in the same order"
            )
        if self.distinct is not None and self.distinct.shape != (n,):
            raise InputError(f"{n:,} faces, but distinct {self.distinct.shape}; give one of each a face")
        if n and self.labels.min() < 0:
            raise InputError("labels hold -1; a lone face is a cluster of its own, give it a label of its own")
        if not ((self.confidence >= 0) & (self.confidence <= 1)).all():
            raise InputError("confidence leaves [0, 1]; give the probability that a face belongs to its person")
        outside = [repr(file) for file in self.sources.files if not stays_inside(file)]
        if outside:
            raise InputError(f"photos outside the photo folder: {listed(outside)}; name them relative to it")

    @property
    def sources(self) -> Sources:
        """Where the faces come from."""
        if self.faces.sources is None:
            raise InputError("the faces don't know their photos; give a FaceSet with sources")
        return self.faces.sources

    def photo(self, row: int) -> str:
        """The photo a face comes from, relative to the photo folder."""
        return self.sources.files[int(self.sources.file[row])]

    def span(self, row: int) -> tuple[float, float] | None:
        """Seconds of the first and the last look at a face in a video; None for a photo."""
        if self.sources.span is None or np.isnan(self.sources.span[row, 0]):
            return None
        return float(self.sources.span[row, 0]), float(self.sources.span[row, 1])

    def seconds_of(self, file: int) -> float:
        """Seconds of a video up to the last face in it, at least 1."""
        assert self.sources.span is not None  # there are videos
        return max(1.0, float(self.sources.span[self.sources.file == file, 1].max()))

    @cached_property
    def persons(self) -> tuple[Person, ...]:
        """Everyone with two distinct faces or more, or with a name, most faces first. O(N log N)."""
        clusters, first, of, sizes = np.unique(
            self.labels, return_index=True, return_inverse=True, return_counts=True
        )
        seen = np.unique(np.stack([of, self.sources.file]), axis=1)[0]  # one column a cluster and photo
        photos = np.bincount(seen, minlength=len(clusters))
        surety = np.bincount(of, weights=self.confidence, minlength=len(clusters)) / sizes
        members = np.split(np.lexsort((-self._worth, of)), np.cumsum(sizes)[:-1])
        called = [self.called.get(cluster, "") for cluster in clusters.tolist()]
        ranked = [c for c in np.lexsort((first, -sizes)) if self._in_person[first[c]]]
        return tuple(
            Person(number, members[c], int(photos[c]), float(surety[c]), called[c])
            for number, c in enumerate(ranked, 1)
        )

    @cached_property
    def lone(self) -> NDArray[np.int64]:
        """(n,) rows of the faces that belong with no other and have no name, most usable first; copies once."""
        first = np.unique(self.labels[self.of_nobody], return_index=True)[1]
        rows = self.of_nobody[np.sort(first)]
        return rows[np.argsort(-self.sources.quality[rows], kind="stable")]

    @property
    def of_nobody(self) -> NDArray[np.int64]:
        """(n,) rows of the lone faces and their copies."""
        return np.flatnonzero(~self._in_person)

    @cached_property
    def _in_person(self) -> NDArray[np.bool_]:
        """(N,) whether a face belongs with another one that is no copy of it, or has a name."""
        named = np.isin(self.labels, [label for label, name in self.called.items() if name])
        distinct = np.arange(len(self.labels)) if self.distinct is None else self.distinct
        pairs = np.unique(np.stack([self.labels, distinct]), axis=1)[0]  # one a cluster and distinct face
        clusters, sizes = np.unique(pairs, return_counts=True)
        return np.asarray(named | np.isin(self.labels, clusters[sizes > 1]))

    @property
    def _worth(self) -> NDArray[np.float32]:
        """(N,) how well a face stands for its person."""
        return self.confidence * self.sources.quality


def stays_inside(file: str) -> bool:
    """Whether a relative path names something in the folder it is joined to.

    >>> stays_inside("2019/party.jpg"), stays_inside("../party.jpg"), stays_inside("/etc/passwd")
    (True, False, False)
    """
    path = Path(file)
    return bool(path.name) and not path.anchor and ".." not in path.parts and "\0" not in file
