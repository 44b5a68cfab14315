"""GCN-D: how much does a proposal look like a person?

Yang et al., "Learning to Cluster Faces on an Affinity Graph", CVPR 2019, section 3.3.
"""

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor, nn
from torch.nn import functional

from personae.data.faceset import FaceSet
from personae.graph.knn_graph import KnnGraph
from personae.link.layers import pooled, sparse
from personae.link.links import Links
from personae.link.proposal_graphs import ProposalGraphs, symmetric
from personae.link.proposal_search import Search
from personae.link.proposals import Proposals
from personae.link.rated import Rated

MEMBERS = 1 << 14  # scored in one go, some 60 MB with the published widths


@dataclass(frozen=True)
class DetectionConfig:
    """What builds a `DetectionNet`, and where its proposals come from.

    dimension: d, of the features
    search:    of proposals, on cosines
    hidden:    widths of the graph convolutions
    pool:      what makes one row of the members
    dropout:   of whole members, after each convolution
    weighted:  whether members are averaged by their cosines, or all alike
    """

    dimension: int
    search: Search = field(default_factory=Search)
    hidden: tuple[int, ...] = (512, 64)
    pool: Literal["max", "mean", "sum"] = "max"
    dropout: float = 0.5
    weighted: bool = True


class DetectionNet(nn.Module):
    """ReLU(D~^-1 (A + I) F W) for each convolution, a pool over the members, a line each for IoU and IoP."""

    def __init__(self, config: DetectionConfig) -> None:
        super().__init__()
        widths = (config.dimension, *config.hidden)
        self.convolutions = nn.ModuleList(nn.Linear(*shape, bias=False) for shape in pairwise(widths))
        for weight in self.convolutions.parameters():
            nn.init.uniform_(weight, -(len(weight) ** -0.5), len(weight) ** -0.5)
        self.heads = nn.Linear(widths[-1], 2)
        self.pool, self.dropout = config.pool, config.dropout

    def forward(self, members: Tensor, average: Tensor, sizes: Tensor) -> Tensor:
        """(P, 2), IoU and IoP, of any range.

        members: (M, d), average: (M, M) sparse, sizes: (P,) int64
        """
        h = members
        for layer in self.convolutions:
            h = functional.relu(layer(average @ h))  # (M, h)
            h = h * functional.dropout(torch.ones(len(h), 1, device=h.device), self.dropout, self.training)
        return torch.as_tensor(self.heads(pooled(h, sizes, self.pool)))


class Scene(NamedTuple):
    """What proposals of N faces are seen against.

    faces:  N of them
    graph:  cosines, or probabilities
    matrix: (N, N) CSR float32, the same links from both sides
    even:   of links that are as likely as not, where they are probabilities, the median cosine and how far a
            tenth of them is below it; -1 and 0 for none
    """

    faces: FaceSet
    graph: KnnGraph
    matrix: csr_array
    even: tuple[float, float] = (-1.0, 0.0)


class DetectionModel:
    """The network, and the search whose proposals it scores."""

    module: nn.Module
    detection: nn.Module

    def __init__(self, config: Any) -> None:
        self.config = config
        self.build()

    def build(self) -> None:
        """The untrained network of the config."""
        self.module = self.detection = DetectionNet(self.config)

    def scene(self, faces: FaceSet, graph: KnnGraph) -> Scene:
        """Of faces and their kNN graph of cosines."""
        weights = graph if self.config.weighted else graph.linked(np.sign(graph.similarities))
        return Scene(faces, graph, symmetric(weights))

    def members(self, scene: Scene, proposals: Proposals) -> tuple[NDArray[np.float32], csr_array]:
        """What the network sees of the M members, (M, ...) float32, and the averaging among them, (M, M)."""
        own = scene.faces.features[proposals.faces].astype(np.float32)
        return own, ProposalGraphs.of(scene.matrix, proposals).averaging()

    def batch(self, scene: Scene, proposals: Proposals) -> tuple[Tensor, Tensor, Tensor]:
        """What the network takes, on its device."""
        device = next(self.detection.parameters()).device
        members, average = self.members(scene, proposals)
        sizes = torch.from_numpy(proposals.sizes).to(device)
        return torch.from_numpy(members).to(device), sparse(average, device), sizes

    @torch.no_grad()
    def scores(self, scene: Scene, proposals: Proposals) -> NDArray[np.float32]:
        """(P, 2) float32, predicted IoU and IoP, of any range. O(M (k + d h)) in runs of `MEMBERS`."""
        found = np.zeros((len(proposals), 2), np.float32)
        for some in runs(proposals, MEMBERS):
            said = self.detection(*self.batch(scene, proposals.take(some)))
            found[some] = said.cpu().numpy()
        return found

    def worth(self, scene: Scene, proposals: Proposals, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """(P,) float32, what says which proposal comes first, of IoU and IoP, (P, 2): the IoU."""
        return scores[:, 0]

    def links(self, faces: FaceSet, graph: KnnGraph) -> Links:
        """Each link with the best score of a proposal around both faces, and the proposals themselves."""
        return self.links_in(self.scene(faces, graph), graph)

    def links_in(self, scene: Scene, graph: KnnGraph) -> Links:
        """The same, of a scene that is there already.

        graph: cosines
        """
        proposals = self.config.search.proposals(scene.faces, scene.graph)
        rated = Rated(proposals, self.worth(scene, proposals, self.scores(scene, proposals)))
        return replace(Links.of(rated.links(graph)), proposals=rated)


def runs(proposals: Proposals, members: int) -> list[NDArray[np.int64]]:
    """The numbers of the proposals in runs of about so many members, one proposal at least."""
    if len(proposals) == 0:
        return []
    run = proposals.offsets[:-1] // members
    return np.split(np.arange(len(proposals)), np.flatnonzero(np.diff(run)) + 1)
