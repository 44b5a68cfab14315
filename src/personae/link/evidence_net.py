"""A link model of evidence alone: one graph convolution over what is known of faces, and a head for pairs.

The variant of STAR-FC and of GCN-V for new people. In place of the values of a face the convolution sees how
its list falls off; in the head, beside both faces, goes what is known of the link itself: cosines and both
ranks. Of identities nothing can be learned by heart.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from personae.data.faceset import FaceSet
from personae.data.pages import is_map, passing, read_at_once
from personae.graph.affinity import averaged
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.graph.lists import in_reach
from personae.link.evidence import OF_FACE, OF_PAIR, Evidence
from personae.link.gcn_v import first_equals
from personae.link.layers import MeanLayer
from personae.link.links import Links

SWAY = 3.0  # by how much surroundings and ranks may move the log-odds that the cosines give
COSINES = [0, 3, 4, 5]  # of what is known of a pair
BLOCK = 1024  # faces whose links are judged at a time, some 60 MB
ROWS = 1 << 16  # faces that pass through the convolution at a time


@dataclass(frozen=True)
class EvidenceConfig:
    """What builds the network.

    hidden: h, of the convolution and of the head
    """

    hidden: int = 64


class EvidenceNet(nn.Module):
    """Are the two faces of a link one person? p_ij and p_ji differ.

    The mean and the scale of what it sees, on the training faces, are part of the weights.
    """

    face_mean: Tensor
    face_scale: Tensor
    pair_mean: Tensor
    pair_scale: Tensor

    def __init__(self, config: EvidenceConfig) -> None:
        super().__init__()
        for name, width in (("face", OF_FACE), ("pair", OF_PAIR)):
            self.register_buffer(f"{name}_mean", torch.zeros(width))
            self.register_buffer(f"{name}_scale", torch.ones(width))
        h = config.hidden
        self.convolution = MeanLayer(OF_FACE, h)
        self.one = nn.Linear(h, h)
        self.other = nn.Linear(h, h, bias=False)
        self.link = nn.Linear(OF_PAIR, h, bias=False)
        self.verdict = nn.Sequential(nn.PReLU(), nn.Linear(h, h), nn.PReLU(), nn.Linear(h, 1))
        self.direct = nn.Linear(len(COSINES), 1)
        for weight in self.verdict[-1].parameters():
            nn.init.zeros_(weight)
        self.direct.weight.data.fill_(0.5)
        self.direct.bias.data.fill_(-2.0)

    def faces(self, profiles: Tensor, average: Tensor) -> tuple[Tensor, Tensor]:
        """What a face adds to the head as the one and as the other of a link, (N, h) each.

        profiles, average: (N, 10) of the faces, and A~ times that
        """
        x = self.convolution(*((part - self.face_mean) / self.face_scale for part in (profiles, average)))
        return self.one(x), self.other(x)

    def seen(self, one: Tensor, other: Tensor, pairs: Tensor) -> Tensor:
        """(..., h), from the two faces of each link, (..., h) both, and what is known of it, (..., 6)"""
        return one + other + torch.as_tensor(self.link((pairs - self.pair_mean) / self.pair_scale))

    def forward(self, one: Tensor, other: Tensor, pairs: Tensor) -> Tensor:
        """(...) logits, from the same."""
        return self.odds(self.seen(one, other, pairs), pairs)

    def odds(self, seen: Tensor, pairs: Tensor) -> Tensor:
        """(...) logits from what is seen of a link, (..., h), and known of it, (..., 6)."""
        plain = self.direct(((pairs - self.pair_mean) / self.pair_scale)[..., COSINES])[..., 0]
        return torch.as_tensor(plain + SWAY * torch.tanh(self.verdict(seen)[..., 0] / SWAY))


class Known(NamedTuple):
    """What the network sees of N faces.

    evidence: of the faces and their pairs
    average:  (N, 10) float32, A~ times what is known of the faces
    """

    evidence: Evidence
    average: NDArray[np.float32]

    @classmethod
    def of(cls, faces: FaceSet, graph: KnnGraph) -> "Known":
        """Of faces and their kNN graph."""
        evidence = Evidence.of(faces.features, graph)
        return cls(evidence, np.concatenate(list(averaged(graph, evidence.faces))))


class Projected(NamedTuple):
    """The faces as the head sees them in a pair, projected once for all pairs.

    one:   (N, h) as the face whose neighbors are judged
    other: (N, h) as a neighbor
    """

    net: EvidenceNet
    known: Known
    one: Tensor
    other: Tensor

    @classmethod
    def of(cls, net: EvidenceNet, known: Known) -> "Projected":
        """All N faces."""
        inputs = [
            torch.from_numpy(part).to(net.face_mean.device) for part in (known.evidence.faces, known.average)
        ]
        if len(inputs[0]) <= ROWS:
            return cls(net, known, *net.faces(*inputs))
        one, other = (inputs[0].new_empty((len(inputs[0]), net.one.out_features)) for _ in range(2))
        for start in range(0, len(one), ROWS):
            here = slice(start, start + ROWS)
            one[here], other[here] = net.faces(*(part[here] for part in inputs))
        return cls(net, known, one, other)

    def seen(
        self, faces: NDArray[np.int64], measured: NDArray[np.float32] | None = None
    ) -> tuple[Tensor, Tensor]:
        """(B, k, h), what is seen of these faces and their neighbors, and (B, k, 6), what is known.

        measured: what is known, if that was asked before
        """
        evidence, device = self.known.evidence, self.one.device
        others = np.maximum(evidence.graph.neighbors[faces], 0).astype(np.int64)
        pairs = torch.from_numpy(evidence.pairs(faces) if measured is None else measured).to(device)
        one = self.one[torch.from_numpy(faces).to(device)]
        return self.net.seen(one[:, None], self.other[torch.from_numpy(others).to(device)], pairs), pairs


class EvidenceModel:
    """The network and how it is put to a collection."""

    def __init__(self, config: EvidenceConfig) -> None:
        self.config = config
        self.module = EvidenceNet(config)

    def links(self, faces: FaceSet, graph: KnnGraph) -> Links:
        """Probabilities that two neighbors are one person; O(N k^2) and 12 N d bytes.

        The density is the confidence that the probabilities make. In a small collection fewer neighbors are
        asked: see `in_reach`.
        """
        graph = in_reach(graph)
        probability = probabilities(self.module, Known.of(faces, graph))
        return Links(graph.linked(probability), expected_confidence(graph, probability))


@torch.no_grad()
def probabilities(net: EvidenceNet, known: Known) -> NDArray[np.float32]:
    """(N, k) float32 in [0, 1] that a neighbor is the same person, 0 where there is none."""
    graph, evidence = known.evidence.graph, known.evidence
    projected = Projected.of(net, known)
    found: NDArray[np.float32] = np.zeros(graph.neighbors.shape, dtype=np.float32)
    asked = read_at_once(evidence.features) // 2 if is_map(evidence.features) else BLOCK
    for some in passing(len(graph) if graph.k else 0, asked, graph.neighbors, graph.similarities):
        pairs = evidence.pairs(np.arange(some.start, some.stop))
        for start in range(some.start, some.stop, BLOCK):
            faces = np.arange(start, min(start + BLOCK, some.stop))
            measured = pairs[faces - some.start]
            odds = net.odds(*projected.seen(faces, measured)).sigmoid().cpu().numpy()
            found[faces] = np.where(graph.neighbors[faces] == NOBODY, np.float32(0), odds)
    return found


def expected_confidence(graph: KnnGraph, probability: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) float32, `confidence_target` by size with 2 p_ij - 1 in place of 1 for one person and -1 for two.

    graph: cosines

    Equal faces have the confidence of the first of them.
    """
    confidence = np.empty(len(graph), np.float32)
    for here in passing(len(graph), BLOCK, graph.neighbors, graph.similarities):
        there = graph.neighbors[here] != NOBODY
        sign = (2 * probability[here].astype(np.float64) - 1) * there
        total = 1 + (sign * graph.similarities[here]).sum(axis=1)
        confidence[here] = total / (1 + there.sum(axis=1))
    return np.asarray(confidence[first_equals(graph)])
