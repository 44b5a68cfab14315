"""What a link model says of the faces: which neighbors are the same person, and how central each face is."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from personae.data.faceset import FaceSet
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.link.rated import Rated


@dataclass(frozen=True)
class Links:
    """Links ready for any clusterer.

    graph:      probabilities that two faces are one person, or learned similarities, in place of the cosines
    density:    (N,) float32 of any scale, higher for a face in the middle of its person
    preference: (N, k) float32, which denser neighbor a face follows, the one where this is highest; None where
                that is the one of the highest weight
    proposals:  sets of faces with scores; None where the model makes none
    """

    graph: KnnGraph
    density: NDArray[np.float32]
    preference: NDArray[np.float32] | None = None
    proposals: Rated | None = None

    @classmethod
    def of(cls, graph: KnnGraph) -> "Links":
        """Of a model without a density of its own: twice the mean weight, less one, over the list of a face."""
        there = graph.neighbors != NOBODY
        signed = np.where(there, 2 * graph.similarities.astype(np.float32) - 1, np.float32(0))
        return cls(graph, signed.sum(axis=1, dtype=np.float32) / np.float32(max(graph.k, 1)))


class LinkModel(Protocol):
    """A trained link model: a frozen config that says how to build it, and a torch module."""

    config: Any
    module: Any

    def links(self, faces: FaceSet, graph: KnnGraph) -> Links:
        """The links of these faces on their kNN graph; O(N k) in blocks of stated memory."""
        ...
