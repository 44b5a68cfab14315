import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personae import InputError, KnnGraph, knn_graph
from personae.link.consensus import Consensus


@settings(max_examples=25)
@given(seed=st.integers(0, 9999), members=st.integers(0, 3), tau=st.floats(-0.5, 0.8))
def test_a_pair_needs_the_cosine_and_the_votes(seed, members, tau):
    rng = np.random.default_rng(seed)
    base, *committee = (knn_graph(rng.normal(size=(30, 4)), k) for k in (8, 6, 10, 29)[: members + 1])
    accept = int(rng.integers(0, members + 1))
    links = Consensus(tau, accept).link(base, committee)
    for face in range(30):
        for rank, other in enumerate(base.neighbors[face]):
            in_favor = sum(other in member.neighbors[face] for member in committee)
            stays = float(base.similarities[face, rank]) > tau and in_favor >= accept
            assert links.neighbors[face, rank] == (other if stays else -1)
            assert links.similarities[face, rank] == (base.similarities[face, rank] if stays else 0)


def test_the_cosine_needs_to_exceed_tau():
    pair = KnnGraph(np.array([[1], [0]], np.int32), np.full((2, 1), 0.5, np.float32))
    assert (Consensus(0.5).link(pair).neighbors == -1).all()
    assert (Consensus(0.499).link(pair).neighbors == pair.neighbors).all()


def test_all_of_the_committee_need_to_agree_unless_told_otherwise():
    rng = np.random.default_rng(1)
    base, *committee = (knn_graph(rng.normal(size=(30, 4)), 8) for _ in range(4))
    assert (
        Consensus(0).link(base, committee).neighbors == Consensus(0, 3).link(base, committee).neighbors
    ).all()
    assert (Consensus(0, 2).link(base, committee).neighbors >= 0).sum() > (
        Consensus(0, 3).link(base, committee).neighbors >= 0
    ).sum()


def test_missing_neighbors_do_not_vote_for_each_other():
    nobody = KnnGraph(np.full((3, 2), -1, np.int32), np.ones((3, 2), np.float32))
    assert (Consensus(0).link(nobody, [nobody]).neighbors == -1).all()


def test_a_committee_that_does_not_fit_is_refused():
    graph = knn_graph(np.eye(4), 2)
    with pytest.raises(InputError, match="3 faces, the base 4"):
        Consensus().link(graph, [knn_graph(np.eye(3), 2)])
    with pytest.raises(InputError, match="accept is 2"):
        Consensus(accept=2).link(graph, [graph])
    with pytest.raises(InputError, match="accept is -1"):
        Consensus(accept=-1).link(graph)
