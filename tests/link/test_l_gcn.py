from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks.padded_l_gcn import padded_probabilities
from personae import knn_graph
from personae.data import FaceSet
from personae.graph import KnnGraph
from personae.link.l_gcn import Batch, PivotConfig, inputs
from personae.link.l_gcn_inference import PivotModel, averaged
from personae.link.pivot_subgraphs import Neighborhood, PivotSubgraphs
from tests.planted import made_faces

FACES = made_faces([12, 9, 6, *[2] * 10, *[1] * 20], d=16)
GRAPH = knn_graph(FACES, 12)
SMALL = PivotConfig(16, Neighborhood(8, 3, 3), hidden=(24, 24, 12, 12))


def model_of(config, seed=0):
    """Random weights large enough for probabilities all over the place, and statistics of these faces."""
    torch.manual_seed(seed)
    model = PivotModel(config)
    model.module.train()
    subgraphs = PivotSubgraphs.of(GRAPH, np.arange(len(FACES)), config.shape)
    with torch.no_grad():
        for weight in model.module.parameters():
            weight.copy_(2 * weight + 0.1 * torch.randn_like(weight))
        for _ in range(20):
            model.module(Batch.of(config, FACES, GRAPH, subgraphs))
    model.module.eval()
    return model


@pytest.mark.parametrize("inputs", ["residual", "relations"])
@pytest.mark.parametrize("pivot", [True, False])
@pytest.mark.parametrize("links", [0, 3])
def test_fast_inference_is_the_padded_network_with_a_dense_adjacency(inputs, pivot, links):
    model = model_of(replace(SMALL, inputs=inputs, shape=Neighborhood(8, 3, links, pivot)))
    plain = padded_probabilities(model, FACES, GRAPH, np.arange(len(FACES)))
    fast = model.probabilities(FACES, GRAPH)
    assert plain.std() > 0.05
    np.testing.assert_allclose(fast, plain, atol=1e-4)


@pytest.mark.parametrize("inputs", ["residual", "relations"])
def test_fast_inference_is_the_network_as_it_is_trained(inputs):
    model = model_of(replace(SMALL, inputs=inputs))
    subgraphs = PivotSubgraphs.of(GRAPH, np.arange(len(FACES)), SMALL.shape)
    with torch.no_grad():
        logits = model.module(Batch.of(model.config, FACES, GRAPH, subgraphs))
    np.testing.assert_allclose(
        model.probabilities(FACES, GRAPH).ravel(), torch.softmax(logits, 1)[:, 1].numpy(), atol=1e-4
    )


def test_rows_see_the_difference_to_their_pivot():
    subgraphs = PivotSubgraphs.of(GRAPH, np.array([5, 9]), SMALL.shape)
    seen = inputs(SMALL, FACES, GRAPH, subgraphs)
    for row, b in enumerate(subgraphs.pivot_of_row()):
        difference = FACES.features[subgraphs.faces[row]] - FACES.features[subgraphs.pivots[b]]
        np.testing.assert_allclose(seen[row], difference, atol=1e-7)
    assert np.count_nonzero((seen == 0).all(axis=1)) == 2  # the pivots themselves


@pytest.mark.parametrize("aggregation", ["mean", "weighted", "attention"])
def test_aggregation_is_a_mean_of_linked_rows_of_its_weights(aggregation):
    model = model_of(replace(SMALL, aggregation=aggregation))
    subgraphs = PivotSubgraphs.of(GRAPH, np.array([0, 20]), SMALL.shape)
    batch = Batch.of(model.config, FACES, GRAPH, subgraphs)
    average = model.module.averages[0]
    with torch.no_grad():
        found = average(batch.x, batch)
        for row in range(len(batch.x)):
            linked = batch.others[batch.indptr[row] : batch.indptr[row + 1]]
            if aggregation == "mean":
                scores = torch.zeros(len(linked))
            elif aggregation == "weighted":
                face = torch.from_numpy(FACES.features[subgraphs.faces[row]])
                scores = torch.from_numpy(FACES.features[subgraphs.faces[linked.numpy()]]) @ face
            else:
                pair = average.row(batch.x[row]) + average.other(batch.x[linked])
                scores = average.score(torch.relu(pair)).squeeze(1)
            expected = torch.softmax(scores.float(), 0) @ batch.x[linked]
            torch.testing.assert_close(found[row], expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("aggregation", ["mean", "weighted", "attention"])
def test_every_block_gives_the_same_links(aggregation):
    model = model_of(replace(SMALL, aggregation=aggregation))
    whole = model.probabilities(FACES, GRAPH, block=1000)
    np.testing.assert_allclose(model.probabilities(FACES, GRAPH, block=7), whole, atol=1e-6)
    np.testing.assert_allclose(model.probabilities(FACES, GRAPH, np.array([3, 1])), whole[[3, 1]], atol=1e-6)


@pytest.mark.parametrize("inputs", ["residual", "relations"])
def test_a_permutation_of_the_faces_permutes_the_links(inputs):
    model = model_of(replace(SMALL, inputs=inputs))
    order = np.random.default_rng(1).permutation(len(FACES))
    mixed = FACES.take(order)
    np.testing.assert_allclose(
        model.links(mixed, knn_graph(mixed, 12)).graph.similarities,
        model.links(FACES, GRAPH).graph.similarities[order],
        atol=1e-5,
    )


def test_a_face_without_neighbors_has_no_links():
    model = model_of(SMALL)
    kept = np.ones(GRAPH.neighbors.shape, bool)
    kept[4] = False
    kept[7, 3:5] = False
    graph = GRAPH.where(kept)
    found = model.probabilities(FACES, graph)
    assert np.isfinite(found).all()
    assert (found[~kept[:, :8]] == 0).all()
    assert (found[kept[:, :8]] > 0).all()


def test_one_face_and_two_faces_are_no_trouble():
    for kind in ("residual", "relations"):
        model = model_of(replace(SMALL, inputs=kind))
        for count in (1, 2):
            faces = FaceSet.of(np.eye(16)[:count])
            assert model.links(faces, knn_graph(faces, 80)).graph.similarities.shape == (count, count - 1)


def test_both_directions_are_averaged_where_both_are_there():
    graph = KnnGraph(
        np.array([[1, 2], [0, -1], [1, 0]], np.int32), np.array([[0.8, 0.4], [0.2, 0], [0.6, 0.1]])
    )
    np.testing.assert_allclose(averaged(graph).similarities, [[0.5, 0.25], [0.5, 0], [0.6, 0.25]], atol=1e-7)
