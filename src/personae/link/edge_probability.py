"""FC-ES: neighbor-based edge probabilities, and lists that stop at the first improbable neighbor.

Liu, "Face Clustering via Early Stopping and Edge Recall", arXiv 2408.13431, 2024.
"""

from dataclasses import dataclass

import numpy as np

from personae.errors import InputError
from personae.graph.knn_graph import KnnGraph
from personae.graph.transitions import shared, transitions


@dataclass(frozen=True)
class EdgeProbability:
    """A neighbor is as probable as the faces that both lists hold; a list ends where that falls below `theta`.

    With Q_im = exp(-d_im / sigma) / sum_m exp(-d_im / sigma) over the list of i, the face itself in it and
    d_im = 2 - 2 cos the squared distance, cosines below 0 counted as 0:
    e_ij = 1/2 sum of (Q_im + Q_jm) over the faces m in both lists.
    The list is walked by cosine and not by e. O(N k^2).

    theta: e_ij from which a neighbor is kept
    sigma: width of the neighborhood, in squared distance
    """

    theta: float = 0.22
    sigma: float = 0.5

    def link(self, graph: KnnGraph) -> KnnGraph:
        """The first neighbors of each list, up to where one falls below `theta`; weights e_ij in (0, 1].

        InputError: theta or sigma is not above 0.
        """
        if not self.theta > 0:
            raise InputError(f"theta is {self.theta}; it needs to be above 0")
        clipped = graph.linked(graph.similarities.clip(0, 1))
        common = shared(transitions(clipped, self.sigma / 2), "sum")
        probability = (common[:, 1:] / 2).clip(max=1)
        going_on = (probability >= np.float32(self.theta)).cumprod(axis=1, dtype="int8").astype(bool)
        return graph.linked(probability).where(going_on)
