"""GCN-E for new people: the published choice among candidates, by cosines, ranks and neighborhoods.

Not of the paper: candidates are seen as GCN-V for new people sees pairs, not as differences of features.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from personae.data.faceset import FaceSet
from personae.graph.affinity import affinity
from personae.graph.knn_graph import KnnGraph
from personae.graph.lists import in_reach
from personae.link.candidates import Candidates, candidate_graphs
from personae.link.evidence_net import (
    EvidenceConfig,
    EvidenceNet,
    Known,
    Projected,
    expected_confidence,
    probabilities,
)
from personae.link.gcn_e import ConnectivityNet
from personae.link.links import Links

ROWS = 1 << 14  # candidates in one go
OF_CANDIDATE = 3  # beside what is seen of the pair


@dataclass(frozen=True)
class GeneralConnectivityConfig:
    """What builds both networks.

    confidence: of the first, whose view of pairs the second one's inputs are
    hidden:     widths of the graph convolutions
    """

    confidence: EvidenceConfig
    hidden: tuple[int, ...] = (64, 64, 32, 32)


class GeneralConnectivityModel:
    """An `EvidenceNet` and a small `ConnectivityNet` at work."""

    def __init__(self, config: GeneralConnectivityConfig) -> None:
        self.config = config
        self.confidence = EvidenceNet(config.confidence)
        self.connectivity = ConnectivityNet(config.confidence.hidden + OF_CANDIDATE, config.hidden)
        self.module = nn.ModuleDict({"confidence": self.confidence, "connectivity": self.connectivity})

    def links(self, faces: FaceSet, graph: KnnGraph) -> Links:
        """Probabilities that a neighbor is the same person, of the second network where the neighbor is denser.

        The density is the confidence. Where the paper lets the second network choose and a cosine cut, here it
        does both, since it is asked for every face.
        """
        graph = in_reach(graph)
        views = Views.of(self.confidence, faces, graph)
        weights = views.links.graph.similarities.copy()
        every = np.arange(len(graph), dtype=np.int64)
        device = next(self.connectivity.parameters()).device
        with torch.no_grad():
            for asked in views.candidates.buckets(every, ROWS):
                x, inside, ranks = views.of_candidates(asked)
                logits = self.connectivity(x.to(device), inside.to(device))
                same = torch.softmax(logits, dim=-1)[..., 1].cpu().numpy()
                there = ranks >= 0
                weights[np.broadcast_to(asked[:, None], ranks.shape)[there], ranks[there]] = same[there]
        return Links(graph.linked(weights), views.links.density)


class Views:
    """What the second network sees: candidates of a face among the links of the first.

    links:      of the first network
    candidates: denser neighbors of each face
    """

    def __init__(self, projected: Projected, links: Links) -> None:
        self.projected, self.links = projected, links
        self.candidates = Candidates.of(links.graph, links.density)
        self.matrix = affinity(links.graph)

    @classmethod
    def of(cls, net: EvidenceNet, faces: FaceSet, graph: KnnGraph) -> "Views":
        """Of these faces; the first network stays as it is."""
        known = Known.of(faces, graph)
        probability = probabilities(net, known)
        links = Links(graph.linked(probability), expected_confidence(graph, probability))
        with torch.no_grad():
            return cls(Projected.of(net, known), links)

    @torch.no_grad()
    def of_candidates(self, faces: NDArray[np.int64]) -> tuple[Tensor, Tensor, NDArray[np.int64]]:
        """Inputs (B, n, h + 3) and A~ (B, n, n), and the ranks of the candidates; padding, of rank -1, is 0.

        h values of the pair, the link to the candidate, and how dense both are.
        """
        graph, density = self.links.graph, self.links.density
        ranks, inside = candidate_graphs(graph, self.candidates, faces, self.matrix)
        device = self.projected.one.device
        seen = self.projected.seen(faces)[0]  # (B, k, h)
        at = torch.from_numpy(ranks.clip(0)).to(device)
        seen = seen.gather(1, at[..., None].expand(-1, -1, seen.shape[2]))  # (B, n, h)
        rows = faces[:, None]
        others = density[graph.neighbors[rows, ranks]]
        own = np.broadcast_to(density[rows], ranks.shape)
        beside = torch.from_numpy(np.stack([graph.similarities[rows, ranks], own, others], axis=-1)).to(device)
        x = torch.cat([seen, beside], dim=-1) * torch.from_numpy(ranks >= 0).to(device)[..., None]
        return x, torch.from_numpy(inside).to(device), ranks
