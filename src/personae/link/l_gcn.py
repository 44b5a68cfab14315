"""L-GCN: is a neighbor the same person as the pivot, seen in the pivot's whole neighborhood?

Wang et al., "Linkage Based Face Clustering via Graph Convolution Network", CVPR 2019. Where the published
program differs from the text it is followed: the pivot is inside, A is divided by its row sums, features are
normalised first; its batch statistics count rows of padding, those here don't.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from personae.data.faceset import FaceSet
from personae.graph.knn_graph import KnnGraph
from personae.graph.lists import in_reach
from personae.link.layers import MeanLayer
from personae.link.pivot_relations import RELATIONS, relations
from personae.link.pivot_subgraphs import Neighborhood, PivotSubgraphs

ATTENTION = 64  # hidden units of the attention's network; the paper does not say


@dataclass(frozen=True)
class PivotConfig:
    """What builds a `PivotNet`, and the subgraphs it looks at.

    dimension:   d, of the features
    shape:       k1, k2, u of the subgraphs, and whether the pivot is inside
    inputs:      "residual" is x_q - x_p; "relations" is what `relations` says of the two, which no rotation of
                 the features changes
    hidden:      widths of the four layers
    aggregation: "mean" of the linked faces; "weighted" by the soft-max of their cosines; "attention" by a
                 soft-max of what a network of two layers says of the pair
    dropout:     share of hidden values that training leaves out
    """

    dimension: int
    shape: Neighborhood = Neighborhood()  # noqa: RUF009  (frozen)
    inputs: Literal["residual", "relations"] = "residual"
    hidden: tuple[int, ...] = (512, 512, 256, 256)
    aggregation: Literal["mean", "weighted", "attention"] = "mean"
    dropout: float = 0.0

    @property
    def width(self) -> int:
        """Values a row."""
        return self.dimension if self.inputs == "residual" else RELATIONS


@dataclass(frozen=True)
class Batch:
    """Subgraphs as the network takes them.

    x:          (M, width) float32, of the faces in all subgraphs
    others:     (L,) int64, rows linked to each row, one row after the other
    indptr:     (M + 1,) int64
    cosines:    (L,) float32, of the linked faces
    candidates: (C,) int64, the rows that are judged
    """

    x: Tensor
    others: Tensor
    indptr: Tensor
    cosines: Tensor
    candidates: Tensor

    @classmethod
    def of(cls, config: PivotConfig, faces: FaceSet, graph: KnnGraph, subgraphs: PivotSubgraphs) -> Self:
        """The subgraphs of these faces on their graph."""
        x = inputs(config, faces, graph, subgraphs)
        others = subgraphs.others.astype(np.int64)
        cosines = np.zeros(0, np.float32)
        if config.aggregation == "weighted":
            row = np.repeat(np.arange(len(x)), np.diff(subgraphs.indptr))
            ends = faces.features[subgraphs.faces[row]], faces.features[subgraphs.faces[others]]
            cosines = np.einsum("ij,ij->i", *ends, dtype=np.float32)
        parts = (x, others, subgraphs.indptr, cosines, subgraphs.candidate_rows())
        return cls(*(torch.from_numpy(part) for part in parts))

    def to(self, device: str) -> "Batch":
        """On this device."""
        return Batch(*(part.to(device) for part in vars(self).values()))


def looked_at(config: PivotConfig, graph: KnnGraph) -> KnnGraph:
    """The graph as the network looks at it: relations are of lists, which must not reach too far."""
    return in_reach(graph) if config.inputs == "relations" else graph


def inputs(
    config: PivotConfig, faces: FaceSet, graph: KnnGraph, subgraphs: PivotSubgraphs
) -> NDArray[np.float32]:
    """(M, width), what the network sees of each row."""
    if config.inputs == "relations":
        return relations(faces, graph, subgraphs)
    pivots = faces.features[subgraphs.pivots].astype(np.float32)[subgraphs.pivot_of_row()]
    return np.asarray(faces.features[subgraphs.faces].astype(np.float32) - pivots)


class PivotNet(nn.Module):
    """Four graph convolutions over a pivot subgraph, and a classifier of the pivot's own neighbors.

    Residuals are normalised by the statistics of the batch, as published. Relations differ from collection to
    collection, so that a batch, which is of one, says nothing of the next; their statistics are set once.
    """

    def __init__(self, config: PivotConfig) -> None:
        super().__init__()
        widths = (config.width, *config.hidden)
        pairs = list(pairwise(widths))
        self.norm = nn.BatchNorm1d(config.width, affine=False)
        self.of_batches = config.inputs == "residual"
        self.layers = nn.ModuleList(MeanLayer(width, out, config.dropout) for width, out in pairs)
        self.averages = nn.ModuleList(_average(config.aggregation, width) for width, _ in pairs)
        last = widths[-1]
        self.head = nn.Sequential(nn.Linear(last, last), nn.PReLU(last), nn.Linear(last, 2))

    def forward(self, batch: Batch) -> Tensor:
        """(C, 2), for each candidate: another person, the pivot's person"""
        h = self.normalised(batch.x)  # (M, width)
        for layer, average in zip(self.layers, self.averages, strict=True):
            h = layer(h, average(h, batch))  # (M, out)
        logits: Tensor = self.head(h[batch.candidates])  # (C, 2)
        return logits

    def normalised(self, x: Tensor) -> Tensor:
        """x: (M, width); the same shape"""
        if self.of_batches:
            return torch.as_tensor(self.norm(x))
        norm = self.norm
        return functional.batch_norm(x, norm.running_mean, norm.running_var, training=False, eps=norm.eps)

    @torch.no_grad()
    def standardize(self, x: Tensor) -> None:
        """Takes the mean and the variance of these rows, (M, width), for the statistics of relations."""
        norm: Any = self.norm
        norm.running_mean.copy_(x.mean(dim=0))
        norm.running_var.copy_(x.var(dim=0, correction=0))


def _average(aggregation: str, width: int) -> nn.Module:
    return {"mean": Mean, "weighted": Weighted, "attention": Attention}[aggregation](width)


class Mean(nn.Module):
    """D^-1 A h: the mean of the linked rows, 0 where there are none."""

    def __init__(self, width: int) -> None:
        super().__init__()

    def forward(self, h: Tensor, batch: Batch) -> Tensor:
        """h: (M, width); the same shape"""
        return functional.embedding_bag(batch.others, h, batch.indptr, mode="mean", include_last_offset=True)


class Weighted(nn.Module):
    """The linked rows weighted by the soft-max of their cosines."""

    def __init__(self, width: int) -> None:
        super().__init__()

    def forward(self, h: Tensor, batch: Batch) -> Tensor:
        """h: (M, width); the same shape"""
        return _weighted(h, batch, batch.cosines)


class Attention(nn.Module):
    """The linked rows weighted by the soft-max of what a network says of the two."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.row = nn.Linear(width, ATTENTION)
        self.other = nn.Linear(width, ATTENTION, bias=False)
        self.score = nn.Linear(ATTENTION, 1, bias=False)

    def forward(self, h: Tensor, batch: Batch) -> Tensor:
        """h: (M, width); the same shape"""
        row = _rows(batch)
        pair = functional.relu(self.row(h)[row] + self.other(h)[batch.others])  # (L, ATTENTION)
        return _weighted(h, batch, self.score(pair).squeeze(-1))


def _rows(batch: Batch) -> Tensor:
    """(L,) the row of each entry of `others`."""
    return torch.repeat_interleave(torch.diff(batch.indptr))


def _weighted(h: Tensor, batch: Batch, scores: Tensor) -> Tensor:
    """The linked rows weighted by the soft-max of `scores` (L,) within each row."""
    row, count = _rows(batch), len(batch.indptr) - 1
    scores = scores.float()
    top = torch.zeros(count).to(scores).scatter_reduce(0, row, scores.detach(), "amax", include_self=False)
    weight = torch.exp(scores - top[row])
    share = weight / torch.zeros(count).to(weight).index_add(0, row, weight)[row]
    return functional.embedding_bag(
        batch.others,
        h,
        batch.indptr,
        mode="sum",
        include_last_offset=True,
        per_sample_weights=share.to(h.dtype),
    )
