"""Chinese whispers: every face takes over the name that weighs most among its neighbors, again and again.

Biemann, "Chinese Whispers: an efficient graph clustering algorithm", TextGraphs at HLT-NAACL 2006.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.errors import InputError, refuse_no_cosine, refuse_no_count
from personae.graph.knn_graph import KnnGraph
from personae.graph.links import symmetric_links


@dataclass(frozen=True)
class Whispers:
    """Names spread along the links of similarity `tau` or above; faces of one name are one person.

    In each of `iterations` rounds all faces are visited in an order drawn from `seed`, and each takes the name
    with the largest sum of link weights among its neighbors at that moment; of equals it keeps its own,
    or takes the one that comes first by content. It ends early when a round changes nothing. O(N k) a round.
    """

    tau: float
    iterations: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        refuse_no_cosine(self.tau)
        refuse_no_count("iterations", self.iterations)
        refuse_no_count("seed", self.seed, 0)

    def cluster(self, graph: KnnGraph) -> NDArray[np.int32]:
        """(N,) int32, 0..C-1 in the order of the first faces; a face without links keeps its own name.

        InputError: a link of negative weight is at `tau` or above.
        """
        links = symmetric_links(graph, self.tau)
        if len(links.weights) and links.weights.min() < 0:
            raise InputError(f"tau is {self.tau}, but links below 0 carry no names; it needs to be at least 0")
        generator = np.random.Generator(np.random.Philox(self.seed))
        names = np.arange(len(links), dtype=np.int32)
        for _ in range(self.iterations):
            visits = generator.permutation(len(links))
            if not _told(links.indptr, links.others, links.weights, visits, names):
                break
        return links.of_faces(names)


@njit(cache=True)
def _told(
    indptr: NDArray[np.int64],
    others: NDArray[np.int32],
    weights: NDArray[np.float32],
    visits: NDArray[np.int64],
    names: NDArray[np.int32],
) -> int:
    """One round, in place; how many faces have changed their name."""
    weight = np.zeros(len(names))  # of each name around the face
    changed = 0
    for face in visits:
        for at in range(indptr[face], indptr[face + 1]):
            weight[names[others[at]]] += weights[at]
        best = names[face]
        for at in range(indptr[face], indptr[face + 1]):
            name = names[others[at]]
            if weight[name] > weight[best] or (
                weight[name] == weight[best] and best != names[face] and name < best
            ):
                best = name
        for at in range(indptr[face], indptr[face + 1]):
            weight[names[others[at]]] = 0.0
        if best != names[face]:
            names[face] = best
            changed += 1
    return changed
