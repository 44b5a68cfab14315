import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personae import InputError, knn_graph
from personae.graph import KnnGraph
from personae.graph.condensed_tree import CLOSEST, condensed_tree, excess_of_mass
from personae.graph.links import symmetric_links
from personae.graph.mutual_reachability import core_similarity, mutual_reachability
from personae.graph.spanning import spanning_forest
from tests.graph.test_links import random_lists, slow_links


def slow_clusters(n, links, least):
    """The clusters of highest total stability, from the components at every level and all choices below."""

    def split(faces, above):
        """The lowest level above `above`, as a density and as it is, and the large parts left there."""
        level = min(s for pair, s in links.items() if set(pair) <= faces and s > above)
        left = networkx.empty_graph(faces)
        left.add_edges_from(pair for pair, s in links.items() if set(pair) <= faces and s > level)
        parts = [set(part) for part in networkx.connected_components(left)]
        return 1 / max(1 - level, CLOSEST), level, [part for part in parts if len(part) >= least]

    def best(faces, level, birth):
        """The largest sum of stabilities in a cluster that appears at a level, and whose it is."""
        alive, stability, big = faces, 0.0, [faces]
        while len(big) == 1:
            stay = alive
            density, level, big = split(stay, level)
            alive = big[0] if len(big) == 1 else set()
            stability += len(stay - alive) * (density - birth)
        below = [best(part, level, density) for part in big]
        total = sum(value for value, _ in below)
        if total > stability:
            return total, [cluster for _, clusters in below for cluster in clusters]
        return stability, [faces]

    everything = networkx.empty_graph(n)
    everything.add_edges_from(links)
    parts = [set(part) for part in networkx.connected_components(everything)]
    big, level, density = [part for part in parts if len(part) >= least], -np.inf, 0.0
    while len(big) == 1:  # still everybody, which is never selected
        density, level, big = split(big[0], level)
    return [cluster for part in big for cluster in best(part, level, density)[1]]


@given(
    n=st.integers(4, 22),
    k=st.integers(1, 6),
    least=st.integers(2, 4),
    steps=st.sampled_from([3, 8, 1000]),
    seed=st.integers(0, 9999),
)
def test_clusters_are_those_of_the_levels_written_slowly(n, k, least, steps, seed):
    graph = random_lists(n, k, 0.9, seed)
    similarities = (np.round(np.abs(graph.similarities) * steps) / steps * 0.9).astype(np.float32)  # ties
    graph = KnnGraph(graph.neighbors, similarities)
    links = symmetric_links(graph)
    found = excess_of_mass(condensed_tree(spanning_forest(links), least))
    clusters = {frozenset(links.order[found == c].tolist()) for c in set(found.tolist()) - {-1}}
    assert clusters == {frozenset(c) for c in slow_clusters(n, slow_links(graph, -np.inf), least)}


def test_the_stability_of_two_pairs_is_that_of_the_formula():
    """Four faces in two pairs at cosines 0.9 and 0.8 that a link at 0.5 joins: densities 10, 5 and 2."""
    graph = KnnGraph(
        np.array([[1], [2], [3], [-1]], np.int32), np.array([[0.9], [0.5], [0.8], [0]], np.float32)
    )
    tree = condensed_tree(spanning_forest(symmetric_links(graph)), 2)
    assert tree.parent[0] == -1
    assert tree.parent[1:].tolist() == [0, 0]
    assert tree.stability[0] == pytest.approx(4 * 2)
    assert sorted(tree.stability[1:]) == pytest.approx([2 * (5 - 2), 2 * (10 - 2)], rel=1e-5)


def test_the_core_similarity_is_that_of_the_neighbor_at_its_rank(planted):
    graph = knn_graph(planted, 9)
    assert (core_similarity(graph, 1) == 1).all()
    assert (core_similarity(graph, 2) == graph.similarities[:, 0]).all()
    assert (core_similarity(graph, 10) == graph.similarities[:, 8]).all()
    torn = KnnGraph(
        np.where(np.arange(9) == 1, np.int32(-1), graph.neighbors),
        np.where(np.arange(9) == 1, np.float32(0), graph.similarities),
    )
    assert (core_similarity(torn, 3) == graph.similarities[:, 2]).all()
    assert (core_similarity(torn, 10) == -np.inf).all()


def test_too_many_samples_for_the_lists_are_refused(planted):
    graph = knn_graph(planted, 9)
    for samples, says in ((0, "at least 1"), (11, "raise k to 10")):
        with pytest.raises(InputError, match=says):
            core_similarity(graph, samples)
    assert (core_similarity(knn_graph(planted.take(np.arange(5)), 9), 8) == -np.inf).all()


def test_mutual_reachability_is_the_least_of_the_three(planted):
    graph = knn_graph(planted, 12)
    core = core_similarity(graph, 4)
    links = mutual_reachability(graph, 4)
    plain = slow_links(graph, -np.inf)
    for a, b, weight in zip(*links.pairs(), strict=True):
        i, j = int(links.order[a]), int(links.order[b])
        assert weight == min(core[i], core[j], np.float32(plain[min(i, j), max(i, j)]))
