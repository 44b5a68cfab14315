"""A collection that was clustered, with all that is needed to add faces to it."""

import json
import zipfile
import zlib
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from personae.data.atomic import atomic_write
from personae.data.constraints import Constraints
from personae.data.faceset import FaceSet
from personae.data.ids import Ids
from personae.data.labels import people_and_lone
from personae.errors import InputError, counted
from personae.graph.components import first_seen
from personae.graph.constrained import softened
from personae.graph.copies import Copies
from personae.graph.knn_graph import KnnGraph
from personae.graph.map_equation_part import Rest
from personae.graph.search import knn_graph
from personae.link.geometry import Geometry
from personae.link.strangers import Sample, Strangers, Yardstick
from personae.link.weights import plain
from personae.methods.auto import Auto
from personae.methods.estimator import as_faces
from personae.scale.names import kept_names
from personae.scale.removal import graph_of_kept, kept_faces, sample_of_kept
from personae.scale.weights import rest_of

VERSION = 4
NO_CROWDS = 3  # the version before, which knew no looser floor for crowds,
ALL_DISTINCT = 2  # and that before, whose faces were all taken for distinct
MOST_GROWTH = 0.25  # new faces, in all at the last look, from which a full run is worth it
MOST_SHIFT = 1.0  # widths
FEWEST = 30  # new faces that a shift is believed of
FEWEST_PEOPLE = 50  # who tell what faces of their embedder have in common


@dataclass(frozen=True)
class Drift:
    """How far a collection has moved away from the one that was last looked at as a whole.

    faces: at that look, copies once and without those that were removed since
    new:   faces that came since and are still there, copies of others left out
    shift: how much nearer to strangers the middle one of these is than the middle face of then, in widths;
           large if they are of another embedder, or of other pictures
    """

    faces: int
    new: int = 0
    shift: float = 0.0

    def without(self, kept: NDArray[np.bool_]) -> "Drift":
        """Of the distinct faces that are kept, (M,) bool; those that came since are the last."""
        faces, new = int(kept[: self.faces].sum()), int(kept[self.faces :].sum())
        return Drift(faces, new, self.shift if new else 0.0)

    @property
    def full_run_is_worth_it(self) -> bool:
        """A quarter of the faces are new, or thirty of them and a width off."""
        return self.new > MOST_GROWTH * self.faces or (self.new >= FEWEST and abs(self.shift) > MOST_SHIFT)

    def __str__(self) -> str:
        advice = "a full run is worth it" if self.full_run_is_worth_it else "no full run is needed"
        came = f"{counted(self.new, 'new face')} since all {self.faces:,} were looked at"
        return f"{came}, {self.shift:+.2f} widths off; {advice}"


@dataclass(frozen=True)
class Gallery:
    """N faces and their people, made by `of` or read by `read`; `personae.update` adds faces.

    Of copies (`personae.graph.copies`) one is kept, so there are M distinct faces.

    features:  (M, d) float32 or float16, unit rows
    people:    (M,) int32, the id of each one's person; ids stay, and none is given to somebody else later
    distinct:  (N,) int32, which of the distinct faces each face is, in the order in which they came
    graph:     the kNN graph of the distinct faces
    strangers: what strangers look like from each of them
    yardstick: what that was measured with
    floors:    widths that links exceed, rising, as `people` of `Auto` takes them; the second is for all
    rest:      of the links of all
    ids:       how many were given so far
    drift:     since the last look at everybody
    method:    what looks at everybody
    face_ids:  what the N faces are called where they come from, if that is known of all
    constraints: which of the N faces are one person, or two; they hold on when faces are added and removed
    """

    features: NDArray[np.floating[Any]]
    people: NDArray[np.int32]
    distinct: NDArray[np.int32]
    graph: KnnGraph
    strangers: Strangers
    yardstick: Yardstick
    floors: list[float]
    rest: Rest
    ids: int
    drift: Drift
    method: Auto
    constraints: Constraints
    face_ids: Ids | None = None

    def __len__(self) -> int:
        return len(self.distinct)

    def __repr__(self) -> str:
        return f"Gallery({counted(len(self), 'face')}: {people_and_lone(self.people)})"

    @property
    def labels(self) -> NDArray[np.int32]:
        """(N,) int32, the id of each face's person, in the order in which the faces came."""
        return self.people[self.distinct]

    @cached_property
    def known(self) -> Constraints:
        """What is known of the distinct faces."""
        return _known(self.distinct, self.constraints)

    @property
    def floor(self) -> float:
        """Widths that links exceed."""
        return self.floors[1]

    @classmethod
    def of(
        cls,
        features: FaceSet | ArrayLike,
        method: Auto | None = None,
        constraints: Constraints | None = None,
    ) -> "Gallery":
        """The people among the first faces, by `Auto` as it comes or as it is given.

        InputError: what `Auto.fit` refuses.
        """
        faces, chosen = as_faces(features), method or Auto()
        held = Constraints.of(len(faces)) if constraints is None else constraints.held_by(len(faces))
        features, distinct = _distinct(faces.features, held)
        graph = knn_graph(FaceSet(features), chosen.k)
        return replace(cls._looked_at(features, distinct, graph, chosen, held), face_ids=faces.ids)

    def refuse_foreign(self, faces: FaceSet) -> None:
        """InputError: faces of another embedder than those that are here, as far as that can be told."""
        if faces.dimension != self.features.shape[1]:
            raise InputError(
                f"the new faces have {faces.dimension} values, those of the gallery {self.features.shape[1]}; "
                "they need to be of the same model"
            )
        first = np.unique(self.people, return_index=True)[1]
        if len(first) >= FEWEST_PEOPLE and Geometry.of(FaceSet(self.features[first])).is_foreign(faces):
            raise InputError(
                "the new faces lack what all faces of the gallery have in common; they seem to be of another "
                "embedder: embed them as those before, or begin another gallery"
            )

    def ids_with(self, faces: FaceSet) -> Ids | None:
        """The ids of all with more faces, None if those before have none.

        InputError: the new ones have none, another name, or an id that is there already.
        """
        if self.face_ids is not None and faces.ids is not None:
            return self.face_ids.joined(faces.ids)
        if self.face_ids is not None:
            raise InputError(
                f"the faces of the gallery have ids in {self.face_ids.name}; give the new ones ids too"
            )
        return None

    def links(self) -> KnnGraph:
        """The links between the faces, soft pairs weaker."""
        return softened(self.strangers.link(self.graph, self.floor), self.known)

    def corrected(self, constraints: Constraints) -> "Gallery":
        """The gallery under other constraints, in place of those it had; all faces are looked at again.

        InputError: constraints of another number of faces.

        >>> wrong = Gallery.of(np.ones((2, 3)))
        >>> wrong.labels, wrong.corrected(Constraints.of(2, apart=[[0, 1]])).labels
        (array([0, 0], dtype=int32), array([0, 1], dtype=int32))
        """
        return replace(self, constraints=constraints.held_by(len(self))).renewed()

    def renewed(self) -> "Gallery":
        """All faces looked at again; people keep the ids of most of their faces.

        On the graph that is there, but a new one where constraints tell copies apart, or no longer do.
        """
        features, distinct, graph = self.features, self.distinct, self.graph
        found = _distinct(features[distinct], self.constraints)
        if not np.array_equal(first_seen(distinct), found[1]):
            features, distinct = found
            graph = knn_graph(FaceSet(features), self.method.k)
        new = self._looked_at(features, distinct, graph, self.method, self.constraints)
        names = self.labels[np.unique(distinct, return_index=True)[1]]
        people, ids = kept_names(names, new.people, self.ids)
        return replace(new, people=people, ids=ids, face_ids=self.face_ids)

    def without(self, faces: ArrayLike) -> "Gallery":
        """The gallery less some of its faces, of whom nothing is kept but copies; people keep their ids.

        faces: which, (R,) integers in the order in which the faces came; those behind them move up

        The others stay the people that they are until they are looked at again. Those who had one of the faces
        among their neighbors are compared with all others: 2 d N operations each, and some passes over the
        graph.

        InputError: no such faces, or nobody is left.

        >>> len(Gallery.of(np.eye(3)).without([0]))
        2
        """
        left = np.flatnonzero(kept_faces(faces, len(self)))
        kept = np.zeros(len(self.people), np.bool_)
        kept[self.distinct[left]] = True
        features = self.features[kept]
        fewer = replace(
            self,
            features=features,
            people=self.people[kept],
            distinct=(np.cumsum(kept, dtype=np.int32) - 1)[self.distinct[left]],
            graph=graph_of_kept(self.graph, kept, features, self.method.k),
            strangers=self.strangers.take(np.flatnonzero(kept)),
            yardstick=replace(self.yardstick, sample=sample_of_kept(self.yardstick.sample, kept)),
            constraints=self.constraints.take(left),
            face_ids=self.face_ids and self.face_ids.take(left),
            drift=self.drift.without(kept),
        )
        fewer = replace(fewer, rest=rest_of(fewer.links(), fewer.people))
        return fewer if len(fewer.yardstick.sample.face) else fewer.renewed()

    @classmethod
    def _looked_at(
        cls,
        features: NDArray[np.floating[Any]],
        distinct: NDArray[np.int32],
        graph: KnnGraph,
        method: Auto,
        constraints: Constraints,
    ) -> "Gallery":
        held = _known(distinct, constraints)
        told = held if len(held.apart) or held.group.max() + 1 < len(held) else None
        looks, rung = clone(method).fit_looks(FaceSet(features), graph, told)
        people = looks.labels(rung)
        seen = cls(
            features=features,
            people=people,
            distinct=distinct,
            graph=graph,
            strangers=looks.strangers,
            yardstick=looks.yardstick,
            floors=looks.reach(rung),
            rest=Rest(0.0, 0.0),
            ids=int(people.max()) + 1,
            drift=Drift(len(people)),
            method=method,
            constraints=constraints,
        )
        return replace(seen, rest=rest_of(seen.links(), people))

    def save(self, path: Path | str) -> None:
        """Writes all of it to one `.npz`, uncompressed: 4 d + 8 k + 24 bytes a face. OutputError: no place."""
        place = named(Path(path))
        elsewhere = self.method.strangers
        about = {
            "version": VERSION,
            "floors": self.floors,
            "share": self.yardstick.share,
            "middle": [self.yardstick.level, self.yardstick.spread],
            "rest": self.rest,
            "ids": self.ids,
            "face_ids": self.face_ids and self.face_ids.name,
            "drift": asdict(self.drift),
            "method": {name: value for name, value in self.method.get_params().items() if name != "strangers"},
        }
        arrays: dict[str, Any] = {
            "features": self.features,
            "people": self.people,
            "distinct": self.distinct,
            "neighbors": self.graph.neighbors,
            "similarities": self.graph.similarities,
            "level": self.strangers.level,
            "spread": self.strangers.spread,
            "sample": self.yardstick.sample.features,
            "sampled": self.yardstick.sample.face,
            "kinds": self.yardstick.sample.kinds,
            "elsewhere": np.empty((0, 0)) if elsewhere is None else elsewhere,
            **vars(self.constraints),
        }
        if self.face_ids is not None:
            arrays["face_ids"] = self.face_ids.values
        with atomic_write(place) as temporary, temporary.open("wb") as file:
            np.savez(file, about=np.array(json.dumps(about, default=plain)), **arrays)

    @classmethod
    def read(cls, path: Path | str) -> "Gallery":
        """What `save` wrote. InputError: no such file, no gallery, or one of another version."""
        place = named(Path(path))
        try:
            with place.open("rb") as file:
                held = np.load(file, allow_pickle=False)
                about = json.loads(str(held["about"]))
                if about["version"] not in (VERSION, NO_CROWDS, ALL_DISTINCT):
                    raise InputError(f"{place}: a gallery of another version of personae; begin a new one")
                people = held["labels" if about["version"] == ALL_DISTINCT else "people"]
                alone = np.arange(len(people), dtype=np.int32)
                looser = [] if about["version"] == VERSION else about["floors"][:1]
                elsewhere = held["elsewhere"]
                gallery = cls(
                    features=held["features"],
                    people=people,
                    distinct=held.get("distinct", alone),
                    graph=KnnGraph(held["neighbors"], held["similarities"]),
                    strangers=Strangers(held["level"], held["spread"]),
                    yardstick=Yardstick(
                        Sample(held["sample"], held["sampled"], held["kinds"]),
                        about["share"],
                        *about["middle"],
                    ),
                    floors=looser + about["floors"],
                    rest=Rest(*about["rest"]),
                    ids=about["ids"],
                    drift=Drift(**about["drift"]),
                    method=Auto(**about["method"], strangers=elsewhere if len(elsewhere) else None),
                    constraints=Constraints(held["group"], held["apart"], held["weight"]),
                    face_ids=Ids.of(held["face_ids"], about["face_ids"]) if "face_ids" in held else None,
                )
        except FileNotFoundError:
            raise InputError(f"{place}: no such file; begin a gallery with `personae update`") from None
        except InputError:
            raise
        except (OSError, ValueError, LookupError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise InputError(f"{place}: no gallery of `personae update`, or a damaged one") from error
        if not gallery._is_whole():
            raise InputError(f"{place}: a damaged gallery, its parts do not go together; begin a new one")
        return gallery

    def _is_whole(self) -> bool:
        """Whether shapes, types and numbers of faces and people agree."""
        m, sample, strangers = len(self.people), self.yardstick.sample, self.strangers
        n, distinct = len(self), self.distinct
        group, apart, weight = vars(self.constraints).values()
        whole = [
            self.features.ndim == 2 and self.features.dtype in (np.float32, np.float16),
            {len(self.features), len(self.graph), len(strangers.level), len(strangers.spread)} == {m},
            self.people.dtype == np.int32 and self.people.ndim == 1 and m > 0,
            distinct.dtype == np.int32 and distinct.ndim == 1,
            sample.features.ndim == 2 and sample.features.shape[0] == len(sample.face),
            sample.features.shape[1:] == self.features.shape[1:],
            sample.face.dtype.kind == "i",
            not len(sample.kinds) or sample.kinds.shape[1:] == self.features.shape[1:],
            group.shape == (n,) and apart.shape == (len(weight), 2),
            self.face_ids is None or len(self.face_ids) == n,
            group.dtype == apart.dtype == np.int32 and weight.dtype == np.float32,
        ]
        return all(whole) and bool(
            np.array_equal(np.unique(distinct), np.arange(m))
            and 0 <= group.min() <= group.max() < n
            and 0 <= apart.min(initial=0) <= apart.max(initial=0) < n
            and 0 <= self.people.min() <= self.people.max() < self.ids
            and -1 <= sample.face.min(initial=0) <= sample.face.max(initial=0) < m
        )


def _distinct(
    features: NDArray[np.floating[Any]], known: Constraints
) -> tuple[NDArray[np.floating[Any]], NDArray[np.int32]]:
    """(M, d) the distinct ones of N unit rows, in their order, and (N,) int32, which of these each row is."""
    copies = Copies.among(features, known)
    if copies is None:
        return features, np.arange(len(features), dtype=np.int32)
    return copies.faces(FaceSet(features)).features, copies.of


def _known(distinct: NDArray[np.int32], constraints: Constraints) -> Constraints:
    """What constraints of N faces say of the distinct ones."""
    first = np.unique(distinct, return_index=True)[1]
    if len(first) == len(distinct):
        return constraints.take(first)
    return constraints.of_distinct(first, distinct)


def named(path: Path) -> Path:
    """The path. InputError unless it is called like a gallery."""
    if path.suffix != ".npz":
        raise InputError(f"{path.name}: a gallery is written as .npz; choose such a name")
    return path
