"""GCN-V for new people: the confidence as it is defined, with probabilities in place of the identities.

Not of the paper. Where its network learns confidence from the features, and knows the training faces by heart,
this one sees cosines, ranks and neighborhoods only, and tells whether each neighbor is the same person.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor, nn

from personae.data.faceset import FaceSet
from personae.graph.affinity import affinity, averages
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.link.evidence import OF_FACE, OF_PAIR, Evidence
from personae.link.gcn_v import first_equals
from personae.link.layers import MeanLayer
from personae.link.links import Links

BLOCK = 1 << 11  # faces whose pairs are judged in one go, 40 KB each with 80 neighbors


@dataclass(frozen=True)
class GeneralConfidenceConfig:
    """What builds a `GeneralConfidenceNet`.

    dimension: of the features, which the network does not see
    hidden:    values a face after the graph convolution
    width:     values a pair
    """

    dimension: int
    hidden: int = 32
    width: int = 48


class GeneralConfidenceNet(nn.Module):
    """One graph convolution over what is known of a face, and a head for pairs of faces.

    The mean and the spread of the inputs on the training faces are part of the weights.
    """

    face_mean: Tensor
    face_spread: Tensor
    pair_mean: Tensor
    pair_spread: Tensor

    def __init__(self, config: GeneralConfidenceConfig) -> None:
        super().__init__()
        h, m = config.hidden, config.width
        for name, width in (("face", OF_FACE), ("pair", OF_PAIR)):
            self.register_buffer(f"{name}_mean", torch.zeros(width))
            self.register_buffer(f"{name}_spread", torch.ones(width))
        self.embed = MeanLayer(OF_FACE, h)
        self.one = nn.Linear(h, m)
        self.other = nn.Linear(h, m, bias=False)
        self.pair = nn.Linear(OF_PAIR, m, bias=False)
        self.head = nn.Sequential(nn.PReLU(), nn.Linear(m, m), nn.PReLU(), nn.Linear(m, 1))

    def faces(self, x: Tensor, average: Tensor) -> Tensor:
        """x, average: (N, 10), what is known of the faces, and A~ times that; (N, h)"""
        return torch.as_tensor(self.embed(*((y - self.face_mean) / self.face_spread for y in (x, average))))

    def seen(self, one: Tensor, other: Tensor, pairs: Tensor) -> Tensor:
        """one: (B, m), other: (B, k, m), both projected; pairs: (B, k, 9); (B, k, m)"""
        return one[:, None] + other + torch.as_tensor(self.pair((pairs - self.pair_mean) / self.pair_spread))

    def forward(self, h: Tensor, h_others: Tensor, pairs: Tensor) -> Tensor:
        """h: (B, h), h_others: (B, k, h), hidden; pairs: (B, k, 9); logits (B, k) of being one person"""
        seen = self.seen(self.one(h), self.other(h_others), pairs)  # (B, k, m)
        return torch.as_tensor(self.head(seen).squeeze(-1))


class Known(NamedTuple):
    """What a `GeneralConfidenceNet` sees of N faces.

    evidence: of the faces and their pairs
    average:  (N, 10) float32, A~ times what is known of the faces
    matrix:   A~
    """

    evidence: Evidence
    average: NDArray[np.float32]
    matrix: csr_array

    @classmethod
    def of(cls, faces: FaceSet, graph: KnnGraph) -> "Known":
        """Of faces and their kNN graph."""
        evidence, matrix = Evidence.of(faces.features, graph), affinity(graph)
        return cls(evidence, averages(matrix, evidence.faces), matrix)


class GeneralConfidenceModel:
    """A `GeneralConfidenceNet` at work."""

    def __init__(self, config: GeneralConfidenceConfig) -> None:
        self.config = config
        self.module = GeneralConfidenceNet(config)

    def links(self, faces: FaceSet, graph: KnnGraph) -> Links:
        """Probabilities that a neighbor is the same person; the density is the confidence they make."""
        probability = probabilities(self.module, Known.of(faces, graph))
        return Links(graph.linked(probability), expected_confidence(graph, probability))


@torch.no_grad()
def probabilities(net: GeneralConfidenceNet, known: Known) -> NDArray[np.float32]:
    """(N, k) float32 in [0, 1] that a neighbor is the same person, 0 where there is none."""
    graph = known.evidence.graph
    projected = Projected.of(net, known)
    found = np.zeros(graph.neighbors.shape, dtype=np.float32)
    for start in range(0, len(graph), BLOCK):
        faces = np.arange(start, min(start + BLOCK, len(graph)))
        found[faces] = torch.sigmoid(net.head(projected.seen(faces)).squeeze(-1)).cpu().numpy()
    found[graph.neighbors == NOBODY] = 0
    return found


class Projected(NamedTuple):
    """The faces as the head sees them in a pair, projected once for all pairs.

    one:   (N, m) as the face whose neighbors are judged
    other: (N, m) as a neighbor
    """

    net: GeneralConfidenceNet
    known: Known
    one: Tensor
    other: Tensor

    @classmethod
    def of(cls, net: GeneralConfidenceNet, known: Known) -> "Projected":
        """All N faces."""
        inputs = (known.evidence.faces, known.average)
        hidden = net.faces(*(torch.from_numpy(part).to(net.face_mean.device) for part in inputs))
        return cls(net, known, net.one(hidden), net.other(hidden))

    def seen(self, faces: NDArray[np.int64]) -> Tensor:
        """(B, k, m) of these faces and their neighbors."""
        evidence, device = self.known.evidence, self.one.device
        neighbors = torch.from_numpy(evidence.graph.neighbors[faces].astype(np.int64)).to(device)
        pairs = torch.from_numpy(evidence.pairs(faces)).to(device)
        return self.net.seen(self.one[torch.from_numpy(faces).to(device)], self.other[neighbors], pairs)


def expected_confidence(graph: KnnGraph, probability: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) float32, `confidence_target` by size with 2 p_ij - 1 in place of 1 for one person and -1 for two.

    graph: cosines

    Equal faces have the confidence of the first of them.
    """
    there = graph.neighbors != NOBODY
    sign = (2 * probability.astype(np.float64) - 1) * there
    total = 1 + (sign * graph.similarities).sum(axis=1)
    confidence = (total / (1 + there.sum(axis=1))).astype(np.float32)
    return np.asarray(confidence[first_equals(graph)])
