import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personae import InputError, knn_graph
from personae.clustering.chinese_whispers import Whispers
from personae.graph import KnnGraph, canonical_order, first_seen
from tests.graph.test_links import random_lists, slow_links
from tests.planted import made_faces


def slow_whispers(graph, tau, iterations, seed):
    """The rounds over dictionaries, face by face; the faces are told apart by their canonical places."""
    order = canonical_order(graph).tolist()
    links = slow_links(graph, tau)
    around = {face: {} for face in order}
    for (a, b), weight in links.items():
        around[a][b] = around[b][a] = weight
    place = {face: at for at, face in enumerate(order)}
    name = dict(place)
    generator = np.random.Generator(np.random.Philox(seed))
    for _ in range(iterations):
        for at in generator.permutation(len(order)).tolist():
            face = order[at]
            votes = {name[face]: 0.0}
            for other in sorted(around[face], key=place.get):
                votes[name[other]] = votes.get(name[other], 0.0) + around[face][other]
            most = max(votes.values())
            best = [candidate for candidate in votes if votes[candidate] == most]
            name[face] = name[face] if name[face] in best else min(best)
    return first_seen(np.array([name[face] for face in range(len(order))]))


@given(
    n=st.integers(1, 25),
    k=st.integers(0, 5),
    steps=st.sampled_from([4, 1000]),
    iterations=st.integers(1, 5),
    seed=st.integers(0, 999),
)
def test_names_are_those_of_the_rounds_written_slowly(n, k, steps, iterations, seed):
    graph = random_lists(n, k, 0.9, seed)
    graph = graph.linked((np.round(np.abs(graph.similarities) * steps) / steps).astype(np.float32))
    labels = Whispers(0.2, iterations, seed).cluster(graph)
    assert (labels == slow_whispers(graph, 0.2, iterations, seed)).all()


def test_the_seed_matters_and_the_same_one_gives_the_same_people():
    graph = knn_graph(made_faces([30, 12, *[5] * 10, *[1] * 30], spread=1.2, d=16), 12)
    found = [Whispers(0.3, seed=seed).cluster(graph).tolist() for seed in range(8)]
    assert found[0] == Whispers(0.3, seed=0).cluster(graph).tolist()
    assert len({tuple(labels) for labels in found}) > 1


def test_a_permutation_permutes_the_labels_in_crowded_data():
    faces = made_faces([30, 12, *[5] * 10, *[1] * 30], spread=1.2, d=16)
    order = np.random.default_rng(3).permutation(len(faces))
    labels = Whispers(0.3).cluster(knn_graph(faces, 12))
    assert (
        first_seen(Whispers(0.3).cluster(knn_graph(faces.take(order), 12))) == first_seen(labels[order])
    ).all()


def test_one_weak_link_joins_nobody():
    """Two cliques of four, cosine 0.9 within, and one link of 0.6 between them."""
    neighbors = np.array([[j for j in range(8) if j != i and j // 4 == i // 4] for i in range(8)])
    bridge = np.full((8, 1), -1)
    bridge[3] = 4
    similarities = np.hstack([np.full((8, 3), 0.9), np.where(bridge < 0, 0, 0.6)]).astype(np.float32)
    graph = KnnGraph(np.hstack([neighbors, bridge]).astype(np.int32), similarities)
    found = [Whispers(0.5, seed=seed).cluster(graph).tolist() for seed in range(10)]
    assert found.count([0, 0, 0, 0, 1, 1, 1, 1]) >= 9  # the bridge may win where it is walked first


def test_what_cannot_be_is_refused(planted):
    with pytest.raises(InputError, match="links below 0"):
        Whispers(-1.0).cluster(knn_graph(planted, 100))
    for words in ({"iterations": 0}, {"iterations": 2.5}, {"seed": -1}):
        with pytest.raises(InputError, match="whole number, at least"):
            Whispers(0.5, **words)
