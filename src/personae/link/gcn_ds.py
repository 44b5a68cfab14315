"""GCN-D and GCN-S together: proposals are scored, and those that two people share are cleaned.

Yang et al., "Learning to Cluster Faces on an Affinity Graph", CVPR 2019.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from personae.data.faceset import FaceSet
from personae.graph.components import first_seen
from personae.graph.knn_graph import KnnGraph
from personae.link.gcn_d import DetectionModel, Scene
from personae.link.gcn_s import SegmentationConfig, SegmentationModel, parted
from personae.link.links import Links
from personae.link.proposals import Proposals
from personae.link.rated import Rated

LOW, HIGH = 0.1, 0.9  # predicted IoP of proposals that are cleaned
TURNS = 10  # in which what left a cluster is cleaned in its turn


@dataclass(frozen=True)
class DetectionSegmentationConfig:
    """What builds both.

    detection:    of GCN-D, published or general
    segmentation: of GCN-S
    last:         whether clusters are cleaned when overlaps are gone; published is that proposals are cleaned
                  before, take the places of the whole ones and keep their scores
    """

    detection: Any
    segmentation: SegmentationConfig
    last: bool = False


class DetectionSegmentationModel:
    """GCN-D, and GCN-S for the proposals of which only a part is one person."""

    def __init__(self, detection: DetectionModel, segmentation: SegmentationConfig, *, last: bool) -> None:
        self.config = DetectionSegmentationConfig(detection.config, segmentation, last)
        self.detection = detection
        self.segmentation = SegmentationModel(segmentation, detection)
        self.module = nn.ModuleDict({"detection": detection.module, "segmentation": self.segmentation.module})

    def links(self, faces: FaceSet, graph: KnnGraph) -> Links:
        """Each link with the best score of a proposal around both faces, and the proposals themselves.

        Where proposals are cleaned, what is cut off is a proposal too, one that comes after all others.
        """
        scene = self.detection.scene(faces, graph)
        if self.config.last:
            return self.detection.links_in(scene, graph)
        rated = self.rated(scene, self.detection.config.search.proposals(faces, scene.graph))
        return replace(Links.of(rated.links(graph)), proposals=rated)

    def rated(self, scene: Scene, proposals: Proposals) -> Rated:
        """The proposals, cleaned, with scores."""
        scores = self.detection.scores(scene, proposals)
        band = mixed(scores)
        some = proposals.take(band)
        kept, cut = parted(some, self.segmentation.kept(scene, some))
        worth = self.detection.worth(scene, proposals, scores)
        order = np.concatenate([worth[~band], worth[band], np.full(len(cut), -np.inf, np.float32)])
        return Rated(Proposals.joined([proposals.take(~band), kept, cut]), order)

    def refined(self, scene: Scene, labels: NDArray[np.int32]) -> NDArray[np.int32]:
        """(N,) int32, the clusters of any method, cleaned; what leaves a cluster is cleaned in its turn.

        labels: (N,) int32 from 0
        """
        found = first_seen(labels).astype(np.int64)
        left = Proposals.of_labels(labels)
        for _ in range(TURNS):
            left = left.take(left.sizes > 2)
            left = left.take(mixed(self.detection.scores(scene, left)))
            if len(left) == 0:
                break
            _, left = parted(left, self.segmentation.kept(scene, left))
            found[left.faces] = found.max() + 1 + left.proposal_of
        return first_seen(found)


def mixed(scores: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(P,) bool, whether part of a proposal is one person, by its predicted IoU and IoP, (P, 2)."""
    return (scores[:, 1] >= LOW) & (scores[:, 1] <= HIGH)
