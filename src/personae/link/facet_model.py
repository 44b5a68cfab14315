"""FaceT on whole collections: what belongs to a face is computed once for it, not once a list that holds it.

The first self-attention of either part has queries, keys and values of single faces, and the first layer of the
pair MLP splits, W [g_q ; g_k] = W_a g_q + W_b g_k. At 100,000 x 256 with 80 candidates that leaves 7.6 TFLOP.
"""

from collections.abc import Iterator
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from personae.data.faceset import FaceSet
from personae.graph.knn_graph import KnnGraph
from personae.link.facet import (
    Attention,
    AttentionLayer,
    FaceTConfig,
    FaceTNetwork,
    LinkagePredictor,
    RelationEncoder,
)
from personae.link.links import Links

BLOCK = 64  # queries at a time; 80 candidates of 256 values make 5 MB of each of a dozen tensors


class FaceTModel:
    """The published network and what built it; an instance of `LinkModel`."""

    def __init__(self, config: FaceTConfig) -> None:
        self.config = config
        self.module = FaceTNetwork(config)

    def links(self, faces: FaceSet, graph: KnnGraph) -> Links:
        """Probabilities of all candidates, each pair as often as it is on a list (A14); see `probabilities`."""
        return Links.of(graph.linked(probabilities(self.module, faces, graph)))


@torch.no_grad()
def probabilities(
    network: FaceTNetwork, faces: FaceSet, graph: KnnGraph, *, block: int = BLOCK
) -> NDArray[np.float32]:
    """(N, k) float32, the probability that each neighbor is the same person, 0 where there is none.

    Equal to `network` face by face, within rounding. 7 N d float32 numbers beside the graph.
    """
    network.eval()
    device = next(network.parameters()).device if any(True for _ in network.parameters()) else "cpu"
    f = torch.from_numpy(np.asarray(faces.features, dtype=np.float32)).to(device)
    neighbors = torch.from_numpy(graph.neighbors).to(device, torch.int64)
    found = np.zeros(graph.neighbors.shape, np.float32)
    if graph.k == 0:
        return found
    g = f if network.encoder is None else everyone(network.encoder, f, neighbors[:, : network.hop2], block)
    judged = (
        alike(g, neighbors, block)
        if network.predictor is None
        else linked(network.predictor, g, neighbors, block)
    )
    for start, part in zip(range(0, len(found), block), judged, strict=True):
        near = neighbors[start : start + block] >= 0
        found[start : start + block] = (part * near).cpu().numpy()
    return found


def everyone(encoder: RelationEncoder, f: Tensor, neighbors: Tensor, block: int) -> Tensor:
    """(N, D), all enhanced faces; neighbors (N, hop2)."""
    first, *others = cast(list[AttentionLayer], list(encoder.layers))
    table = projected(first.attention, f)
    asking = encoder.cross.query(f)  # (N, D)
    found = []
    for rows in runs(f, 16 * block):
        near = neighbors[rows]
        there = near >= 0
        tokens = first_layer(first, f, table, near.clamp(min=0), there)  # (B, hop2, D)
        for layer in others:
            tokens = layer(tokens, there)
        k, v = (encoder.cross.split(part) for part in (encoder.cross.key(tokens), encoder.cross.value(tokens)))
        mixture = encoder.cross.mixed(encoder.cross.split(asking[rows, None]), k, v, there)
        found.append(encoder.norm(encoder.cross.out(mixture)[:, 0] + f[rows]))
    return torch.cat(found)


def linked(predictor: LinkagePredictor, g: Tensor, neighbors: Tensor, block: int) -> Iterator[Tensor]:
    """(B, hop1) probabilities, block after block; neighbors (N, hop1)."""
    first, *others = cast(list[AttentionLayer], list(predictor.layers))
    table = projected(first.attention, g)
    wide, bend, narrow = predictor.wide, predictor.bend, predictor.narrow
    width = g.shape[1]
    of_query = functional.linear(g, wide.weight[:, :width], wide.bias)  # (N, D)
    odds = narrow.weight[1] - narrow.weight[0]  # (D,)
    for rows in runs(g, block):
        near = neighbors[rows]
        there = near >= 0
        tokens = first_layer(first, g, table, near.clamp(min=0), there)  # (B, hop1, D)
        for layer in others:
            tokens = layer(tokens, there)
        pairs = functional.linear(tokens, wide.weight[:, width:]) + of_query[rows, None]
        bent = functional.prelu(pairs.flatten(0, 1), bend.weight).view_as(pairs)
        yield (bent @ odds + (narrow.bias[1] - narrow.bias[0])).sigmoid()


def alike(g: Tensor, neighbors: Tensor, block: int) -> Iterator[Tensor]:
    """(B, hop1), 1 - e = (1 + cosine) / 2 of enhanced faces, block after block."""
    unit = functional.normalize(g, dim=-1)
    for rows in runs(g, block):
        near = unit[neighbors[rows].clamp(min=0)]  # (B, hop1, D)
        yield ((1 + (near @ unit[rows, :, None])[..., 0]) / 2).clamp(0, 1)


def runs(x: Tensor, block: int) -> Iterator[Tensor]:
    """The rows of x, so many at a time."""
    rows = torch.arange(len(x), device=x.device)
    return (rows[start : start + block] for start in range(0, len(x), block))


def projected(attention: Attention, x: Tensor) -> Tensor:
    """(N, 3, h * head), what each face asks, answers and holds."""
    weights = torch.cat([part.weight for part in (attention.query, attention.key, attention.value)])
    return functional.linear(x, weights).view(len(x), 3, -1)


def first_layer(layer: AttentionLayer, x: Tensor, table: Tensor, near: Tensor, there: Tensor) -> Tensor:
    """(B, T, D), the layer on the rows `near` (B, T) of x (N, D), with what was projected before."""
    q, k, v = (layer.attention.split(table[near, part]) for part in range(3))
    return layer.after(x[near], layer.attention.out(layer.attention.mixed(q, k, v, there)))
