"""GCN-D for new people: the score of a proposal from probabilities of links, inside of it and out of it.

Not of the paper: members are seen by what their links say, not by their features, so that nobody can be
learned by heart; proposals come from the same probabilities and may have any size.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor, nn

from personae.data.faceset import FaceSet
from personae.graph.knn_graph import KnnGraph
from personae.graph.lists import in_reach
from personae.link.evidence_net import EvidenceConfig, EvidenceNet, Known, probabilities
from personae.link.gcn_d import MEMBERS, DetectionModel, Scene, runs
from personae.link.layers import MeanLayer, pooled
from personae.link.proposal_graphs import ProposalGraphs, symmetric
from personae.link.proposal_search import WHOLE, Search
from personae.link.proposals import Proposals, centres

OF_MEMBER = 11
POOLS = ("max", "mean", "min")
EVEN = (0.4, 0.6)  # probabilities of links that are as likely as not
SLACK = 0.5  # chosen on validation identities, in crowds of poor pictures among others
WEAK = 0.1  # probabilities below: a list has dozens, whose sum tells of the crowd and not of who is missing
SEARCH = Search(
    taus=(0.2, 0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998),
    modules=(0.2, 0.4, 0.6, 0.8, 0.9),
    max_size=WHOLE,
    turns=1,
    least=1,
    smallest=2,
    largest=WHOLE,
)


@dataclass(frozen=True)
class GeneralDetectionConfig:
    """What builds both networks.

    evidence: of the link model whose probabilities the second one sees
    search:   of proposals, on these probabilities
    hidden:   h, of the graph convolutions and the head
    """

    evidence: EvidenceConfig = field(default_factory=EvidenceConfig)
    search: Search = SEARCH
    hidden: int = 64


class GeneralDetectionNet(nn.Module):
    """Two graph convolutions over the members of each proposal, pools, and a head for IoU and IoP.

    The mean and the scale of what it sees, on the training faces, are part of the weights.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(OF_MEMBER))
        self.register_buffer("scale", torch.ones(OF_MEMBER))
        self.first = MeanLayer(OF_MEMBER, hidden)
        self.second = MeanLayer(hidden, hidden)
        seen = len(POOLS) * (hidden + OF_MEMBER)
        self.head = nn.Sequential(nn.Linear(seen, hidden), nn.PReLU(), nn.Linear(hidden, 2))

    def forward(self, members: Tensor, average: Tensor, sizes: Tensor) -> Tensor:
        """(P, 2), IoU and IoP, in [0, 1].

        members: (M, 11), average: (M, M) sparse, sizes: (P,) int64
        """
        x = (members - self.mean) / self.scale
        h = self.first(x, average @ x)  # (M, h)
        h = torch.cat([self.second(h, average @ h), x], dim=1)  # (M, h + 11)
        return torch.sigmoid(self.head(torch.cat([pooled(h, sizes, how) for how in POOLS], dim=1)))


class GeneralDetectionModel(DetectionModel):
    """An `EvidenceNet`, the search on its probabilities, and a `GeneralDetectionNet`."""

    evidence: EvidenceNet
    detection: GeneralDetectionNet

    def build(self) -> None:
        """Both untrained networks."""
        self.evidence = EvidenceNet(self.config.evidence)
        self.detection = GeneralDetectionNet(self.config.hidden)
        self.module = nn.ModuleDict({"evidence": self.evidence, "detection": self.detection})

    def scene(self, faces: FaceSet, graph: KnnGraph) -> Scene:
        """With probabilities in place of the cosines, those of `WEAK` or above, of lists `in_reach`."""
        graph = in_reach(graph)
        likely = probabilities(self.evidence, Known.of(faces, graph))
        even = (-1.0, 0.0)
        if len(cosines := graph.similarities[(likely >= EVEN[0]) & (likely <= EVEN[1])]):
            tenth, middle = np.quantile(cosines.astype(np.float64), (0.1, 0.5))
            even = float(middle), float(middle - tenth)
        found = graph.linked(likely).at_least(WEAK)
        return Scene(faces, found, symmetric(found), even)

    def worth(self, scene: Scene, proposals: Proposals, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """(P,) float32, the mean of IoU and IoP, which is better than either on validation identities.

        Half of two strangers is one person, and so their IoU is that of two faces of a person of four. Crowds
        are worth 0.
        """
        worth = scores.mean(axis=1)
        worth[crowds(scene, proposals)] = 0
        return np.asarray(worth, dtype=np.float32)

    def members(self, scene: Scene, proposals: Proposals) -> tuple[NDArray[np.float32], csr_array]:
        """(M, 11) float32 and the averaging by probabilities.

        Of its proposal the size; which part of it, of its own links and of both together a member expects to be
        its person; sums and largest of its probabilities inside and out; to how many members it is linked; its
        cosine with the mean face; and how much the proposal is linked to the face outside that it is linked to
        most.
        """
        among = ProposalGraphs.of(scene.matrix, proposals)
        sizes = np.repeat(proposals.sizes, proposals.sizes).astype(np.float32)
        others = np.maximum(sizes - 1, 1)
        inner = np.asarray(among.inside.sum(axis=1)).ravel()
        outer, most_out = among.outside.T
        centre = centres(scene.faces, proposals)
        centre /= np.linalg.norm(centre, axis=1, keepdims=True)
        own = scene.faces.features[proposals.faces].astype(np.float32)
        columns = (
            np.log(sizes),
            inner / others,
            (1 + inner) / (1 + inner + outer),
            (1 + inner) / (sizes + outer),
            np.log1p(inner),
            np.log1p(outer),
            among.inside.max(axis=1).toarray().ravel(),
            most_out,
            np.diff(among.inside.indptr) / others,
            np.einsum("md,md->m", own, centre[proposals.proposal_of]),
            np.repeat(among.pull / proposals.sizes, proposals.sizes),
        )
        return np.stack(columns, axis=1).astype(np.float32), among.averaging()


def crowds(scene: Scene, proposals: Proposals) -> NDArray[np.bool_]:
    """(P,) bool, whether the faces of a proposal are too far from one another for its size. O(M d).

    Lists name only the nearest of many: poor pictures of hundreds of people, drawn to one direction, fill each
    other's as one person's do. In a person that fills lists the mean cosine of all pairs reaches that of even
    links; it may be the less, by `SLACK` of their spread, the more of its pairs are in the lists.
    """
    others = np.maximum(proposals.sizes - 1, 1)
    squared = np.zeros(len(proposals))
    for some in runs(proposals, MEMBERS):
        squared[some] = (centres(scene.faces, proposals.take(some)) ** 2).sum(axis=1)
    near = (squared * proposals.sizes - 1) / others
    cosine, spread = scene.even
    return np.asarray(near < cosine - SLACK * spread * np.maximum(scene.graph.k / others - 1, 0))
