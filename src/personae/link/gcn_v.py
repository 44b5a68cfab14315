"""GCN-V: how sure is it that a face lies in the middle of its person?

Yang et al., "Learning to Cluster Faces via Confidence and Connectivity Estimation", CVPR 2020, section 3.2.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from personae.data.faceset import FaceSet
from personae.graph.affinity import affinity
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.link.layers import MeanLayer
from personae.link.links import Links


@dataclass(frozen=True)
class ConfidenceConfig:
    """What builds a `ConfidenceNet` and says how its hidden features become links.

    dimension: d, of the features
    hidden:    h, of the hidden features
    """

    dimension: int
    hidden: int = 512


class ConfidenceNet(nn.Module):
    """One graph convolution and a head of two layers: a face beside the average of its neighbors."""

    def __init__(self, config: ConfidenceConfig) -> None:
        super().__init__()
        h = config.hidden
        self.embed = MeanLayer(config.dimension, h)
        self.head = nn.Sequential(nn.Linear(h, h), nn.PReLU(h), nn.Linear(h, 1))

    def forward(self, x: Tensor, average: Tensor) -> tuple[Tensor, Tensor]:
        """x, average: (N, d), the faces and A~ times the faces; hidden (N, h) and confidence (N,)"""
        hidden = self.embed(x, average)  # (N, h)
        return hidden, self.head(hidden).squeeze(-1)  # (N, h), (N,)


def confidence_target(
    graph: KnnGraph, truth: NDArray[np.int32], norm: Literal["max", "size"] = "max"
) -> NDArray[np.float32]:
    """(N,) float32, c_i = sum of a_ij over the list where j is the same person, less the sum where not.

    graph: cosines
    truth: (N,) int32
    norm:  "max" divides by the largest |c|, as the published code does; "size" by the length of the list, as
           the paper does

    The face itself is in its list and counts 1, so a lone face is above -1.
    """
    there = graph.neighbors != NOBODY
    sign = np.where(truth[graph.neighbors] == truth[:, None], 1, -1) * there
    total = 1 + (sign * graph.similarities.astype(np.float64)).sum(axis=1)
    size = 1 + there.sum(axis=1) if norm == "size" else np.abs(total).max()
    return np.asarray(total / size, dtype=np.float32)
