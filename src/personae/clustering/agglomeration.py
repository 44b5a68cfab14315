"""Hierarchical agglomeration: the two most alike clusters are joined, again and again, down to a cut."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from personae.data.constraints import Constraints
from personae.errors import InputError, refuse_other_clusters
from personae.graph.all_pairs import LINKAGES, all_cosines, content_order, merges_of_pairs
from personae.graph.components import first_seen
from personae.graph.constrained import Contracted, contracted_pairs, forest_apart, softened
from personae.graph.knn_graph import KnnGraph
from personae.graph.links import symmetric_links
from personae.graph.merges import Merges
from personae.graph.merges_of_links import merges_of_links
from personae.graph.spanning import spanning_forest, spanning_tree

MOST = 20_000  # faces whose pairs are all looked at: 1.6 GB of cosines


@dataclass(frozen=True)
class Agglomeration:
    """Clusters are joined while the similarity of the best two is `tau` or above.

    linkage:    what the similarity of two clusters is: that of their closest faces ("single": components of
                the links at `tau`), the mean ("average") or that of their farthest faces ("complete")
    n_clusters: joins down to this many clusters instead; `tau` is not looked at then

    On a graph a pair of faces without a link is left out of the mean, and counts as the least similar there
    is in complete linkage; clusters that no link joins are never joined. A link that one face lists counts as
    if both did, with the larger similarity if they differ. Under constraints the faces of a group begin as one
    cluster, and two clusters with a hard pair between them are never joined.
    """

    tau: float
    linkage: Literal["single", "average", "complete"] = "single"
    n_clusters: int | None = None

    def __post_init__(self) -> None:
        if not np.isfinite(self.tau):
            raise InputError(f"tau is {self.tau}; it needs to be a cosine, from -1 to 1")
        if self.linkage not in LINKAGES:
            raise InputError(f"linkage is {self.linkage!r}; it needs to be one of {', '.join(LINKAGES)}")

    def cluster(self, graph: KnnGraph, constraints: Constraints | None = None) -> NDArray[np.int32]:
        """(N,) int32, 0..C-1 in the order of the first faces. O(N k) for a cut of single linkage at `tau`.

        InputError: `n_clusters` above N, or below what the links can join; constraints of other faces.
        """
        refuse_other_clusters(self.n_clusters, len(graph))
        cut, least = (self.tau, 1) if self.n_clusters is None else (-np.inf, self.n_clusters)
        if constraints is not None:
            return self._constrained(softened(graph, constraints), constraints, cut, least)
        if self.linkage == "average":  # links below the cut lower the means
            links = symmetric_links(graph)
            return links.of_faces(self._cut(merges_of_links(links, "average", cut, least)))
        links = symmetric_links(graph, cut)
        if self.linkage == "single":
            return links.of_faces(self._cut(spanning_forest(links)))
        return links.of_faces(self._cut(merges_of_links(links, "complete", cut, least)))

    def _constrained(
        self, graph: KnnGraph, constraints: Constraints, cut: float, least: int
    ) -> NDArray[np.int32]:
        links = symmetric_links(graph, -np.inf if self.linkage == "average" else cut)
        contracted = Contracted.of(links, constraints, self.linkage)
        if self.linkage == "single":
            merges = forest_apart(contracted)
        else:
            groups = contracted.size, contracted.count
            merges = merges_of_links(contracted.links, self.linkage, cut, least, groups)
        return first_seen(self._cut(merges)[contracted.node])

    def cluster_all_pairs(
        self, features: NDArray[np.floating[Any]], constraints: Constraints | None = None
    ) -> NDArray[np.int32]:
        """The same on the cosines of all pairs: (N,) int32. O(N^2 d) time.

        features: (N, d) unit rows
        Memory is O(N d) for single linkage, 4 N^2 bytes for the others, twice that with constraints.

        InputError: more than 20,000 faces, `n_clusters` above N; constraints of other faces.
        """
        if len(features) > MOST:
            raise InputError(
                f"all pairs of {len(features):,} faces are too many; {MOST:,} is the limit, pass a kNN graph"
            )
        refuse_other_clusters(self.n_clusters, len(features))
        order = content_order(features)
        placed = features[order]
        node = np.arange(len(order), dtype=np.int32)
        if constraints is not None:
            similarity, node, size = contracted_pairs(all_cosines(placed), constraints, order, self.linkage)
            merges = merges_of_pairs(similarity, self.linkage, size)
        elif self.linkage == "single":
            merges = spanning_tree(placed)
        else:
            merges = merges_of_pairs(all_cosines(placed), self.linkage)
        labels = np.empty(len(features), dtype=np.int32)
        labels[order] = self._cut(merges)[node]
        return first_seen(labels)

    def _cut(self, merges: Merges) -> NDArray[np.int32]:
        return merges.at_least(self.tau) if self.n_clusters is None else merges.into(self.n_clusters)
