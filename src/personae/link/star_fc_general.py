"""STAR-FC for new people: the same convolution and head over what does not change when the space is turned.

In place of the values of a face the convolution sees how its list falls off; in the head, beside both faces,
goes what is known of the link itself: cosines, both ranks and common neighbors. Of identities nothing can be
learned by heart.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from personae.data.faceset import FaceSet
from personae.graph.affinity import affinity, averages
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.link.evidence import OF_FACE, OF_PAIR, Evidence
from personae.link.layers import MeanLayer
from personae.link.links import Links

BLOCK = 1024  # faces whose links are judged at a time, some 60 MB


@dataclass(frozen=True)
class StarFCGeneralConfig:
    """What builds the network.

    hidden:  h, of the convolution and of the head
    dropout: of the convolution's output, while training
    """

    hidden: int = 64
    dropout: float = 0.0


class StarFCGeneralNet(nn.Module):
    """Are the two faces of a link one person? p_ij and p_ji differ."""

    face_mean: Tensor
    face_scale: Tensor
    pair_mean: Tensor
    pair_scale: Tensor

    def __init__(self, config: StarFCGeneralConfig) -> None:
        super().__init__()
        for name, width in (("face", OF_FACE), ("pair", OF_PAIR)):
            self.register_buffer(f"{name}_mean", torch.zeros(width))
            self.register_buffer(f"{name}_scale", torch.ones(width))
        h = config.hidden
        self.convolution = MeanLayer(OF_FACE, h, config.dropout)
        self.one = nn.Linear(h, h)
        self.other = nn.Linear(h, h, bias=False)
        self.link = nn.Linear(OF_PAIR, h, bias=False)
        self.bend = nn.PReLU(h)
        self.verdict = nn.Sequential(nn.Linear(h, h), nn.PReLU(h), nn.Linear(h, 1))

    def faces(self, profiles: Tensor, average: Tensor) -> tuple[Tensor, Tensor]:
        """What a face adds to the head as the one and as the other of a link, (N, h) each.

        profiles, average: (N, 10) of the faces, and A~ times that
        """
        x = self.convolution(*((part - self.face_mean) / self.face_scale for part in (profiles, average)))
        return self.one(x), self.other(x)

    def forward(self, mine: Tensor, yours: Tensor, pairs: Tensor) -> Tensor:
        """(...) logits, from the two faces of each link, (..., h) both, and what is known of it, (..., 9)"""
        seen = self.link((pairs - self.pair_mean) / self.pair_scale)  # (..., h)
        raw = mine + yours + seen
        h = torch.where(raw > 0, raw, self.bend.weight * raw)  # a PReLU over the last axis
        logits: Tensor = self.verdict(h.flatten(0, -2))
        return logits.view(raw.shape[:-1])  # (...)


class StarFCGeneralModel:
    """The network and how it is put to a collection."""

    def __init__(self, config: StarFCGeneralConfig) -> None:
        self.config = config
        self.module = StarFCGeneralNet(config)

    @torch.no_grad()
    def links(self, faces: FaceSet, graph: KnnGraph) -> Links:
        """Probabilities that two neighbors are one person; O(N k^2) and 12 N d bytes."""
        known = Evidence.of(faces.features, graph)
        average = torch.from_numpy(averages(affinity(graph), known.faces))
        mine, yours = self.module.faces(torch.from_numpy(known.faces), average)
        found: NDArray[np.float32] = np.zeros(graph.neighbors.shape, dtype=np.float32)
        for start in range(0, len(graph), BLOCK):
            stop = min(start + BLOCK, len(graph))
            others = torch.from_numpy(np.maximum(graph.neighbors[start:stop], 0).astype(np.int64))
            pairs = torch.from_numpy(known.pairs(np.arange(start, stop)))
            found[start:stop] = self.module(mine[start:stop, None], yours[others], pairs).sigmoid().numpy()
        return Links.of(graph.linked(np.where(graph.neighbors == NOBODY, np.float32(0), found)))
