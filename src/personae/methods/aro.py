"""ARO, approximate rank-order clustering: one pass over the links of a small rank-order distance.

Otto, Wang and Jain, "Clustering Millions of Faces by Identity", IEEE TPAMI, 2017.
"""

import numpy as np
from numpy.typing import NDArray

from personae.graph.components import component_labels
from personae.graph.knn_graph import KnnGraph
from personae.graph.lists import a_tenth_of
from personae.link.approximate_rank_order import ApproximateRankOrder
from personae.methods.estimator import GraphClusterer


class ARO(GraphClusterer):
    """Faces whose lists begin alike are one person, with all that a chain of such pairs joins.

    It believes that mates share their nearest faces and strangers do not, whatever the cosines are. So two
    lone faces that are each other's nearest are always joined (their distance is 0), and `t` has to fall as
    the lists take in more of the collection: with lists of 200 of some ten thousand faces, 1.1 joins nearly
    everybody, and where an embedder crowds all faces together no `t` helps, but shorter lists do. It suits
    collections of many times 10^4 faces. O(N^2 d) for the graph, O(N k^2) after.

    k: length of the lists; a longer graph is cut to it, and lists of small collections to a tenth of the faces
    t: rank-order distance up to which two faces are linked, 1.1 in programs in use
    """

    def __init__(self, k: int = 200, t: float = 1.1) -> None:
        self.k = k
        self.t = t

    def list_length(self, faces: int) -> int:
        return min(self.k, a_tenth_of(faces))

    def _labels(self, graph: KnnGraph) -> NDArray[np.int32]:
        return component_labels(ApproximateRankOrder(self.t).link(graph))
