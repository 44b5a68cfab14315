import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personae import InputError
from personae.clustering.de_overlap import DeOverlap, Suppression
from personae.clustering.decision import Decision
from personae.graph import first_seen, knn_graph
from personae.link.links import Links
from personae.link.proposals import Proposals
from personae.link.rated import Rated


def rated(sets, scores):
    parts = [Proposals(np.array(sorted(one), np.int32), np.array([0, len(one)])) for one in sets]
    return Rated(Proposals.joined(parts), np.array(scores, np.float32))


def ranked(sets, scores):
    return sorted(range(len(sets)), key=lambda p: (-np.float32(scores[p]), -len(sets[p]), min(sets[p])))


def slow_de_overlap(sets, scores, count, remains=0.0):
    """Algorithm 3 with Python sets."""
    labels, free = np.arange(count), set(range(count))
    for p in ranked(sets, scores):
        left = sets[p] & free
        if len(left) >= remains * len(sets[p]):
            labels[list(left)] = count + p
            free -= left
    return first_seen(labels)


def slow_suppression(sets, scores, count, overlap):
    kept = []
    for p in ranked(sets, scores):
        if all(len(sets[p] & sets[q]) <= overlap * len(sets[p] | sets[q]) for q in kept):
            kept.append(p)
    return slow_de_overlap([sets[p] for p in kept], [scores[p] for p in kept], count)


some_sets = st.lists(st.sets(st.integers(0, 19), min_size=1, max_size=8), max_size=12)


@settings(max_examples=60)
@given(sets=some_sets, seed=st.integers(0, 99), share=st.sampled_from([0.0, 0.2, 0.5, 0.75, 1.0]))
def test_both_are_their_definitions(sets, seed, share):
    scores = np.random.default_rng(seed).integers(0, 5, len(sets)) / 4  # with ties
    found = DeOverlap(share).cluster(rated(sets, scores), 20)
    assert (found == slow_de_overlap(sets, scores, 20, share)).all()
    found = Suppression(share).cluster(rated(sets, scores), 20)
    assert (found == slow_suppression(sets, scores, 20, share)).all()


def test_three_overlapping_proposals_by_hand():
    three = rated([{0, 1, 2, 3}, {2, 3, 4}, {4, 5}], [0.9, 0.8, 0.3])
    assert DeOverlap().cluster(three, 7).tolist() == [0, 0, 0, 0, 1, 2, 3]
    assert DeOverlap(0.5).cluster(three, 7).tolist() == [0, 0, 0, 0, 1, 1, 2]
    assert Suppression(0.3).cluster(three, 7).tolist() == [0, 0, 0, 0, 1, 1, 2]


@pytest.mark.parametrize("scores", [[1.1, 1.4], [-0.3, -0.1], [-np.inf, 0.0]])
def test_scores_beyond_0_and_1_rank_as_they_are_and_weigh_as_0_and_1(scores):
    two = rated([{0, 1, 2, 3}, {2, 3, 4}], scores)
    assert DeOverlap().cluster(two, 5).tolist() == [0, 0, 1, 1, 1]
    weight = float(scores[0] > 1)
    links = two.links(knn_graph(np.eye(5) + 1, 4))
    assert set(links.similarities[links.neighbors >= 0].tolist()) == {weight}
    assert len(two.at_least(weight).proposals) == 2


def test_no_proposals_leave_everybody_alone():
    none = Rated(Proposals.joined([]), np.zeros(0, np.float32))
    assert DeOverlap().cluster(none, 3).tolist() == [0, 1, 2]
    assert Suppression().cluster(none, 3).tolist() == [0, 1, 2]


@pytest.mark.parametrize("bad", [-0.1, 1.1])
def test_shares_that_cannot_be_are_refused(bad):
    some = rated([{0, 1}], [0.5])
    with pytest.raises(InputError, match="remains is"):
        DeOverlap(bad).cluster(some, 2)
    with pytest.raises(InputError, match="overlap is"):
        Suppression(bad).cluster(some, 2)


def test_a_decision_drops_proposals_of_low_score_and_asks_for_some():
    graph = knn_graph(np.eye(4) + 1, 3)
    links = Links(graph, np.zeros(4, np.float32), proposals=rated([{0, 1}, {2, 3}], [0.9, 0.4]))
    assert Decision("de_overlap", 0.5).people(links).tolist() == [0, 0, 1, 2]
    assert Decision("suppression", 0.1).people(links).tolist() == [0, 0, 1, 1]
    with pytest.raises(InputError, match="does not make"):
        Decision("de_overlap", 0.5).people(Links.of(graph))
