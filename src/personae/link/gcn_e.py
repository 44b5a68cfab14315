"""GCN-E: which of the denser faces around it does a face belong to?

Yang et al., "Learning to Cluster Faces via Confidence and Connectivity Estimation", CVPR 2020, section 3.3.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor, nn
from torch.nn import functional

from personae.data.faceset import FaceSet
from personae.graph.affinity import affinity
from personae.graph.knn_graph import KnnGraph
from personae.graph.nearby import nearby_graph
from personae.link.candidates import Candidates, candidate_graphs
from personae.link.gcn_v import ConfidenceConfig, ConfidenceNet, hidden_and_confidence
from personae.link.layers import MeanLayer
from personae.link.links import Links

ROWS = 1 << 13  # candidates in one go, 10 KB each with the published widths


@dataclass(frozen=True)
class ConnectivityConfig:
    """What builds a `ConfidenceNet` with its `ConnectivityNet`, and where the second is asked.

    confidence: of the first network, whose hidden features are the second one's inputs
    hidden:     widths of the graph convolutions
    confident:  share of the faces, those of highest confidence, that the second network decides about
    """

    confidence: ConfidenceConfig
    hidden: tuple[int, ...] = (512, 512, 256, 256)
    confident: float = 0.2


class ConnectivityNet(nn.Module):
    """Graph convolutions over the candidates of a face, and a head for each of them.

    width:  w, of a candidate
    hidden: widths of the convolutions, the last h
    """

    def __init__(self, width: int, hidden: tuple[int, ...]) -> None:
        super().__init__()
        h = hidden[-1]
        self.layers = nn.ModuleList(MeanLayer(*widths) for widths in pairwise((width, *hidden)))
        self.head = nn.Sequential(nn.Linear(h, h), nn.PReLU(h), nn.Linear(h, 2))

    def forward(self, x: Tensor, graphs: Tensor) -> Tensor:
        """x: (B, n, w) candidates; graphs: (B, n, n), A~ among them; logits (B, n, 2), no or yes"""
        for layer in self.layers:
            x = layer(x, graphs @ x)  # (B, n, h)
        return self.judged(x)  # (B, n, 2)

    def judged(self, x: Tensor) -> Tensor:
        """x: (B, n, h) candidates after the convolutions; logits (B, n, 2)"""
        return torch.as_tensor(self.head(x.flatten(0, 1)).unflatten(0, x.shape[:2]))


class ConnectivityModel:
    """A `ConfidenceNet` and a `ConnectivityNet` at work."""

    def __init__(self, config: ConnectivityConfig) -> None:
        self.config = config
        self.confidence = ConfidenceNet(config.confidence)
        self.connectivity = ConnectivityNet(config.confidence.hidden, config.hidden)
        self.module = nn.ModuleDict({"confidence": self.confidence, "connectivity": self.connectivity})

    def links(self, faces: FaceSet, graph: KnnGraph) -> Links:
        """Cosines of the hidden features; the density is the confidence, the preference the connectivity.

        Faces that are not among the most confident prefer the nearest.
        """
        hidden, confidence = hidden_and_confidence(self.confidence, faces, graph)
        near = nearby_graph(hidden, graph)
        candidates = Candidates.of(near, confidence)
        asked = candidates.most_confident(self.config.confident)
        preference = near.similarities.copy()
        preference[asked] = connectivity(self.connectivity, hidden, near, candidates, asked)
        return Links(near, confidence, preference)


@torch.no_grad()
def connectivity(
    net: ConnectivityNet,
    hidden: NDArray[np.float32],
    graph: KnnGraph,
    candidates: Candidates,
    asked: NDArray[np.int64],
) -> NDArray[np.float32]:
    """(B, k) float32 in [0, 1] that a candidate of these faces is the same person, 0 for no candidates.

    The first layer's products are made once for each face and not for each candidate: with the parts U and V of
    its weights, U (h_j - h_i) + V (sum_m A~_jm h_m - h_i) = U h_j + sum_m A~_jm V h_m - (U + V) h_i, since the
    rows of A~ sum to 1. 8 N w bytes for them.
    """
    first: MeanLayer = net.layers[0]  # type: ignore[assignment]  # a module list forgets what it holds
    device = first.linear.weight.device
    u, v = first.linear.weight.chunk(2, dim=1)  # (w', w)
    h = torch.from_numpy(hidden).to(device)
    as_self, as_neighbor = h @ u.T, h @ v.T  # (N, w')
    found = np.zeros((len(graph), graph.k), dtype=np.float32)
    matrix = affinity(graph)
    for faces in candidates.buckets(asked, ROWS):
        ranks, graphs = candidate_graphs(graph, candidates, faces, matrix)
        nodes = torch.from_numpy(graph.neighbors[faces[:, None], ranks].astype(np.int64)).to(device)
        inside = torch.from_numpy(graphs).to(device)
        centers = torch.from_numpy(faces).to(device)
        center = (as_self[centers] + as_neighbor[centers] - first.linear.bias)[:, None]
        x = functional.relu(as_self[nodes] + inside @ as_neighbor[nodes] - center)
        for layer in net.layers[1:]:
            x = layer(x, inside @ x)
        same = torch.softmax(net.judged(x), dim=-1)[..., 1].cpu().numpy()
        there = ranks >= 0
        found[np.broadcast_to(faces[:, None], ranks.shape)[there], ranks[there]] = same[there]
    return found[asked]


def candidate_features(
    hidden: NDArray[np.float32],
    graph: KnnGraph,
    candidates: Candidates,
    faces: NDArray[np.int64],
    matrix: csr_array,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """The inputs of a `ConnectivityNet` for these faces, h_j - h_i (B, n, w) and A~ (B, n, n), and the ranks.

    Padding, of rank -1, is 0.
    """
    ranks, graphs = candidate_graphs(graph, candidates, faces, matrix)
    nodes = graph.neighbors[faces[:, None], ranks]
    x = hidden[nodes] - hidden[faces][:, None]
    x[ranks < 0] = 0
    return x, graphs, ranks
