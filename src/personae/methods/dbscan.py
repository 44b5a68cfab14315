"""DBSCAN on the kNN graph: people grow from faces with enough close neighbors.

Ester, Kriegel, Sander and Xu, "A density-based algorithm for discovering clusters in large spatial databases
with noise", KDD 1996.
"""

import numpy as np
from numpy.typing import NDArray

from personae.clustering.dbscan import DensityReach
from personae.errors import refuse_no_count
from personae.graph.knn_graph import KnnGraph
from personae.methods.estimator import GraphClusterer


class DBSCAN(GraphClusterer):
    """Faces with `min_samples` faces at cosine `tau` or above around them, and all that chains of them reach.

    It believes that strangers are never linked through crowded places, and that one density suits everybody:
    `tau` = 1 - eps belongs to the embedder, and `min_samples` above 2 takes people with few pictures for
    noise. With the published min_samples = 1 it is `Threshold`. O(N^2 d) for the graph, O(N k log k) after.

    tau:         1 - eps; 0.75 in the published tables
    min_samples: faces, itself counted, that make a face a core; 1 in the published tables
    k:           neighbors a face; `min_samples` - 1 if that is more

    noise_: (N,) bool, the faces that are no core and reach none; in `labels_` each is alone with its copies
    """

    of_faces = ("labels_", "noise_")

    def __init__(self, tau: float = 0.75, min_samples: int = 1, k: int = 80) -> None:
        self.tau = tau
        self.min_samples = min_samples
        self.k = k

    def list_length(self, faces: int) -> int:
        refuse_no_count("min_samples", self.min_samples)
        return max(self.k, self.min_samples - 1)

    def _labels(self, graph: KnnGraph) -> NDArray[np.int32]:
        labels, self.noise_ = DensityReach(self.tau, self.min_samples).cluster_and_noise(graph)
        return labels
