"""Node intimacy: cliques, bridges and couples by hand, the definition as sparse products."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array, eye_array

from personae import InputError
from personae.clustering.node_intimacy import NodeIntimacy, intimacy
from personae.graph import KnnGraph
from personae.graph.knn_graph import NOBODY


def graph_of(lists):
    k = max(map(len, lists), default=0)
    neighbors = np.array([[*row, *[NOBODY] * (k - len(row))] for row in lists], dtype=np.int32)
    return KnnGraph(neighbors, np.where(neighbors == NOBODY, 0, 1).astype(np.float32))


def clique(*faces):
    return {face: [other for other in faces if other != face] for face in faces}


@st.composite
def any_graph(draw):
    n, k, seed = draw(st.integers(1, 30)), draw(st.integers(1, 12)), draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    k = min(k, max(n - 1, 1))
    lists = [rng.permutation(np.delete(np.arange(n), face))[:k] for face in range(n)]
    kept = rng.random(n) ** 0.5
    return graph_of([[*row[rng.random(len(row)) < kept[face]]] for face, row in enumerate(lists)])


def slowly(graph, own):
    """C = B B and degrees, as sparse products of the whole matrix of links."""
    n = len(graph)
    rows, ranks = np.nonzero(graph.neighbors != NOBODY)
    links = csr_array((np.ones(len(rows)), (rows, graph.neighbors[rows, ranks])), shape=(n, n))
    if own:
        links = links + eye_array(n)
    common = (links @ links).toarray()
    degree = links.toarray().sum(axis=1)
    share = np.zeros(graph.neighbors.shape)
    outgoing = np.bincount(rows, minlength=n)
    for face, rank in zip(rows, ranks, strict=True):
        other = graph.neighbors[face, rank]
        if outgoing[other]:
            share[face, rank] = min(
                1, max(common[face, other] / degree[face], common[face, other] / degree[other])
            )
    return share


@given(any_graph(), st.booleans())
def test_intimacy_is_what_the_product_of_the_links_with_themselves_says(graph, own):
    assert np.allclose(intimacy(graph, own=own), slowly(graph, own), atol=1e-6)


def test_a_bridge_between_two_cliques_has_intimacy_0_and_goes():
    lists = clique(0, 1, 2, 3) | clique(4, 5, 6, 7)
    lists[3] = [*lists[3], 4]
    lists[4] = [*lists[4], 3]
    graph = graph_of([lists[face] for face in range(8)])
    share = intimacy(graph)
    assert share[3, 3] == share[4, 3] == 0
    assert share[0, :3] == pytest.approx([2 / 3] * 3)  # two of three links in common
    assert NodeIntimacy(tau=0.6).cluster(graph).tolist() == [0] * 4 + [1] * 4


def test_at_the_published_threshold_four_faces_are_too_few():
    assert NodeIntimacy().cluster(graph_of(list(clique(0, 1, 2, 3).values()))).tolist() == [0, 1, 2, 3]
    five = graph_of(list(clique(0, 1, 2, 3, 4).values()))  # 3 of 4
    assert NodeIntimacy().cluster(five).tolist() == [0] * 5


def test_a_couple_is_cut_unless_a_face_counts_among_its_own_links():
    couple = graph_of([[1], [0]])
    assert NodeIntimacy(tau=0).cluster(couple).tolist() == [0, 1]
    assert NodeIntimacy(tau=0.72, own=True).cluster(couple).tolist() == [0, 0]


def test_a_link_to_a_face_without_links_goes():
    graph = graph_of([[1, 2], [0, 2], []])
    assert NodeIntimacy(tau=0.1, own=True).cluster(graph).tolist() == [0, 0, 1]


@pytest.mark.parametrize(("links", "least"), [(5, 0.652), (9, 0.652), (10, 0.751), (19, 0.751), (20, 0.774)])
def test_the_threshold_rises_with_the_degree_as_in_the_journal(links, least):
    """A link has one common neighbor fewer than the threshold asks for, then as many."""
    needed = int(np.floor(least * links)) + 1
    for common, stays in ((needed - 1, False), (needed, True)):
        shared = list(range(2, 2 + common))
        alone = list(range(100, 100 + links - 1 - common))
        others = list(range(200, 200 + links - common))
        mediators = {face: [1] for face in shared}  # each is linked from 0 and links to 1
        lists = {0: [1, *shared, *alone], 1: [*shared, *others]} | mediators
        graph = graph_of([lists.get(face, []) for face in range(300)])
        labels = NodeIntimacy(0.78, by_degree=True).cluster(graph)
        assert (labels[0] == labels[1]) == stays


@pytest.mark.parametrize("tau", [-0.1, 1.0, float("nan")])
def test_a_threshold_that_is_no_share_is_refused(tau):
    with pytest.raises(InputError, match="share of common links"):
        NodeIntimacy(tau=tau).cluster(graph_of([[1], [0]]))


def test_a_face_alone_is_a_person():
    assert NodeIntimacy().cluster(KnnGraph(np.empty((1, 0), np.int32), np.empty((1, 0), np.float32))) == [0]


def test_a_share_of_just_the_threshold_is_not_above_it():
    """Five faces all linked share 3 of 4, seven share 5 of 6; the threshold is that share in float64."""
    for faces in range(4, 13):
        graph = graph_of(list(clique(*range(faces)).values()))
        tau = (faces - 2) / (faces - 1)
        assert NodeIntimacy(tau).cluster(graph).tolist() == list(range(faces))
        assert NodeIntimacy(tau - 1e-4).cluster(graph).tolist() == [0] * faces
