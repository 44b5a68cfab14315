"""Spectral clustering: the smoothest ways to number the faces of a graph tell its people apart.

Ng, Jordan and Weiss, "On spectral clustering", NIPS 2001; for the labels Damle, Minden and Ying, "Simple,
direct and efficient multi-way spectral clustering", Information and Inference 8, 2019.
"""

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.cluster import SpectralClustering
from threadpoolctl import threadpool_limits

from personae.data.faceset import FaceSet
from personae.errors import refuse_no_count
from personae.graph.adjacency import undirected
from personae.graph.components import first_seen
from personae.graph.farthest_first import canonical_rows
from personae.graph.search import knn_graph
from personae.graph.threads import products_alone
from personae.link.expected_people import wanted_clusters
from personae.methods.estimator import FeatureClusterer, refuse_crowds

MOST_FACES = 5_000


class Spectral(FeatureClusterer):
    """K groups of faces with few links between them, by the first K eigenvectors of the graph's Laplacian.

    It believes that the number of people is known and that all of them are about as large: a large person is
    rather cut in two than a small one kept. Some hundred K eigenvector steps and O(N K^2) for the labels, so at
    most 5,000 faces. scikit-learn's SpectralClustering on the symmetric kNN graph, labels by pivoted
    QR, which needs no start and, where K is about right, does not move with the rounding of the features.

    n_clusters: K, at most N, or None: as many as `expected_people` counts without labels
    k:          neighbors a face; a link weighs its cosine, 0 where that is negative
    seed:       draws the vector that the search for eigenvectors starts from

    A face without any link is alone.
    """

    def __init__(self, n_clusters: int | None = None, k: int = 20, seed: int = 0) -> None:
        self.n_clusters = n_clusters
        self.k = k
        self.seed = seed

    def _labels(self, faces: FaceSet) -> NDArray[np.int32]:
        n = len(faces)
        refuse_crowds(faces, MOST_FACES, "spectral clustering", "FaceMap or Auto")
        refuse_no_count("seed", self.seed, 0)
        wanted = wanted_clusters(self.n_clusters, faces.features)
        order = canonical_rows(faces.features)
        graph = knn_graph(faces.take(order), self.k)
        links = undirected(graph.linked(graph.similarities.clip(min=0)))
        linked = np.flatnonzero(np.diff(links.indptr))
        wanted = max(1, wanted - (n - len(linked)))
        labels = np.arange(n)
        if len(linked) <= wanted:
            return np.arange(n, dtype=np.int32)
        if wanted == 1:
            labels[order[linked]] = n
        else:
            found = SpectralClustering(
                wanted,
                affinity="precomputed",
                assign_labels="cluster_qr",
                eigen_solver="arpack" if len(linked) > 5 * wanted else "lobpcg",  # which then is the dense one
                random_state=self.seed,
            )
            with warnings.catch_warnings(), products_alone(), threadpool_limits(1, "openmp"):
                warnings.simplefilter("ignore")  # a graph of several parts is what we hope for
                found.fit(csr_matrix(links[linked][:, linked]))
            labels[order[linked]] = n + found.labels_
        return first_seen(labels)
