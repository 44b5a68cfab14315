"""The looks at a collection: its people with fewer and fewer false links, each found when it is asked for."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from personae.clustering.full_lists import crowds_joined, joined_again
from personae.clustering.lone_faces import lone_faces_joined
from personae.clustering.look_alikes import look_alikes_apart
from personae.clustering.map_equation import MapEquation
from personae.clustering.suggestions import Suggestions, suggestions
from personae.data.constraints import Constraints
from personae.data.faceset import FaceSet
from personae.evaluation.expected import Expected, expected
from personae.graph.components import first_seen
from personae.graph.confidence import confidence
from personae.graph.copies import Copies
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.heard import tell
from personae.link.strangers import Strangers, Yardstick

PEOPLE = "people"
AS_ASKED = 1  # the rung of `false_links`


@dataclass
class Looks:
    """The partitions of a graph with fewer and fewer false links, each made when it is asked for.

    strangers: of the faces
    yardstick: what they were measured with
    shares:    of false links, at each rung
    floors:    the widths that links must exceed
    once:      the looks at the distinct ones of the faces, and which of these each face is
    """

    faces: FaceSet
    strangers: Strangers
    yardstick: Yardstick
    graph: KnnGraph
    constraints: Constraints | None
    shares: list[float]
    floors: list[float]
    once: tuple["Looks", NDArray[np.int32]] | None = None
    _labels: dict[tuple[float, ...], NDArray[np.int32]] = field(default_factory=dict, init=False)

    def looser_by(self, before: "Looks", *, in_widths: bool) -> float:
        """How many widths less close faces need to be than in a look before, whose widths may be others."""
        if in_widths:
            return before.floors[AS_ASKED] - self.floors[AS_ASKED]
        farthest = [
            look.yardstick.level - look.floors[AS_ASKED] * look.yardstick.spread for look in (self, before)
        ]
        return (farthest[0] - farthest[1]) / self.yardstick.spread

    @property
    def looked_at(self) -> int:
        """How many faces are looked at."""
        return len(self.faces) if self.once is None else self.once[0].looked_at

    def links(self, rung: int) -> KnnGraph:
        return self.strangers.link(self.graph, self.floors[rung])

    def confidence(self, rung: int) -> NDArray[np.float32]:
        """(N,) float32, of the faces that a face links to or shares a person with, the share that are both."""
        if self.once is not None:
            distinct, of = self.once
            return distinct.confidence(rung)[of]
        return confidence(self.links(rung), self.labels(rung))

    def expected(self, rung: int) -> Expected:
        """By the next but one stricter look, and the next looser one."""
        return expected(self.labels(rung), self.labels(rung + 2), self.labels(rung - 1))

    def unconstrained(self) -> NDArray[np.int32]:
        """(N,) int32, the people at `AS_ASKED` were nothing known of them."""
        return self._people(AS_ASKED, None)

    def labels(self, rung: int) -> NDArray[np.int32]:
        """(N,) int32, 0..C-1 in the order of the first faces."""
        return self._people(rung, self.constraints)

    def _people(self, rung: int, constraints: Constraints | None) -> NDArray[np.int32]:
        reach = self.reach(rung)
        key = constraints is not None, *reach
        if key not in self._labels:
            if self.once is None:
                labels = people(self.faces, self.graph, self.strangers, reach, constraints)
            else:
                distinct, of = self.once
                held = None if constraints is None else distinct.constraints
                labels = first_seen(distinct._people(rung, held)[of])
            self._labels[key] = labels
        return self._labels[key]

    def suggestions(self, rung: int) -> Suggestions:
        """What is most likely wrong with the people of a rung."""
        floor, features = self.floors[AS_ASKED], self.faces.features
        return suggestions(self.labels(rung), features, self.strangers, floor, self.constraints)

    def with_copies(self, copies: Copies, faces: FaceSet, constraints: Constraints | None) -> "Looks":
        """The looks at all faces, where these are those at distinct ones."""
        others, sample = self.graph.neighbors[copies.of], self.yardstick.sample
        neighbors = np.where(others == NOBODY, NOBODY, copies.first[others]).astype(np.int32)
        face = np.where(sample.face < 0, sample.face, copies.first[sample.face])
        return replace(
            self,
            faces=faces,
            strangers=self.strangers.take(copies.of),
            yardstick=replace(self.yardstick, sample=replace(sample, face=face)),
            graph=KnnGraph(neighbors, self.graph.similarities[copies.of]),
            constraints=constraints,
            once=(self, copies.of),
        )

    def reach(self, rung: int) -> list[float]:
        """The floors that `people` asks for: that of the next looser rung, of the rung, and of all stricter."""
        return [self.floors[max(rung - 1, 0)], *self.floors[rung:]]


def people(
    faces: FaceSet,
    graph: KnnGraph,
    strangers: Strangers,
    floors: list[float],
    constraints: Constraints | None = None,
) -> NDArray[np.int32]:
    """(N,) int32, 0..C-1 in the order of the first faces.

    floors: widths that links must exceed, rising; the second is for all, the first for people of whom there
            are more than twice as many faces as a list holds, once all else is done, the others for look-alikes
    """
    floor = floors[1]
    tell(PEOPLE, 0, len(faces))
    labels = guessed(faces, graph, strangers, floor, constraints)
    labels = look_alikes_apart(labels, faces.features, graph, strangers, floors[1:], constraints)
    labels = lone_faces_joined(labels, faces.features, graph, strangers, floor, constraints=constraints)
    labels = crowds_joined(labels, faces.features, graph, strangers, floors[0], constraints)
    tell(PEOPLE, len(faces), len(faces))
    return labels


def guessed(
    faces: FaceSet, graph: KnnGraph, strangers: Strangers, floor: float, constraints: Constraints | None = None
) -> NDArray[np.int32]:
    """The people, look-alikes among them."""
    labels = MapEquation().cluster(strangers.link(graph, floor), constraints)
    return joined_again(labels, faces.features, graph, strangers, floor, constraints)
