"""CDP's pairs: neighbors above a threshold that enough models agree on.

Zhan et al., "Consensus-Driven Propagation in Massive Unlabeled Data for Face Recognition", ECCV 2018,
without the learned mediator, which is `personae.link.mediator`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from personae.errors import InputError, refuse_no_cosine
from personae.graph.knn_graph import KnnGraph
from personae.graph.threads import Span, in_threads, spans


@dataclass(frozen=True)
class Consensus:
    """A link of the base graph stays if its cosine exceeds `tau` and `accept` of the committee have it too.

    tau:    cosine of the base graph, to be exceeded
    accept: votes needed; a member votes for (i, j) if j is in its list of i; None: all members
    """

    tau: float = 0.7
    accept: int | None = None

    def link(self, graph: KnnGraph, committee: Sequence[KnnGraph] = ()) -> KnnGraph:
        """The links that stay, with their cosines; `committee` are graphs of the same faces by other models.

        InputError: a graph of other faces, more votes asked for than there are members, no cosine for tau.
        O(N k^2) a member.
        """
        refuse_no_cosine(self.tau)
        needed = len(committee) if self.accept is None else self.accept
        if not 0 <= needed <= len(committee):
            raise InputError(
                f"accept is {needed}, but the committee has {len(committee)} members beside the base"
            )
        for member in committee:
            if len(member) != len(graph):
                raise InputError(f"a committee graph has {len(member):,} faces, the base {len(graph):,}")
        return graph.where((graph.similarities > np.float64(self.tau)) & (votes(graph, committee) >= needed))


def votes(graph: KnnGraph, committee: Sequence[KnnGraph]) -> NDArray[np.int32]:
    """(N, k) int32: in how many of the committee's lists of face i its neighbor stands."""
    count = np.zeros(graph.neighbors.shape, dtype=np.int32)
    for member in committee:
        in_threads(_vote, spans(len(graph)), graph.neighbors, member.neighbors, count)
    return count


@njit(cache=True, nogil=True)
def _vote(span: Span, base: NDArray[np.int32], member: NDArray[np.int32], count: NDArray[np.int32]) -> None:
    for face in range(*span):
        for rank in range(base.shape[1]):
            for at in range(member.shape[1]):
                if base[face, rank] >= 0 and member[face, at] == base[face, rank]:
                    count[face, rank] += 1
                    break
