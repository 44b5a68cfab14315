"""What every published method shares: it is a scikit-learn clusterer, of a kNN graph or of features."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClusterMixin

from personae.clustering.agglomeration import MOST, Agglomeration
from personae.data.constraints import Constraints
from personae.data.faceset import FaceSet
from personae.data.labels import as_labels
from personae.errors import InputError, refuse_no_count, refuse_other_clusters
from personae.graph.components import first_seen
from personae.graph.copies import Copies
from personae.graph.directions import mean_directions
from personae.graph.knn_graph import KnnGraph
from personae.graph.search import knn_graph
from personae.link.weights import need_torch
from personae.train.plan import Plan

PRECISION = 0.99  # expected of pairs of tracks; tried on films of made people
F = TypeVar("F", bound=Callable[..., Any])


def counting_copies_once(fit: F) -> F:
    """A `fit` that is told of distinct faces alone: what it finds out of each holds for all its copies."""

    @wraps(fit)
    def of_distinct(self: Any, X: FaceSet | ArrayLike | KnnGraph, y: Any = None, **known: Any) -> Any:
        copies, once, known = distinct(X, known)
        with telling_of(copies):
            fit(self, once, y, **known)
        if copies is not None:
            for name in self.of_faces:
                setattr(self, name, getattr(self, name)[..., copies.of])
            for name in self.are_faces:
                setattr(self, name, copies.first[getattr(self, name)])
        return self

    return of_distinct  # type: ignore[return-value]


def predicting_copies_once(predict: F) -> F:
    """A `predict` that is told of distinct faces alone: copies are who their face is."""

    @wraps(predict)
    def of_distinct(self: Any, X: FaceSet | ArrayLike, **known: Any) -> Any:
        copies, once, known = distinct(X, known)
        with telling_of(copies):
            people = predict(self, once, **known)
        return people if copies is None else people[copies.of]

    return of_distinct  # type: ignore[return-value]


@contextmanager
def telling_of(copies: Copies | None) -> Iterator[None]:
    """An InputError that counts distinct faces alone says how many of all faces those are."""
    try:
        yield
    except InputError as error:
        if copies is None:
            raise
        once = f"copies count once: of {len(copies.of):,} faces {len(copies.first):,} are distinct"
        raise InputError(f"{error} ({once})") from error


def distinct(
    X: FaceSet | ArrayLike | KnnGraph, known: dict[str, Any]
) -> tuple[Copies | None, FaceSet | KnnGraph, dict[str, Any]]:
    """The copies among faces, or None; the distinct faces, and what is known of these.

    known: `graph`, `constraints`, `committee` and `start` are of the faces, where they are there

    InputError: constraints, a graph, a committee or a start of other faces; as `as_faces`.
    """
    faces = X if isinstance(X, KnnGraph) else as_faces(X)
    held, graph, committee = (known.get(name) for name in ("constraints", "graph", "committee"))
    copies = Copies.listed(faces, held) if isinstance(faces, KnnGraph) else Copies.among(faces.features, held)
    if copies is None:
        return None, faces, known
    once, told = _once(faces, copies), dict(known)
    if held is not None:
        told["constraints"] = copies.constraints(held)
    if graph is not None and isinstance(faces, FaceSet) and isinstance(once, FaceSet):
        told["graph"] = copies.graph(graph_of(faces, graph, max(graph.k, 1)), once)
    if committee:
        told["committee"] = [_once(member, copies) for member in committee]
    if (start := known.get("start")) is not None:
        known_before(start, len(faces))
        told["start"] = copies.start(np.asarray(start))
    return copies, once, told


def known_before(start: ArrayLike, n: int) -> NDArray[np.int32]:
    """(N,) int32, 0..C-1 in the order of the first faces: people known before; those below 0 are alone.

    InputError: a start of other faces.
    """
    labels = np.asarray(start)
    if labels.shape != (n,) or labels.dtype.kind not in "iu":
        raise InputError(f"start is {labels.dtype} {labels.shape}; give an integer for each of {n} faces")
    return _noise_alone(labels)


def clusters_of(labels: ArrayLike, n: int) -> NDArray[np.int32]:
    """(N,) int32, 0..C-1 in the order of the first faces: the labels of any clusterer, integers or names.

    Each face that is labelled below 0, or "-1", is a cluster of its own.

    InputError: not one label a face, and as of `as_labels`.
    """
    found = as_labels(labels)
    if len(found) != n:
        raise InputError(f"{n:,} faces but {len(found):,} labels; give one label a face")
    return _noise_alone(found)


def _noise_alone(labels: NDArray[Any]) -> NDArray[np.int32]:
    n = len(labels)
    noise: NDArray[np.bool_] = labels == "-1" if labels.dtype.kind == "U" else labels < 0
    number = np.unique(labels, return_inverse=True)[1]
    return first_seen(np.where(noise, n + np.arange(n), number).astype(np.int32))


def _once(X: FaceSet | ArrayLike | KnnGraph, copies: Copies) -> FaceSet | KnnGraph:
    """The distinct faces, as one of several models sees them. InputError: it sees other faces."""
    faces = X if isinstance(X, KnnGraph) else as_faces(X)
    if len(faces) != len(copies.of):
        raise InputError(f"{len(faces):,} faces are given beside {len(copies.of):,}; give the same")
    return copies.graph(faces) if isinstance(faces, KnnGraph) else copies.faces(faces)


class GraphClusterer(ClusterMixin, BaseEstimator):
    """A method that needs nothing but each face's `k` nearest faces; a subclass says how they become labels.

    Copies of a face count once (`personae.graph.copies`).

    labels_:        (N,) int32, 0..C-1 in the order of the first faces
    n_features_in_: d; not there after a fit to a graph
    """

    of_faces: ClassVar[tuple[str, ...]] = ("labels_",)  # what it finds out of each face,
    are_faces: ClassVar[tuple[str, ...]] = ()  # and which tell of faces by their numbers
    counts_itself: ClassVar[bool] = False  # whether a face is the first of its own k
    k: int
    labels_: NDArray[np.int32]
    n_features_in_: int

    @counting_copies_once
    def fit(self, X: FaceSet | ArrayLike | KnnGraph, y: Any = None) -> Self:
        """Clusters X: a FaceSet, features (N, d), or a graph that is there already; `y` is not looked at.

        InputError: what `FaceSet.of` refuses, and parameters outside their range.
        """
        self.labels_ = self._labels(self._graph(X))
        return self

    def list_length(self, faces: int) -> int:
        """Neighbors a face that it looks at among so many faces, itself counted where `counts_itself`."""
        return self.k

    def _graph(self, X: FaceSet | ArrayLike | KnnGraph) -> KnnGraph:
        refuse_no_lists(self.k)
        if isinstance(X, KnnGraph):
            self.__dict__.pop("n_features_in_", None)  # of an earlier fit
            X.refuse_own_faces()
            length = self.list_length(len(X))
            refuse_short_lists(X, length, self.counts_itself)
            return X.nearest(length)
        faces = as_faces(X)
        graph = knn_graph(faces, self.list_length(len(faces)))
        self.n_features_in_ = faces.dimension
        return graph

    def _labels(self, graph: KnnGraph) -> NDArray[np.int32]:
        raise NotImplementedError


class ConstrainedClusterer(GraphClusterer):
    """A method of a kNN graph that takes must-links and cannot-links."""

    @counting_copies_once
    def fit(
        self, X: FaceSet | ArrayLike | KnnGraph, y: Any = None, *, constraints: Constraints | None = None
    ) -> Self:
        """Clusters X: a FaceSet, features (N, d), or a graph that is there already; `y` is not looked at.

        InputError: what `FaceSet.of` refuses, parameters outside their range, constraints of other faces.
        """
        self.labels_ = self._held(self._graph(X), constraints)
        return self

    def _labels(self, graph: KnnGraph) -> NDArray[np.int32]:
        return self._held(graph, None)

    def _held(self, graph: KnnGraph, constraints: Constraints | None) -> NDArray[np.int32]:
        raise NotImplementedError


class FeatureClusterer(ClusterMixin, BaseEstimator):
    """A method that looks at the features themselves; a subclass says how they become labels.

    Copies of a face count once (`personae.graph.copies`).

    labels_:        (N,) int32, 0..C-1 in the order of the first faces
    n_features_in_: d
    """

    of_faces: ClassVar[tuple[str, ...]] = ("labels_",)  # what it finds out of each face,
    are_faces: ClassVar[tuple[str, ...]] = ()  # and which tell of faces by their numbers
    labels_: NDArray[np.int32]
    n_features_in_: int

    @counting_copies_once
    def fit(self, X: FaceSet | ArrayLike, y: Any = None) -> Self:
        """Clusters X: a FaceSet or features (N, d); `y` is not looked at.

        InputError: a kNN graph, what `FaceSet.of` refuses, and parameters outside their range.
        """
        self.labels_ = self._labels(self._faces(X))
        return self

    def _faces(self, X: FaceSet | ArrayLike) -> FaceSet:
        if isinstance(X, KnnGraph):
            raise InputError(f"{type(self).__name__} needs features but was given a kNN graph; pass those")
        faces = as_faces(X)
        self.n_features_in_ = faces.dimension
        return faces

    def _labels(self, faces: FaceSet) -> NDArray[np.int32]:
        raise NotImplementedError


class FilmClusterer(FeatureClusterer):
    """A method that learns from the tracks it clusters; a subclass says how they become vectors.

    labels_:        (N,) int32, 0..C-1 in the order of the first faces, the same within a track
    tracks_:        (T, w) float32, unit, what was learned of each track, by its number in the constraints
    n_features_in_: d
    """

    plan: Plan | None
    tau: float | None
    n_clusters: int | None
    tracks_: NDArray[np.float32]

    def fit(
        self,
        X: FaceSet | ArrayLike,
        y: Any = None,
        *,
        constraints: Constraints | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Self:
        """Clusters X, a FaceSet or features (N, d): the faces of all frames; `y` is not looked at.

        constraints: the faces of a group are one track, in the order of time; hard pairs are never joined
        progress:    called with steps done and steps in all

        InputError: what `FaceSet.of` refuses, constraints of other faces or without tracks, more than 20,000
        tracks, an `n_clusters` that cannot be reached. MissingExtraError: torch.
        """
        need_torch()
        from personae.link.film import Film  # noqa: PLC0415  (needs torch)
        from personae.train.loop import generators_kept  # noqa: PLC0415

        faces = self._faces(X)
        tracks, apart, track = tracks_of(faces, constraints)
        refuse_crowds(tracks, MOST, type(self).__name__, "Auto")
        refuse_other_clusters(self.n_clusters, len(tracks))
        held = Constraints.of(len(faces)) if constraints is None else constraints
        with generators_kept(self.plan):
            self.tracks_ = self._learned(Film.of(faces.features, held), progress)
        self.labels_ = first_seen(people_of(self.tracks_, apart, self.tau, self.n_clusters)[track])
        return self

    def _learned(self, film: Any, progress: Callable[[int, int], None] | None) -> NDArray[np.float32]:
        raise NotImplementedError


def refuse_crowds(faces: FaceSet, most: int, method: str, instead: str) -> None:
    """InputError for more faces than a method of quadratic cost can take; it names what to use instead."""
    if len(faces) > most:
        raise InputError(f"{len(faces):,} faces are too many for {method}, at most {most:,}; use {instead}")


def tracks_of(
    faces: FaceSet, constraints: Constraints | None
) -> tuple[FaceSet, Constraints, NDArray[np.int32]]:
    """Each group as one row, the mean of its faces; the pairs among the groups; (N,) the group of each face.

    InputError: constraints of other faces.
    """
    held = Constraints.of(len(faces)) if constraints is None else constraints.held_by(len(faces))
    tracks = FaceSet(mean_directions(faces.features, held.group))
    apart = Constraints.of(len(tracks), apart=held.group[held.apart], weight=held.weight)
    return tracks, apart, held.group


def people_of(
    vectors: NDArray[np.float32],
    apart: Constraints,
    tau: float | None = None,
    n_clusters: int | None = None,
) -> NDArray[np.int32]:
    """(T,) int32, the person of each track, under the constraints between them.

    vectors: (T, d) unit rows, what is known of each track

    By average linkage where a threshold or a number of people is given, else by `Auto`. What was learned of a
    film draws strangers together that look alike in it, so `Auto` is asked for the precision `PRECISION`.
    """
    if tau is None and n_clusters is None:
        from personae.methods.auto import Auto  # noqa: PLC0415  (inherits from this file)

        return Auto(target_precision=PRECISION).fit(vectors, constraints=apart).labels_
    cut = Agglomeration(0.0 if tau is None else tau, "average", n_clusters)
    return cut.cluster_all_pairs(vectors, apart)


def graph_of(faces: FaceSet, graph: KnnGraph | None, k: int) -> KnnGraph:
    """The `k` nearest faces of each face: of `graph` where that is there already, searched if it is None.

    InputError: the graph is of another number of faces, holds fewer neighbors, or faces among their own; k
    below 1.
    """
    if graph is None:
        return knn_graph(faces, k)
    if len(graph) != len(faces):
        raise InputError(f"the graph is of {len(graph):,} faces and there are {len(faces):,}; search it anew")
    graph.refuse_own_faces()
    refuse_short_lists(graph, k)
    return graph.nearest(k)


def refuse_short_lists(graph: KnnGraph, k: int, counts_itself: bool = False) -> None:
    """InputError for a graph of fewer neighbors than a method looks at, or a k below 1.

    counts_itself: as in `GraphClusterer`
    """
    refuse_no_lists(k)
    needed = k - counts_itself
    if graph.k < min(needed, len(graph) - 1):
        enough = graph.k + counts_itself
        raise InputError(
            f"the graph holds {graph.k} neighbors a face and {needed} are asked for; "
            f"search that many, or ask for {enough} at most (k={enough})"
        )


def refuse_no_lists(k: int) -> None:
    """InputError for a k that is no whole number from 1 on."""
    refuse_no_count("k", k)


class NotNumbersError(InputError, TypeError):
    """Features of something else than numbers; a TypeError too, as NumPy and scikit-learn have it."""


def as_faces(X: FaceSet | ArrayLike) -> FaceSet:
    """The faces of whatever scikit-learn's users hand over; numbers in an object array count as numbers.

    InputError: sparse, complex or no numbers, no face, and what `FaceSet.of` refuses.
    """
    if isinstance(X, FaceSet):
        if not len(X):
            raise InputError("there are no faces; give at least one")
        return X
    if issparse(X):
        raise InputError("features are a sparse matrix and sparse input is not supported; give X.toarray()")
    array = X if isinstance(X, np.ndarray) else _as_array(X)
    if array.dtype.kind == "c":
        raise InputError(f"features are {array.dtype} and Complex data not supported; give real numbers")
    if array.ndim == 2 and len(array) and not array.shape[1]:
        raise InputError(
            f"0 feature(s) (shape={array.shape}) while a minimum of 1 is required; give (faces, d)"
        )
    return FaceSet.of(_numbers(array) if array.dtype == object else array)


def _as_array(values: ArrayLike) -> NDArray[Any]:
    try:
        return np.asarray(values)
    except ValueError as error:
        raise InputError("features make no array: give rows of as many numbers each") from error


def _numbers(array: NDArray[Any]) -> NDArray[np.float64]:
    """An object array as numbers; NotNumbersError naming what is none."""
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise NotNumbersError(f"features hold something else than numbers: {error}") from error
