"""The map equation as a clusterer of link weights."""

from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from personae.data.constraints import Constraints
from personae.errors import InputError, MissingExtraError
from personae.graph.adjacency import Arcs, canonical_order, directed, undirected
from personae.graph.components import first_seen
from personae.graph.constrained import softened
from personae.graph.knn_graph import KnnGraph
from personae.graph.map_equation import map_equation_labels

SEARCHES = ("own", "infomap")
SEED = 100  # that of FaceMap's published program


@dataclass(frozen=True)
class MapEquation:
    """A person is a group of faces that a random walk along the links stays in for long.

    One wrong link between two people does not join them, since the walk rarely takes it; a chain of faces
    without cross-links may be cut. Weights are positive, of any scale. Some dozens of looks at each link.

    directed: whether the walk follows links one way only, with teleportation, or both ways
    search:   who looks for the shortest description: "own", or "infomap", the program of the papers, with one
              trial and their seed; it needs the extra of that name, ten times the time and the memory, and the
              order of the faces may matter to it
    """

    directed: bool = False
    search: str = "own"

    def cluster(self, graph: KnnGraph, constraints: Constraints | None = None) -> NDArray[np.int32]:
        """(N,) int32, 0..C-1 in the order of the first faces; the same people for any order of the input.

        InputError: an unknown search, or constraints for infomap, which knows none, or of other faces.
        MissingExtraError: infomap is not installed.
        """
        if self.search not in SEARCHES:
            raise InputError(f"search is {self.search!r}; it is one of {', '.join(SEARCHES)}")
        if self.search == "infomap" and constraints is not None:
            raise InputError("infomap takes no constraints; the own search does")
        together = apart = None
        if constraints is not None:
            graph = softened(graph, constraints)
            together, apart = constraints.group, constraints.hard
        order = canonical_order(graph)
        if self.directed or self.search == "infomap":
            links = directed(graph) if self.directed else undirected(graph)
            if self.search == "infomap":
                return _infomap_labels(links, self.directed)
            return map_equation_labels(links, directed=True, order=order, together=together, apart=apart)
        arcs = [Arcs.of(graph)]
        del graph  # what is not needed any more goes: the lists, the arcs, and the matrix as soon as it is read
        return map_equation_labels(arcs.pop().both_ways(), order=order, together=together, apart=apart)


def _infomap_labels(links: csr_array, one_way: bool) -> NDArray[np.int32]:
    """What infomap finds in two levels; faces without links, which it may put anywhere, are alone."""
    if find_spec("infomap") is None:
        raise MissingExtraError("the search of infomap needs that package; pip install 'personae[infomap]'")
    import infomap  # noqa: PLC0415  (GPL: nobody else loads it)

    n = links.shape[0]
    labels = np.arange(n, 2 * n)
    if links.nnz:
        network = infomap.Network.from_scipy_sparse_matrix(links, directed=one_way)
        options = infomap.Options(
            two_level=True,
            flow_model="directed" if one_way else "undirected",
            seed=SEED,
            num_trials=1,
            silent=True,
        )
        modules = network.run(options=options).modules()
        linked = np.diff(links.indptr) > 0
        linked[links.indices] = True
        labels[linked] = [modules[face] for face in np.flatnonzero(linked).tolist()]
    return first_seen(labels)
