"""GCN-D and GCN-S: clusters detected among proposals, and mixed ones segmented.

Yang et al., "Learning to Cluster Faces on an Affinity Graph", CVPR 2019.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personae.clustering.decision import Decision
from personae.data.faceset import FaceSet
from personae.evaluation.within import scores_within
from personae.graph.knn_graph import KnnGraph
from personae.link.links import Links
from personae.methods.estimator import as_faces, clusters_of, graph_of, predicting_copies_once
from personae.methods.gcn_d import GCND
from personae.methods.learned import Progress


class GCNDS(GCND):
    """`GCND`, with a second network that takes strangers out of proposals, or out of the people that are found.

    It believes that a set that is mostly one person is that person and some others, who stand out once it is
    said who is looked for: a member is marked, and the network says which others are the same person. Several
    members of a proposal are asked, and the answer that keeps most faces counts; only proposals of a predicted
    IoP between 0.1 and 0.9 are cleaned.

    "paper" is the published network, cleaned proposals keep their scores, and what is cut off comes after all
    others. In "general" the people that `GCND` finds are cleaned: cleaned proposals are good ones, but the more
    sets a score chooses from, the more often it chooses one for its own errors.

    `refine` cleans the clusters of any method. Costs a score of each mixed proposal for each member that is
    asked.
    """

    name: ClassVar[str] = "gcn_ds"
    model_: Any  # a DetectionSegmentationModel, of torch

    def _learn(self, exam: Any, folder: Path | None, progress: Progress | None) -> tuple[Any, list[Any]]:
        from personae.link.gcn_d import DetectionConfig  # noqa: PLC0415  (torch, an extra)
        from personae.link.proposal_search import Search  # noqa: PLC0415
        from personae.train.gcn_d import (  # noqa: PLC0415
            Studies,
            detection_steps,
            learn_detection,
            learn_general_detection,
        )
        from personae.train.gcn_e import together  # noqa: PLC0415
        from personae.train.gcn_s import PLANS, learn_segmentation  # noqa: PLC0415

        folders = (None, None) if folder is None else (folder / "detection", folder / "segmentation")
        steps = detection_steps(self.plan, self.preset), (self.plan or PLANS[self.preset]).steps
        told = together(progress, *steps)
        studies = Studies(exam, self.k, self.seed, self.plan, folders[0], told[0])
        config = DetectionConfig(exam.faces.dimension, Search(turns=self.turns), pool=self.pool)
        general = self.preset == "general"
        detection, lesson, looks = (
            learn_general_detection(studies) if general else learn_detection(studies, config)
        )
        studies = replace(studies, folder=folders[1], progress=told[1])
        model, more = learn_segmentation(studies, detection, lesson)
        return model, looks + [replace(look, step=looks[-1].step + look.step) for look in more]

    def _build(self, config: dict[str, Any]) -> Any:
        from personae.link.gcn_ds import DetectionSegmentationModel  # noqa: PLC0415  (torch, an extra)
        from personae.link.gcn_s import SegmentationConfig  # noqa: PLC0415

        fields = config["segmentation"]
        segmentation = SegmentationConfig(**{**fields, "hidden": tuple(fields["hidden"])})
        return DetectionSegmentationModel(
            super()._build(config["detection"]), segmentation, last=config["last"]
        )

    @predicting_copies_once
    def predict(self, X: FaceSet | ArrayLike, *, graph: KnnGraph | None = None) -> NDArray[np.int32]:
        """(N,) int32, the person of each face, 0..C-1 in the order of the first faces; see `links`."""
        if self.preset == "paper":
            return super().predict(X, graph=graph)
        faces, knn = self._asked(X, graph)
        detection = self.model_.detection
        scene = detection.scene(faces, knn)
        found = self.people(faces, detection.links_in(scene, knn), knn)
        return np.asarray(self.model_.refined(scene, found))

    def _decide(self, exam: Any, model: Any, links: Links) -> tuple[Decision, float]:
        decision, validation = super()._decide(exam, model, links)
        if self.preset == "general":
            scene = model.detection.scene(exam.faces, exam.graph)
            cleaned = model.refined(scene, decision.people(links))
            pairwise, bcubed = scores_within(exam.truth, cleaned, exam.held)
            validation = (pairwise.f + bcubed.f) / 2
        return decision, validation

    def refine(
        self, X: FaceSet | ArrayLike, labels: ArrayLike, *, graph: KnnGraph | None = None
    ) -> NDArray[np.int32]:
        """(N,) int32, the clusters of any method without the faces that are somebody else.

        labels: (N,) one a face, as any clusterer gives them; each below 0 is a cluster of its own
        graph:  the kNN graph of the faces where that is there already

        What leaves a cluster is a cluster and is cleaned in its turn. Clusters of two stay as they are.

        InputError: labels of other faces, another embedder's features.
        """
        self._refuse_untrained()
        faces = as_faces(X)
        self.geometry_.check(faces)
        found = clusters_of(labels, len(faces))
        scene = self.model_.detection.scene(faces, graph_of(faces, graph, self.k))
        return np.asarray(self.model_.refined(scene, found))
