"""Chinese whispers on the kNN graph.

Biemann, "Chinese Whispers: an efficient graph clustering algorithm", TextGraphs at HLT-NAACL 2006.
"""

import numpy as np
from numpy.typing import NDArray

from personae.clustering.chinese_whispers import Whispers
from personae.graph.knn_graph import KnnGraph
from personae.methods.estimator import GraphClusterer


class ChineseWhispers(GraphClusterer):
    """Every face takes over the name that weighs most among its neighbors at cosine `tau` or above.

    It believes that a face has more weight of links to its own person than to any other one; a single wrong
    link joins nobody. The result is one of many: another seed gives other people near the borders, and names
    of large people run over into small ones where `tau`, which belongs to the embedder, is low.
    O(N^2 d) for the graph, O(N k) for each of at most `iterations` rounds.

    tau:        cosine from which two faces are linked, at least 0
    iterations: rounds; it ends early when one changes nothing
    seed:       of the order in which faces are visited
    k:          neighbors a face
    """

    def __init__(self, tau: float = 0.6, iterations: int = 20, seed: int = 0, k: int = 80) -> None:
        self.tau = tau
        self.iterations = iterations
        self.seed = seed
        self.k = k

    def _labels(self, graph: KnnGraph) -> NDArray[np.int32]:
        return Whispers(self.tau, self.iterations, self.seed).cluster(graph)
