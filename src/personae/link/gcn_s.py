"""GCN-S: which faces of a proposal are the person of one of them?

Yang et al., "Learning to Cluster Faces on an Affinity Graph", CVPR 2019, section 3.4.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from personae.link.gcn_d import MEMBERS, DetectionModel, Scene, runs
from personae.link.layers import sparse
from personae.link.proposal_graphs import ProposalGraphs
from personae.link.proposals import Proposals


@dataclass(frozen=True)
class SegmentationConfig:
    """What builds a `SegmentationNet`, and how it is asked.

    width:     of what GCN-D sees of a member
    hidden:    widths of the graph convolutions
    seeds:     hypotheses a proposal; the one that keeps most members counts
    relations: whether a member is seen by its link to the seed and its cosine with it as well, and beside its
               neighbors; not of the paper
    """

    width: int
    hidden: tuple[int, ...] = (512, 64)
    seeds: int = 5
    relations: bool = False


class SegmentationNet(nn.Module):
    """Graph convolutions over the members of a proposal, one of which is the seed, and a line for each member.

    The mean and the scale of what it sees are part of the weights.
    Unlike in GCN-D no members are dropped in training, and the convolutions start as linear layers of torch do.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, config: SegmentationConfig) -> None:
        super().__init__()
        both = config.relations
        widths = (config.width + (3 if both else 1), *config.hidden)
        self.register_buffer("mean", torch.zeros(widths[0]))
        self.register_buffer("scale", torch.ones(widths[0]))
        self.convolutions = nn.ModuleList(
            nn.Linear(2 * one if both else one, other, bias=both) for one, other in pairwise(widths)
        )
        self.head = nn.Linear(sum(widths) if both else widths[-1], 1)
        self.relations = both

    def forward(self, members: Tensor, average: Tensor) -> Tensor:
        """(M,) logits that a member is the person of the seed of its proposal.

        members: (M, width + 1) or (M, width + 3), average: (M, M) sparse
        """
        seen = [(members - self.mean) / self.scale]
        for layer in self.convolutions:
            h = average @ seen[-1]
            seen.append(functional.relu(layer(torch.cat([seen[-1], h], dim=1) if self.relations else h)))
        return torch.as_tensor(self.head(torch.cat(seen, dim=1) if self.relations else seen[-1])[:, 0])


class SegmentationModel:
    """The network, and the GCN-D whose view of members it shares."""

    def __init__(self, config: SegmentationConfig, detection: DetectionModel) -> None:
        self.config, self.detection = config, detection
        self.module = SegmentationNet(config)

    def batch(self, scene: Scene, proposals: Proposals, seeds: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """What the network takes, on its device.

        seeds: (P,) the place of each proposal's seed among all members
        """
        members, average = self.detection.members(scene, proposals)
        marked = np.zeros((len(members), 1), np.float32)
        marked[seeds] = 1
        beside = [members, marked]
        if self.config.relations:
            seed = np.repeat(proposals.faces[seeds], proposals.sizes)
            weights = np.asarray(scene.matrix[proposals.faces, seed]).reshape(-1, 1)
            features = scene.faces.features
            cosines = np.einsum("md,md->m", features[proposals.faces], features[seed], dtype=np.float32)
            beside += [weights.astype(np.float32), cosines[:, None].astype(np.float32)]
        device = self.module.mean.device
        return torch.from_numpy(np.concatenate(beside, axis=1)).to(device), sparse(average, device)

    @torch.no_grad()
    def kept(self, scene: Scene, proposals: Proposals) -> NDArray[np.bool_]:
        """(M,) bool, the members that stay: those of the seed that keeps most, the seed itself among them.

        Seeds are not drawn: they are members at even distances in the order of their links, so that the order
        of the faces does not matter.
        """
        found = np.zeros(len(proposals.faces), bool)
        for some in runs(proposals, MEMBERS):
            part = proposals.take(some)
            best, most = np.zeros(len(part.faces), bool), np.zeros(len(part), np.int64)
            for hypothesis in range(self.config.seeds):
                seeds = self.seeds(scene, part, hypothesis)
                stays = self.module(*self.batch(scene, part, seeds)).cpu().numpy() > 0
                stays[seeds] = True
                count = np.add.reduceat(stays.astype(np.int64), part.offsets[:-1])
                better = (count > most)[part.proposal_of]
                best[better] = stays[better]
                most = np.maximum(most, count)
            start, stop = proposals.offsets[some[0]], proposals.offsets[some[-1] + 1]
            found[start:stop] = best
        return found

    def seeds(self, scene: Scene, proposals: Proposals, hypothesis: int) -> NDArray[np.int64]:
        """(P,) places: the best linked members, then others down to the least linked, one a hypothesis."""
        inside = np.asarray(ProposalGraphs.of(scene.matrix, proposals).inside.sum(axis=1)).ravel()
        order = np.lexsort((-inside, proposals.proposal_of))
        return np.asarray(order[proposals.offsets[:-1] + hypothesis * proposals.sizes // self.config.seeds])


def parted(proposals: Proposals, kept: NDArray[np.bool_]) -> tuple[Proposals, Proposals]:
    """The members that are kept, and those that are not, of each proposal; empty sets are left out."""
    return tuple(_of_members(proposals, chosen) for chosen in (kept, ~kept))  # type: ignore[return-value]


def _of_members(proposals: Proposals, chosen: NDArray[np.bool_]) -> Proposals:
    names, number = np.unique(proposals.proposal_of[chosen], return_inverse=True)
    return Proposals.packed(number, proposals.faces[chosen], len(names))
