"""What is known of faces beforehand: which are surely one person, and which are surely, or likely, two."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from personae.data.faceset import Sources
from personae.errors import InputError

HARD = 1.0
ONE_PHOTO = 0.9  # of two faces in one photo: collages, mirrors and posters are about one pair in ten


@dataclass(frozen=True)
class Constraints:
    """Must-links and cannot-links between N faces; made by `of`, `of_photos` and `of_moments`, joined by `|`.

    group:  (N,) int32, faces of one number are one person, 0..G-1
    apart:  (P, 2) int32, faces a < b that are two people, sorted, each pair once
    weight: (P,) float32 in (0, 1]; 1 is a hard pair, which no clusterer ever joins; a soft one takes this share
            of the similarity of its two faces away, and others may still join them
    """

    group: NDArray[np.int32]
    apart: NDArray[np.int32]
    weight: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.group)

    @classmethod
    def of(
        cls,
        faces: int,
        together: Iterable[Sequence[int] | NDArray[np.integer]] = (),
        apart: ArrayLike = (),
        weight: float | ArrayLike = HARD,
    ) -> "Constraints":
        """Of `faces` faces, those of each group of `together` are one person, the pairs of `apart` are not.

        together: groups of rows; groups that share a face are one
        apart:    (P, 2) rows
        weight:   of the pairs, one for all or one each; of a pair given twice the larger one holds

        InputError: no groups or pairs, rows that are no whole numbers or not there, a weight outside (0, 1], a
        hard pair within one group.

        >>> Constraints.of(4, together=[[0, 1]], apart=[[2, 1]]).group
        array([0, 0, 1, 2], dtype=int32)
        """
        ties, pairs = _groups(together), _pairs(apart)
        rows = np.concatenate([*ties, pairs.reshape(-1)])
        if len(rows) and not 0 <= rows.min() <= rows.max() < faces:
            raise InputError(
                f"constraints name faces from {rows.min()} to {rows.max()}; "
                f"{faces:,} faces are 0 to {faces - 1}"
            )
        weights = np.broadcast_to(np.asarray(weight, dtype=np.float32), len(pairs))
        if not ((weights > 0) & (weights <= HARD)).all():
            raise InputError("constraints have a weight outside 0 to 1; 1 is a hard pair, less a soft one")
        left = np.concatenate([np.empty(0, np.int64), *(group[:-1] for group in ties)])
        right = np.concatenate([np.empty(0, np.int64), *(group[1:] for group in ties)])
        links = coo_array((np.ones(len(left), np.int8), (left, right)), shape=(faces, faces))
        group = connected_components(links, directed=False)[1].astype(np.int32)
        return cls(group, *_settled(group, pairs, weights))

    @classmethod
    def of_photos(cls, sources: Sources, weight: float = ONE_PHOTO) -> "Constraints":
        """Two faces in one photo are two people, but for collages and mirrors; tracks are left out."""
        still = np.arange(len(sources.file))
        if sources.span is not None:
            still = np.flatnonzero(np.isnan(sources.span[:, 0]))
        return cls.of(len(sources.file), apart=_pairs_within(sources.file[still], still), weight=weight)

    @classmethod
    def of_moments(
        cls, track: NDArray[np.integer], moment: NDArray[np.integer], faces: int | None = None
    ) -> "Constraints":
        """Two tracks that are in one frame together are two people, for sure.

        track:  (F,) which track each frame's face belongs to
        moment: (F,) the frame, of whichever video, that shows it
        faces:  N, if the tracks are what is clustered, numbered 0..N-1; without it the F faces themselves are,
                and those of one track are one person
        """
        if faces is not None:
            return cls.of(faces, apart=_pairs_within(moment, track))
        rows = np.arange(len(track))
        groups = np.split(np.argsort(track, kind="stable"), np.flatnonzero(np.diff(np.sort(track))) + 1)
        return cls.of(len(track), together=groups, apart=_pairs_within(moment, rows))

    def __or__(self, other: "Constraints") -> "Constraints":
        """What either of the two says. InputError: they are of different faces, or contradict each other."""
        if len(self) != len(other):
            raise InputError(
                f"constraints are of {len(self):,} and of {len(other):,} faces; give both of the same"
            )
        group = self.group_with(other.group)
        pairs = np.concatenate([self.apart, other.apart]).astype(np.int64)
        return Constraints(group, *_settled(group, pairs, np.concatenate([self.weight, other.weight])))

    def over(self, known: "Constraints") -> "Constraints":
        """These constraints and pairs that are known otherwise; where they contradict each other these hold."""
        torn = self.group[known.apart]
        kept = torn[:, 0] != torn[:, 1]
        return Constraints(known.group, known.apart[kept], known.weight[kept]) | self

    def group_with(self, other: NDArray[np.int32]) -> NDArray[np.int32]:
        """(N,) int32, `group` if faces of one number in `other`, (N,), are one person as well."""
        faces, groups = len(self), int(self.group.max(initial=-1)) + 1
        rows = np.arange(faces)
        links = coo_array(
            (np.ones(2 * faces, np.int8), (np.tile(rows, 2), np.r_[self.group, other + groups] + faces)),
            shape=(3 * faces, 3 * faces),
        )
        part = connected_components(links, directed=False)[1][:faces]
        return np.unique(part, return_inverse=True)[1].astype(np.int32).reshape(-1)

    def of_distinct(self, first: NDArray[np.int64], of: NDArray[np.int32]) -> "Constraints":
        """What is known of distinct faces by that which is known of their copies.

        first: (M,) the distinct faces
        of:    (N,) which of these each face is a copy of

        InputError: faces that a hard pair holds apart become one person by their copies.
        """
        group = np.unique(self.group_with(of)[first], return_inverse=True)[1].astype(np.int32)
        return Constraints(group, *_settled(group, of[self.apart].astype(np.int64), self.weight))

    def take(self, rows: NDArray[np.intp]) -> "Constraints":
        """What is known of some faces alone, numbered anew in the order of `rows`.

        A pair speaks of all that are one person with its faces: for one who is left out the first who is not
        stands in.
        """
        place = np.full(int(self.group.max(initial=-1)) + 1, -1, np.int32)
        place[self.group[rows[::-1]]] = np.arange(len(rows))[::-1]  # of several the first one stays
        place = place[self.group]
        place[rows] = np.arange(len(rows))
        pairs = place[self.apart]
        kept = (pairs >= 0).all(axis=1)
        group = np.unique(self.group[rows], return_inverse=True)[1].astype(np.int32)
        return Constraints(group, *_settled(group, pairs[kept].astype(np.int64), self.weight[kept]))

    def with_free(self, faces: int) -> "Constraints":
        """The same of more faces behind these, of whom nothing is known."""
        groups = int(self.group.max(initial=-1)) + 1
        free = np.arange(groups, groups + faces, dtype=np.int32)
        return Constraints(np.concatenate([self.group, free]), self.apart, self.weight)

    @property
    def hard(self) -> NDArray[np.int32]:
        """(H, 2) int32, the pairs of weight 1."""
        found: NDArray[np.int32] = self.apart[self.weight == HARD]
        return found

    def soft(self) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The pairs of lower weight, (S, 2), and the weights, (S,)."""
        kept = self.weight < HARD
        return self.apart[kept], self.weight[kept]

    def held_by(self, faces: int) -> "Constraints":
        """These constraints. InputError: they are of another number of faces."""
        if len(self) != faces:
            raise InputError(
                f"constraints are of {len(self):,} faces and there are {faces:,}; give those of these"
            )
        return self


def _groups(together: object) -> list[NDArray[np.int64]]:
    """The rows of each group; InputError unless there are groups, of whole numbers."""
    says = "together is a list of groups of rows, such as [[0, 1]]"
    if not isinstance(together, Iterable):
        raise InputError(says)
    return [_whole_numbers(group, says, (-1,)) for group in together]


def _pairs(apart: object) -> NDArray[np.int64]:
    """(P, 2) the pairs; InputError unless they are such, of whole numbers."""
    return _whole_numbers(apart, "apart is a list of pairs of rows, such as [[0, 1]]", (-1, 2))


def _whole_numbers(given: object, says: str, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """The numbers in this shape, whose first side is open; of others an InputError says what is wanted."""
    if not isinstance(given, Iterable):
        raise InputError(says)
    try:
        rows = np.asarray(given if isinstance(given, np.ndarray) else list(given))
    except ValueError as error:  # lists of different lengths
        raise InputError(says) from error
    if rows.size and (rows.dtype.kind not in "iu" or rows.ndim != len(shape) or rows.shape[1:] != shape[1:]):
        raise InputError(says)
    return rows.astype(np.int64, copy=False).reshape(shape if rows.size else (0, *shape[1:]))


def _pairs_within(group: NDArray[np.integer], rows: NDArray[np.integer]) -> NDArray[np.int64]:
    """(P, 2) all pairs of different `rows` that are of one group, each once."""
    order = np.lexsort((rows, group))
    group, rows = group[order], rows[order].astype(np.int64)
    first, further = np.arange(len(rows)), 0
    found = [np.empty((0, 2), np.int64)]
    while len(first):  # as often as the largest group has rows
        further += 1
        first = first[first + further < len(rows)]
        first = first[group[first] == group[first + further]]
        found.append(np.stack([rows[first], rows[first + further]], axis=1))
    both = np.concatenate(found)
    return np.asarray(np.unique(both[both[:, 0] != both[:, 1]], axis=0))


def _settled(
    group: NDArray[np.int32], pairs: NDArray[np.int64], weights: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The pairs sorted, each once with its largest weight; soft ones within a group give way to it."""
    torn = group[pairs[:, 0]] == group[pairs[:, 1]]
    if (torn & (weights == HARD)).any():
        a, b = pairs[torn & (weights == HARD)][0]
        raise InputError(f"faces {a} and {b} are to be both together and apart; take one of the two back")
    pairs, weights = np.sort(pairs[~torn], axis=1), weights[~torn]
    order = np.lexsort((-weights, pairs[:, 1], pairs[:, 0]))
    pairs, weights = pairs[order], weights[order]
    first = np.ones(len(pairs), np.bool_)
    first[1:] = (pairs[1:] != pairs[:-1]).any(axis=1)
    return pairs[first].astype(np.int32), weights[first].astype(np.float32)
