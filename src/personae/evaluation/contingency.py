"""The contingency table: how many faces of each identity lie in each cluster. Every metric is a sum over it."""

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personae.data.faceset import as_identities, is_missing, is_nobody, objects_as_text
from personae.errors import InputError, counted

Noise = Literal["singletons", "drop", "cluster"]
MOST_FACES = 3_037_000_499  # the largest N whose N^2, the number of ordered pairs, is an int64


@dataclass(frozen=True)
class Contingency:
    """The cells n_ab > 0 of the table of A identities and B clusters over N faces; E <= N of them.

    identity:       (E,) int32 in 0..A-1, the row a of each cell, not decreasing
    cluster:        (E,) int32 in 0..B-1, the column b of each cell, increasing within a row
    count:          (E,) int64, n_ab, faces of identity a in cluster b, at least 1
    identity_sizes: (A,) int64, faces of each identity
    cluster_sizes:  (B,) int64, faces of each cluster
    coverage:       share of the faces with a truth that are in the table; below 1 only if noise was dropped
    unknown:        faces without a truth, which were left out; counted like those in the table

    Identities and clusters are numbered in sorted order of what they were called.
    """

    identity: NDArray[np.int32]
    cluster: NDArray[np.int32]
    count: NDArray[np.int64]
    identity_sizes: NDArray[np.int64]
    cluster_sizes: NDArray[np.int64]
    coverage: float = 1.0
    unknown: int = 0

    @property
    def faces(self) -> int:
        """N, the sum of all cells."""
        return int(self.identity_sizes.sum())

    @property
    def identities(self) -> int:
        """A, how many people there are."""
        return len(self.identity_sizes)

    @property
    def clusters(self) -> int:
        """B, how many were found, those of a single face included."""
        return len(self.cluster_sizes)


def contingency(
    truth: ArrayLike,
    labels: ArrayLike,
    *,
    noise: Noise = "singletons",
    weights: ArrayLike | None = None,
    ignore_unknown: bool = False,
) -> Contingency:
    """The table of true identities and found clusters; every metric reads its arguments this way.

    truth:   (N,) identities, integers or names; -1, NaN, None or an empty name where nobody knows
    labels:  (N,) clusters, integers or names; -1 (or "-1") marks a face that is in no cluster
    noise:   what becomes of the faces in no cluster. "singletons": each is a cluster of its own, as in the
             tables of the face-clustering papers. "drop": they are left out, and `coverage` says how many
             stayed. "cluster": all of them are one cluster, as scikit-learn counts them
    weights: (N,) int, at least 1, what each row stands for, such as the frames of a track; the result is that
             of repeating row i weights[i] times, but that a row in no cluster is one cluster. None counts each
             row once
    ignore_unknown: whether faces without a truth are left out, as if nobody had seen them; `unknown` says how
             many they are. Otherwise they are refused

    InputError: not one-dimensional, different lengths, no faces, labels that are NaN or missing, faces without
    a truth that are not ignored, or nothing but those, weights that are not whole numbers of 1 or more, or a
    total beyond 3.0e9. O(N log N), about 50 bytes a face at peak, 75 with weights.

    >>> contingency(["Ada", "Ada", "Bo"], [7, 7, 7]).count
    array([2, 1])
    >>> contingency([0, 0, 1], [-1, -1, -1]).clusters
    3
    >>> contingency(["Ada", None, "Bo"], [7, 7, 7], ignore_unknown=True).unknown
    1
    """
    if noise not in get_args(Noise):
        raise InputError(f"noise={noise!r} is not a rule; choose one of {', '.join(get_args(Noise))}")
    people, found = _column(truth, "truth", gaps=ignore_unknown), _column(labels, "labels")
    if len(people) != len(found):
        raise InputError(
            f"{len(people):,} identities but {len(found):,} labels; give one of each a face, in the same order"
        )
    if len(people) == 0:
        raise InputError("no faces to score; give at least one")
    times = None if weights is None else _as_weights(weights, len(people))

    known, unknown = _known(people, ignore_unknown), 0
    if not known.all():
        unknown = int((~known).sum() if times is None else times[~known].sum())
        people, found = people[known], found[known]
        times = None if times is None else times[known]
    alone = is_nobody(found)
    coverage = 1.0
    if noise == "drop" and alone.any():
        kept = ~alone
        if not kept.any():
            raise InputError("every face is labelled -1, so none is left to score; use noise='singletons'")
        coverage = float(np.average(kept, weights=times))
        people, found, alone = people[kept], found[kept], alone[kept]
        times = None if times is None else times[kept]

    identity = _numbered(people, "truth")
    singled = noise == "singletons" and alone.any()
    cluster = _singled_out(found, alone) if singled else _numbered(found, "labels")
    return replace(_tabulated(identity, cluster, times), coverage=coverage, unknown=unknown)


def _known(people: NDArray[Any], ignore_unknown: bool) -> NDArray[np.bool_]:
    """(N,) whether somebody knows who it is; InputError if not all are and that is not to be ignored."""
    nobody = is_nobody(people)
    if ignore_unknown:
        nobody |= is_missing(people)
        if nobody.all():
            raise InputError("the truth is unknown for every face, so none is left to score; give that of some")
    elif nobody.any():
        raise InputError(
            f"the truth is -1 for {counted(int(nobody.sum()), 'face')}, whom nobody knows; "
            "ignore_unknown=True (--ignore-unknown) leaves them out"
        )
    return ~nobody


def _tabulated(
    identity: NDArray[np.int32], cluster: NDArray[np.int32], times: NDArray[np.int64] | None
) -> Contingency:
    """The table from dense numbers; sorting one key a face makes equal cells neighbors."""
    columns = np.int64(cluster.max()) + 1
    key = identity * columns + cluster  # below 2^62, as both numbers are int32
    if times is None:
        cells, count = np.unique(key, return_counts=True)
    else:
        cells, cell = np.unique(key, return_inverse=True)
        count = _sums(cell, times)
    return Contingency(
        (cells // columns).astype(np.int32),
        (cells % columns).astype(np.int32),
        count,
        np.bincount(identity) if times is None else _sums(identity, times),
        np.bincount(cluster) if times is None else _sums(cluster, times),
    )


def _sums(group: NDArray[np.integer[Any]], times: NDArray[np.int64]) -> NDArray[np.int64]:
    """(groups,) the weight in each group; float64 is exact here, the total is below 2^53."""
    return np.bincount(group, weights=times).astype(np.int64)


def _singled_out(labels: NDArray[Any], alone: NDArray[np.bool_]) -> NDArray[np.int32]:
    """(N,) int32 dense cluster numbers in which each face marked in `alone` has one to itself."""
    cluster = np.empty(len(labels), dtype=np.int32)
    grouped = _numbered(labels[~alone], "labels")
    cluster[~alone] = grouped
    first = int(grouped.max()) + 1 if len(grouped) else 0
    cluster[alone] = np.arange(first, first + int(alone.sum()), dtype=np.int32)
    return cluster


def _column(values: ArrayLike, name: str, *, gaps: bool = False) -> NDArray[Any]:
    """The values as a one-dimensional array; objects become text, and missing ones empty or refused."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise InputError(f"{name}: rows of different lengths; give one value a face") from error
    if array.ndim != 1:
        raise InputError(f"{name}: an array of shape {array.shape}; it needs one dimension, one value a face")
    text = objects_as_text(array)
    if text is not array and not gaps and is_missing(text).any():
        raise InputError(f"{name}: missing values; give one a face")
    return text


def _numbered(values: NDArray[Any], name: str) -> NDArray[np.int32]:
    """`as_identities`, with the name of the array at fault before its message."""
    try:
        return as_identities(values)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error


def _as_weights(values: ArrayLike, faces: int) -> NDArray[np.int64]:
    weights = _column(values, "weights")
    if len(weights) != faces:
        raise InputError(f"{faces:,} faces but {len(weights):,} weights; give one a face, in the same order")
    if weights.dtype.kind not in "iu" or weights.min() < 1:
        raise InputError("weights need to be whole numbers of 1 or more, such as the frames of each track")
    if float(weights.sum(dtype=np.float64)) > MOST_FACES:
        raise InputError(f"weights add up to more than {MOST_FACES:,}; divide them by their smallest")
    return weights.astype(np.int64)
