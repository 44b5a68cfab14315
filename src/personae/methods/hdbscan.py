"""HDBSCAN on the kNN graph: each person at its own density.

Campello, Moulavi and Sander, "Density-based clustering based on hierarchical density estimates", PAKDD 2013.
"""

import numpy as np
from numpy.typing import NDArray

from personae.clustering.hdbscan import ExcessOfMass
from personae.errors import refuse_no_count
from personae.graph.knn_graph import KnnGraph
from personae.methods.estimator import GraphClusterer


class HDBSCAN(GraphClusterer):
    """The groups of `min_cluster_size` faces or more that last longest while the density they need rises.

    It believes that everybody has `min_cluster_size` pictures, and that a person is a place of its own
    density with thinner space around: no threshold, so the embedder's scale hardly matters. People with fewer
    pictures are noise, a collection of one person is all noise, and a person with two looks may be two.
    O(N^2 d) for the graph, O(E log E) for its E links after; the graph need not hang together.

    min_cluster_size: faces that make a person; 5 as in the published programs
    min_samples:      faces, itself counted, that density is read from; None takes `min_cluster_size`
    k:                neighbors a face; `min_samples` - 1 if that is more

    noise_: (N,) bool, the faces in no person; in `labels_` each is alone with its copies
    """

    of_faces = ("labels_", "noise_")

    def __init__(self, min_cluster_size: int = 5, min_samples: int | None = None, k: int = 80) -> None:
        self.min_cluster_size = min_cluster_size
        self.min_samples = min_samples
        self.k = k

    def list_length(self, faces: int) -> int:
        refuse_no_count("min_cluster_size", self.min_cluster_size, 2)
        samples = self.min_cluster_size if self.min_samples is None else self.min_samples
        refuse_no_count("min_samples", samples)
        return max(self.k, samples - 1)

    def _labels(self, graph: KnnGraph) -> NDArray[np.int32]:
        labels, self.noise_ = ExcessOfMass(self.min_cluster_size, self.min_samples).cluster_and_noise(graph)
        return labels
