"""Where proposals come from: thresholds, then super-vertices of super-vertices.

Yang et al., "Learning to Cluster Faces on an Affinity Graph", CVPR 2019, section 3.2.
"""

from dataclasses import dataclass
from typing import Any

from personae.data.faceset import FaceSet
from personae.errors import InputError
from personae.graph.adjacency import canonical_order, undirected
from personae.graph.knn_graph import KnnGraph
from personae.graph.map_equation import map_equation_labels
from personae.link.proposals import Proposals, centre_graph, groups, super_vertices

WHOLE = 2**31 - 1  # no largest size


@dataclass(frozen=True)
class Search:
    """One set of proposals: those of all thresholds, and of all turns on each.

    ks:       neighbors a face in the first turn, each with each of `taus`
    taus:     weights from which links count in the first turn
    modules:  thresholds above which the modules of the map equation are super-vertices too
    max_size: faces a super-vertex of the first turn
    turns:    I; 1 leaves the super-vertices of faces alone
    rules:    neighbors of a centre, itself not counted, and super-vertices a group, for each later turn
    linked:   cosines of two centres that link them
    least:    faces of a super-vertex that later turns put together with others
    smallest, largest: faces a proposal
    """

    ks: tuple[int, ...] = (80,)
    taus: tuple[float, ...] = (0.55, 0.6, 0.65, 0.7, 0.75)
    modules: tuple[float, ...] = ()
    max_size: int = 300
    turns: int = 2
    rules: tuple[tuple[int, int], ...] = ((1, 8), (2, 5))
    linked: tuple[float, ...] = (0.4,)
    least: int = 3
    smallest: int = 3
    largest: int = 500

    def __post_init__(self) -> None:
        if self.turns < 1 or self.smallest < 1 or self.largest < self.smallest:
            raise InputError(
                f"turns is {self.turns} and proposals have {self.smallest} to {self.largest} faces; "
                "give at least one turn, and sizes from 1 on that rise"
            )

    def proposals(self, faces: FaceSet, graph: KnnGraph) -> Proposals:
        """Of these faces, each set once; none where no faces are linked.

        graph: cosines, or the probabilities of a link model

        O(N k) for each threshold, and a search among the centres of each later one, O(V^2 d).
        """
        level = [super_vertices(graph.nearest(k), tau, self.max_size) for k in self.ks for tau in self.taus]
        level += [modules(graph, tau) for tau in self.modules]
        found = list(level)
        for _ in range(1, self.turns):
            level = [
                above for parts in level for above in self.above(faces, parts.take(parts.sizes >= self.least))
            ]
            found += level
        everything = Proposals.joined([self.fitting(parts) for parts in found])
        return everything.distinct()

    def above(self, faces: FaceSet, parts: Proposals) -> list[Proposals]:
        """The groups of these super-vertices, by all rules."""
        if len(parts) == 0 or not self.rules:
            return []
        graph = centre_graph(faces, parts, max(k for k, _ in self.rules))
        return [groups(parts, graph.nearest(k), tau, most) for k, most in self.rules for tau in self.linked]

    def fitting(self, parts: Proposals) -> Proposals:
        """Those of a size that is asked for."""
        return parts.take((parts.sizes >= self.smallest) & (parts.sizes <= self.largest))


def search_of(fields: dict[str, Any]) -> Search:
    """The search of `asdict`, also where JSON has made lists of tuples."""
    return Search(**{name: _tuples(value) for name, value in fields.items()})


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list | tuple) else value


def modules(graph: KnnGraph, tau: float) -> Proposals:
    """The modules of the map equation on the links of `tau` or above; not of the paper."""
    links = graph.at_least(tau).positive()
    return Proposals.of_labels(map_equation_labels(undirected(links), order=canonical_order(graph)))
