"""STAR-FC: one graph convolution over the whole kNN graph, and a classifier of its links.

Shen et al., "Structure-Aware Face Clustering on a Large-Scale Graph with 10^7 Nodes", CVPR 2021, section 3.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from personae.data.faceset import FaceSet, beside, filled
from personae.data.pages import is_map, passing, read_at_once
from personae.graph.affinity import AT_ONCE, averaged
from personae.graph.knn_graph import KnnGraph
from personae.link.layers import MeanLayer
from personae.link.links import Links
from personae.link.star_fc_inference import judge_pairs, line_of

BLOCK = AT_ONCE  # faces that pass through the network at a time, 12 KB each


@dataclass(frozen=True)
class StarFCConfig:
    """What builds the network.

    dimension: d, of the features
    hidden:    h, of the convolution and of the head
    dropout:   of the convolution's output, while training
    """

    dimension: int
    hidden: int = 512
    dropout: float = 0.0


class StarFCNet(nn.Module):
    """Are the two faces of a link one person? p_ij and p_ji differ.

    The features go in less their mean and at unit variance, which the first layer could undo: rows of A~ sum
    to 1. It only makes training start well for embedders whose features all lie on one side.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, config: StarFCConfig) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(config.dimension))
        self.register_buffer("scale", torch.ones(()))
        self.convolution = MeanLayer(config.dimension, config.hidden, config.dropout)
        self.pair = nn.Linear(2 * config.hidden, config.hidden)
        self.bend = nn.PReLU(config.hidden)
        self.verdict = nn.Linear(config.hidden, 2)

    def faces(self, f: Tensor, average: Tensor) -> Tensor:
        """f, average: (N, d) the faces and A~ times the faces; (N, h)"""
        x: Tensor = self.convolution((f - self.mean) * self.scale, (average - self.mean) * self.scale)
        return x

    def forward(self, f: Tensor, average: Tensor, one: Tensor, other: Tensor) -> Tensor:
        """one, other: (E,) the two faces of each link; (E, 2) logits of two people and of one"""
        x = self.faces(f, average)  # (N, h)
        pairs = torch.cat([x[one], x[other]], dim=1)  # (E, 2h)
        logits: Tensor = self.verdict(self.bend(self.pair(pairs)))  # (E, 2)
        return logits

    def halves(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What a face adds to the head's first layer as the one and as the other of a link, (N, h) each.

        W [x_i || x_j] + b = (W_1 x_i + b) + W_2 x_j: N products instead of E.
        """
        first, second = self.pair.weight.chunk(2, dim=1)
        return nn.functional.linear(x, first, self.pair.bias), nn.functional.linear(x, second)

    def judged(self, x: Tensor, one: Tensor, other: Tensor) -> Tensor:
        """(E, 2), as `forward` from the faces (N, h) on."""
        mine, yours = self.halves(x)
        logits: Tensor = self.verdict(self.bend(mine.index_select(0, one) + yours.index_select(0, other)))
        return logits


class StarFCModel:
    """The network and how it is put to a collection."""

    def __init__(self, config: StarFCConfig) -> None:
        self.config = config
        self.module = StarFCNet(config)

    @torch.no_grad()
    def links(self, faces: FaceSet, graph: KnnGraph) -> Links:
        """Probabilities that two neighbors are one person.

        O(N h (d + h) + N k (d + h)), and 8 h bytes a face; where the features stay on disk 4 h there, and the
        second half of the head for a share of the faces at a time, in O(N h^2) each.
        """
        net, n = self.module, len(faces)
        shape = n, self.config.hidden
        hidden = filled(
            shape,
            np.dtype(np.float32),
            self._hidden(faces.features, graph),
            beside(faces.features),
            mapped=is_map(faces.features),
        )
        output, slope = net.verdict.weight[1] - net.verdict.weight[0], net.bend.weight
        line, fold = ((output * share).cpu().numpy() for share in (slope, 1 - slope))
        bias = float(net.verdict.bias[1] - net.verdict.bias[0])
        found = np.zeros(graph.neighbors.shape, np.float32)
        for there in passing(n, read_at_once(hidden), hidden):
            yours = np.empty((there.stop - there.start, shape[1]), np.float32)
            for start in range(0, len(yours), BLOCK):
                some = slice(start, min(start + BLOCK, len(yours)))
                yours[some] = self._halves(hidden[there][some])[1]
            theirs = yours, line_of(yours, line)
            for here in passing(n, BLOCK, hidden, graph.neighbors):
                mine = self._halves(hidden[here])[0]
                ones = mine, line_of(mine, line) + np.float32(bias)
                found[here] += judge_pairs(graph.neighbors[here], ones, there.start, theirs, fold)
        return Links.of(graph.linked(found))

    def _hidden(self, features: NDArray[np.floating[Any]], graph: KnnGraph) -> Iterator[NDArray[np.float32]]:
        """Blocks of the faces after the convolution, (B, h)."""
        for number, average in enumerate(averaged(graph, features)):
            rows = features[number * BLOCK :][: len(average)].astype(np.float32)
            f, around = (torch.from_numpy(part).to(self.module.mean.device) for part in (rows, average))
            yield self.module.faces(f, around).cpu().numpy()

    def _halves(self, hidden: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        mine, yours = self.module.halves(torch.from_numpy(np.array(hidden)).to(self.module.mean.device))
        return mine.cpu().numpy(), yours.cpu().numpy()
