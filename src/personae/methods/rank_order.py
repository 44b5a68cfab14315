"""Rank-order clustering: agglomeration by ranks in each other's lists.

Zhu, Wen and Sun, "A Rank-Order Distance based Clustering Algorithm for Face Tagging", CVPR 2011.
"""

import numpy as np
from numpy.typing import NDArray

from personae.clustering import rank_order
from personae.graph.knn_graph import KnnGraph
from personae.methods.estimator import GraphClusterer


class RankOrder(GraphClusterer):
    """Clusters that stand high in each other's lists, and are closer than is usual around them, merge.

    It believes that mates see the same faces around them, and that they are closer than is usual around them.
    The nearest pair of any crowd is closer than is usual there, so lone faces are joined with others, two at
    least; and a person's outlying faces, whose nearest `nearest` faces are closer to each other than to it,
    stay out. O(N^2 d) for the graph, O(N k) for the first pass; later ones, often hundreds, look again only
    where a list changed. `clustering.rank_order` tells why lists of 182 do, so that no limit to N is needed.

    k:       length of the lists; exact from 182 on in the first pass, and throughout with N - 1
    t:       rank-order distance below which two clusters merge
    nearest: K, the nearest faces that tell what distance is usual; may be above `k`
    """

    def __init__(self, k: int = 200, t: float = 14, nearest: int = 9) -> None:
        self.k = k
        self.t = t
        self.nearest = nearest

    def list_length(self, faces: int) -> int:
        return max(self.k, self.nearest)

    def _labels(self, graph: KnnGraph) -> NDArray[np.int32]:
        return rank_order.RankOrder(self.t, self.nearest).cluster(graph, self.k)
