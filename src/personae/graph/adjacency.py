"""The kNN graph as an undirected weighted graph."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from personae.data.pages import passing
from personae.errors import InputError
from personae.graph.knn_graph import BLOCK, NOBODY, KnnGraph
from personae.graph.sorting import sort_both
from personae.graph.threads import Span, in_threads, shares, spans

Csr = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.floating[Any]]]  # as `Arcs`
Weighted = tuple[NDArray[np.int32], NDArray[np.floating[Any]]]  # faces and the weights of links with them


class Arcs(NamedTuple):
    """E links from one of N faces to another, in the order of the lists, without self-links or zeros.

    indptr:  (N + 1,) int64, others[indptr[a] : indptr[a + 1]] are those that face a is linked to
    others:  (E,) int32
    weights: (E,) float32 or float64, above 0
    """

    indptr: NDArray[np.int64]
    others: NDArray[np.int32]
    weights: NDArray[np.floating[Any]]

    @classmethod
    def of(cls, graph: KnnGraph) -> "Arcs":
        """Those of a graph. InputError: a weight is negative or not finite."""
        n, tables = len(graph), (graph.neighbors, graph.similarities)
        indptr = np.zeros(n + 1, np.int64)
        for here in passing(n, BLOCK, *tables):
            indptr[here.start + 1 : here.stop + 1] = _kept(graph, here).sum(axis=1)
        np.cumsum(indptr, out=indptr)
        others = np.empty(indptr[-1], np.int32)
        weights = np.empty(indptr[-1], np.result_type(graph.similarities.dtype, np.float32))
        for here in passing(n, BLOCK, *tables):
            kept, there = _kept(graph, here), slice(indptr[here.start], indptr[here.stop])
            others[there], weights[there] = (table[here][kept] for table in tables)
            if not (np.isfinite(weights[there]).all() and (weights[there] > 0).all()):
                raise InputError("link weights are negative or not finite; clip them at 0 first")
        return cls(indptr, others, weights)

    def both_ways(self) -> csr_array:
        """`undirected` of these links, 12 bytes each; 8 more a link meanwhile."""
        n = len(self.indptr) - 1
        back = np.zeros(n + 1, np.int64)
        np.cumsum(np.bincount(self.others, minlength=n), out=back[1:])
        came = np.empty_like(self.others), np.empty_like(self.weights)
        in_threads(_put_back, shares(back), tuple(self), back[:-1].copy(), came)
        indptr, nothing = np.zeros(n + 1, np.int64), (np.empty(0, np.int32), np.empty(0))
        in_threads(_added, spans(n), tuple(self), back, came, indptr, nothing)
        np.cumsum(indptr, out=indptr)
        both, total = np.empty(indptr[n], np.int32), np.empty(indptr[n])
        in_threads(_added, spans(n), tuple(self), back, came, indptr, (both, total))
        return csr_array((total, both, indptr), shape=(n, n))


def directed(graph: KnnGraph) -> csr_array:
    """(N, N) CSR, float64: the weight of each link as it lies, without self-links or zeros.

    InputError: a weight is negative or not finite.
    """
    n, (indptr, others, weights) = len(graph), Arcs.of(graph)
    links = csr_array((weights.astype(np.float64), others, indptr), shape=(n, n))
    links.sum_duplicates()
    return links


def undirected(graph: KnnGraph) -> csr_array:
    """(N, N) symmetric CSR, float64: W_ab = w(a -> b) + w(b -> a), without self-links or zeros.

    InputError: a weight is negative or not finite.
    """
    return Arcs.of(graph).both_ways()


def canonical_order(graph: KnnGraph) -> NDArray[np.intp]:
    """(N,) an order of the faces that depends on their similarities and not on where they stand.

    The faces are sorted by their first eight similarities; those of whom these are the same stand as they came:
    exact duplicates, and where lists are short also others, with k of 1 any two who are each other's first. A
    method that visits faces one after the other visits them so, and but for such ties gives the same people
    whatever the order of the input.
    """
    return by_similarity(graph.similarities)


def by_similarity(rows: NDArray[np.floating[Any]]) -> NDArray[np.intp]:
    """(R,) the order of rows of similarities, (R, k) best first, by the first eight of each."""
    ranks = min(rows.shape[1], 8)
    firsts = np.empty((ranks, len(rows)), rows.dtype)
    for here in passing(len(rows), BLOCK, rows):
        firsts[:, here] = rows[here, :ranks].T
    together = 8 // rows.dtype.itemsize  # ranks that are one number
    key = np.zeros(len(rows), np.uint64)
    for column in firsts[:together]:
        key = key << np.uint64(8 * column.itemsize) | _rising(column)
    order = np.argsort(key)
    key = key[order]
    tied = np.flatnonzero(np.r_[False, key[1:] == key[:-1]] | np.r_[key[1:] == key[:-1], False])
    some = order[tied]
    order[tied] = some[np.lexsort((some, *firsts[together:, some][::-1], key[tied]))]
    return order


def _rising(values: NDArray[np.floating[Any]]) -> NDArray[np.unsignedinteger[Any]]:
    """The values as whole numbers in the same order."""
    unsigned = np.dtype(f"u{values.itemsize}").type
    bits = (values + values.dtype.type(0)).view(unsigned)  # -0 is 0
    first = unsigned(1 << (8 * values.itemsize - 1))
    return np.asarray(np.where(bits >= first, ~bits, bits | first))


def _kept(graph: KnnGraph, here: slice) -> NDArray[np.bool_]:
    """(B, k) the places of some lists that links are at."""
    others = graph.neighbors[here]
    own = np.arange(here.start, here.stop)[:, None]
    return np.asarray((others != NOBODY) & (others != own) & (graph.similarities[here] != 0))


@njit(cache=True, nogil=True)
def _put_back(span: Span, arcs: Csr, end: NDArray[np.int64], came: Weighted) -> None:
    """Writes down, at some of the faces, who links to them."""
    (indptr, others, weights), (source, share) = arcs, came
    for a in range(len(indptr) - 1):
        for at in range(indptr[a], indptr[a + 1]):
            if span[0] <= others[at] < span[1]:
                source[end[others[at]]], share[end[others[at]]] = a, weights[at]
                end[others[at]] += 1


@njit(cache=True, nogil=True)
def _added(
    span: Span,
    arcs: Csr,
    back: NDArray[np.int64],
    came: Weighted,
    start: NDArray[np.int64],
    found: Weighted,
) -> None:
    """Some rows with what comes back to them, by rising face; first, while there is no room, their lengths.

    start: (N + 1,) where the rows begin; without room for them start[a + 1] becomes the length of row a
    """
    (indptr, others, weights), (source, share), (both, total) = arcs, came, found
    room = len(both) > 0
    for a in range(span[0], span[1]):
        if not room:
            sort_both(others[indptr[a] : indptr[a + 1]], weights[indptr[a] : indptr[a + 1]])
        one, two, last, count = indptr[a], back[a], -1, start[a] if room else 0
        while one < indptr[a + 1] or two < back[a + 1]:
            mine = two == back[a + 1] or (one < indptr[a + 1] and others[one] <= source[two])
            other = others[one] if mine else source[two]
            if other != last:
                last = other
                if room:
                    both[count], total[count] = other, 0.0
                count += 1
            if room:
                total[count - 1] += weights[one] if mine else share[two]
            one, two = (one + 1, two) if mine else (one, two + 1)
        if not room:
            start[a + 1] = count
