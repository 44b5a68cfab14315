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
from personae.data.pages import passing
from personae.graph.affinity import affinity, averages
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.graph.nearby import nearby_graph
from personae.link.layers import MeanLayer
from personae.link.links import Links

EQUAL = 1e-6  # the cosine of equal faces is 1 but for rounding
BLOCK = 1 << 13  # faces in one go, 12 KB each with the published widths


@dataclass(frozen=True)
class ConfidenceConfig:
    """What builds a `ConfidenceNet`, and what its links are.

    dimension: d, of the features
    hidden:    h, of the hidden features
    space:     whose cosines the links are: of the features ("raw"), or of the hidden features, with neighbors
               found anew ("hidden")
    """

    dimension: int
    hidden: int = 512
    space: Literal["raw", "hidden"] = "hidden"


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


class ConfidenceModel:
    """A `ConfidenceNet` at work."""

    def __init__(self, config: ConfidenceConfig) -> None:
        self.config = config
        self.module = ConfidenceNet(config)

    def links(self, faces: FaceSet, graph: KnnGraph) -> Links:
        """Cosines of the features or of the hidden features; the density is the confidence."""
        hidden, confidence = hidden_and_confidence(self.module, faces, graph)
        if self.config.space == "raw":
            return Links(graph, confidence)
        return Links(nearby_graph(hidden, graph), confidence)


@torch.no_grad()
def hidden_and_confidence(
    net: ConfidenceNet, faces: FaceSet, graph: KnnGraph
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Hidden features (N, h) float32, unit rows, and confidence (N,) float32; O(N (k d + d h + h^2))."""
    device = next(net.parameters()).device
    features = np.asarray(faces.features, dtype=np.float32)
    average = averages(affinity(graph), features)
    hidden = np.empty((len(faces), net.embed.linear.out_features), dtype=np.float32)
    confidence = np.empty(len(faces), dtype=np.float32)
    for start in range(0, len(faces), BLOCK):
        here = slice(start, start + BLOCK)
        x, around = (torch.from_numpy(part[here]).to(device) for part in (features, average))
        h, c = net(x, around)
        hidden[here] = nn.functional.normalize(h, dim=1).cpu().numpy()
        confidence[here] = c.cpu().numpy()
    nowhere = ~hidden.any(axis=1)  # the rectifier let nothing through
    hidden[nowhere, 0] = 1
    first = first_equals(graph)
    return hidden[first], confidence[first]


def first_equals(graph: KnnGraph) -> NDArray[np.int64]:
    """(N,) int64, the first of the faces that equal each, itself where there is none.

    Equal faces have lists that differ where these are too short for all of them, and so would be of different
    confidence, if only by rounding; one that is in no list could then follow nobody.

    graph: cosines
    """
    first = np.arange(len(graph))
    for here in passing(len(graph), BLOCK, graph.neighbors, graph.similarities):
        others = graph.neighbors[here]
        equal = (graph.similarities[here].astype(np.float32) > 1 - EQUAL) & (others != NOBODY)
        first[here] = np.minimum(
            first[here], np.where(equal, others, len(graph)).min(axis=1, initial=len(graph))
        )
    return first


def confidence_target(
    graph: KnnGraph, truth: NDArray[np.int32], norm: Literal["max", "size"] = "max"
) -> NDArray[np.float32]:
    """(N,) float32, c_i = sum of a_ij over the list where j is the same person, less the sum where not.

    graph: cosines
    truth: (N,) int32
    norm:  "max" divides by the largest |c|, as the published code does; "size" by the length of the list, as
           the paper does

    The face itself is in its list and counts 1, so that nobody's confidence is -1.
    """
    there = graph.neighbors != NOBODY
    sign = np.where(truth[graph.neighbors] == truth[:, None], 1, -1) * there
    total: NDArray[Any] = 1 + (sign * graph.similarities.astype(np.float64)).sum(axis=1)
    size = 1 + there.sum(axis=1) if norm == "size" else np.abs(total).max()
    return np.asarray(total / size, dtype=np.float32)
