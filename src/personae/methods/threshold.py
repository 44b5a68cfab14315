"""The plain rule: faces closer than a fixed similarity are one person."""

import numpy as np
from numpy.typing import NDArray

from personae.clustering.components import Components
from personae.data.constraints import Constraints
from personae.errors import refuse_no_cosine
from personae.graph.knn_graph import KnnGraph
from personae.methods.estimator import ConstrainedClusterer


class Threshold(ConstrainedClusterer):
    """Single linkage cut at the cosine `tau`: connected components of the links at `tau` or above.

    It believes that no two people are ever closer than `tau` and that every face has a companion that close.
    `tau` belongs to the embedder (0.55 suits SFace, 0.95 dlib) and to the size of the collection: the more
    faces, the likelier one false link that joins two people for good. O(N^2 d) for the graph, O(N k) after.
    """

    def __init__(self, tau: float = 0.6, k: int = 80) -> None:
        self.tau = tau
        self.k = k

    def _held(self, graph: KnnGraph, constraints: Constraints | None) -> NDArray[np.int32]:
        refuse_no_cosine(self.tau)
        return Components(self.tau).cluster(graph, constraints)
