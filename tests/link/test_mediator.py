import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from personae import FaceSet, InputError, KnnGraph, knn_graph
from personae.link.mediator import MediatorConfig, MediatorModel, MediatorNet, in_both, said_of, views


def seen(seed, members, count=25, k=6):
    rng = np.random.default_rng(seed)
    base, *committee = (FaceSet.of(rng.normal(size=(count, d))) for d in (4, 6, 3)[: members + 1])
    return base, knn_graph(base, k), committee


@settings(max_examples=20)
@given(seed=st.integers(0, 9999), members=st.integers(0, 2))
def test_every_model_says_relationship_affinity_and_structure(seed, members):
    base, graph, committee = seen(seed, members)
    lists = [graph.neighbors, *(knn_graph(member, 6).neighbors for member in committee)]
    said = said_of(views(base, graph, committee), np.arange(25))
    assert said.shape == (25, 6, 3 * members + 2)
    for i in range(25):
        for rank, j in enumerate(graph.neighbors[i]):
            relationship = [j in of[i] or i in of[j] for of in lists[1:]]
            affinity = [model.features[i] @ model.features[j] for model in (base, *committee)]
            structure = [len(set(of[i]) & set(of[j])) for of in lists]
            assert np.allclose(said[i, rank], [*relationship, *affinity, *structure], atol=1e-6)


@settings(max_examples=30)
@given(seed=st.integers(0, 9999), missing=st.floats(0, 1))
def test_what_two_lists_hold_both_is_counted_as_over_all_pairs_of_entries(seed, missing):
    rng = np.random.default_rng(seed)
    lists = np.stack([rng.permutation(20)[:7] for _ in range(20)]).astype(np.int32)
    lists[rng.random(lists.shape) < missing] = -1
    rows, others = rng.integers(0, 20, 9), rng.integers(0, 20, (9, 5)).astype(np.int32)
    one, other = lists[rows], lists[others]
    equal = (one[:, None, :, None] == other[:, :, None, :]) & (other >= 0)[:, :, None, :]
    assert (in_both(lists, rows, others) == equal.sum(axis=(2, 3))).all()


def test_missing_neighbors_say_nothing_and_have_nothing_in_common():
    faces = FaceSet.of(np.eye(3, 4))
    graph = KnnGraph(np.array([[1, -1], [0, -1], [-1, -1]], np.int32), np.zeros((3, 2), np.float32))
    said = said_of(views(faces, graph, []), np.arange(3))
    assert (said == 0).all()
    links = MediatorModel(MediatorConfig()).links(faces, graph)
    assert (links.graph.similarities[graph.neighbors < 0] == 0).all()
    assert (links.graph.similarities[:2, 0] > 0).all()


def test_the_perceptron_is_as_wide_as_the_paper_has_it():
    net = MediatorNet(MediatorConfig(members=4))
    assert [tuple(weight.shape) for weight in net.parameters() if weight.ndim == 2] == [
        (42, 14),
        (42, 42),
        (2, 42),
    ]


def test_blocks_give_what_the_whole_gives_and_both_directions_agree(monkeypatch):
    base, graph, committee = seen(1, 2, count=40)
    torch.manual_seed(0)
    model = MediatorModel(MediatorConfig(2))
    whole = model.links(base, graph, committee).graph
    monkeypatch.setattr("personae.link.mediator.ROOM", 7 * 6**2)
    assert np.allclose(model.links(base, graph, committee).graph.similarities, whole.similarities, atol=1e-6)
    said = {
        (i, int(j)): float(p)
        for i, (others, row) in enumerate(zip(whole.neighbors, whole.similarities, strict=True))
        for j, p in zip(others, row, strict=True)
    }
    both = [(said[pair], said[pair[::-1]]) for pair in said if pair[::-1] in said]
    assert both
    assert np.allclose(*np.array(both).T, atol=1e-6)


def test_another_committee_than_that_of_the_training_is_refused():
    base, graph, committee = seen(2, 2)
    model = MediatorModel(MediatorConfig(1))
    with pytest.raises(InputError, match="a committee of 1 and there are 2"):
        model.links(base, graph, committee)
    with pytest.raises(InputError, match="5 faces, the base 25"):
        model.links(base, graph, [FaceSet.of(np.eye(5))])
