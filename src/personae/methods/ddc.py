"""DDC-style clustering: faces whose neighborhoods lie in the same small sphere are one person.

After Lin et al., "Deep Density Clustering of Unconstrained Faces", CVPR 2018. The idea is theirs; the details
are from a description of it, and no parity with the paper is claimed.
"""

from typing import Any, Self

from numpy.typing import ArrayLike

from personae.clustering.components import Components
from personae.data.faceset import FaceSet
from personae.errors import refuse_no_cosine
from personae.graph.knn_graph import KnnGraph
from personae.link.covering_spheres import CoveringSpheres
from personae.methods.estimator import FeatureClusterer, counting_copies_once, graph_of


class DDC(FeatureClusterer):
    """Components of the links whose two faces have spheres with centers at cosine `tau` or above.

    It believes that everybody has about `k` pictures: around a lone face the sphere is that of strangers, and
    the larger `k`, the more people run into each other. `tau` belongs to the embedder (0.84 suits SFace, 0.9875
    dlib). One wrong link joins two people for good. O(N^2 d) for the graph, O(N k^2 d) for the spheres.

    tau:   cosine of two centers from which their faces are linked
    k:     neighbors a face; the sphere is that of k + 1 faces
    slack: the share of a neighborhood that may lie outside its sphere
    """

    def __init__(self, tau: float = 0.84, k: int = 5, slack: float = 0.8) -> None:
        self.tau = tau
        self.k = k
        self.slack = slack

    @counting_copies_once
    def fit(self, X: FaceSet | ArrayLike, y: Any = None, *, graph: KnnGraph | None = None) -> Self:
        """Clusters X, a FaceSet or features (N, d); `graph` is its kNN graph where that is there already.

        InputError: a kNN graph for X or one of another number of faces, what `FaceSet.of` refuses, parameters
        outside their range.
        """
        faces = self._faces(X)
        refuse_no_cosine(self.tau)
        graph = graph_of(faces, graph, self.k)
        self.labels_ = Components(self.tau).cluster(CoveringSpheres(self.slack).link(faces.features, graph))
        return self
