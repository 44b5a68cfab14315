"""A dendrogram as the list of its merges, and the partitions that cuts through it give."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.errors import InputError, refuse_other_clusters
from personae.graph.components import numbered_parts, root_of


@dataclass(frozen=True)
class Merges:
    """Which clusters were joined, the most alike first; fewer than N - 1 where parts were never joined.

    faces:      N
    a, b:       (M,) int32, one face of each of the two clusters
    similarity: (M,) float64, of the two clusters when they were joined, not increasing
    """

    faces: int
    a: NDArray[np.int32]
    b: NDArray[np.int32]
    similarity: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        faces: int,
        a: NDArray[np.integer[Any]],
        b: NDArray[np.integer[Any]],
        similarity: NDArray[np.floating[Any]],
    ) -> "Merges":
        """The merges of a method that finds them in another order."""
        order = np.argsort(-similarity, kind="stable")
        return cls(
            faces, a[order].astype(np.int32), b[order].astype(np.int32), similarity[order].astype(np.float64)
        )

    def at_least(self, tau: float) -> NDArray[np.int32]:
        """(N,) int32, the clusters that merges of similarity `tau` or above make."""
        return self._after(int((self.similarity >= tau).sum()))

    def into(self, clusters: int) -> NDArray[np.int32]:
        """(N,) int32, this many clusters.

        InputError: more than there are faces, or fewer than there are parts that nothing joins.
        """
        least = self.faces - len(self.a)
        refuse_other_clusters(clusters, self.faces)
        if clusters < least:
            raise InputError(
                f"{clusters:,} clusters are asked for, but nothing joins the last {least:,}: no links, or "
                f"pairs that are apart; ask for as many, or raise k"
            )
        return self._after(self.faces - clusters)

    def _after(self, count: int) -> NDArray[np.int32]:
        return _joined(self.faces, self.a[:count], self.b[:count])


@njit(cache=True)
def _joined(faces: int, a: NDArray[np.int32], b: NDArray[np.int32]) -> NDArray[np.int32]:
    parent = np.arange(faces, dtype=np.int32)
    for at in range(len(a)):
        left, right = root_of(parent, a[at]), root_of(parent, b[at])
        parent[max(left, right)] = min(left, right)
    return numbered_parts(parent)
