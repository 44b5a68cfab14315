"""GCN-V and GCN-E: learned confidence, and a learned choice of whom to follow.

Yang et al., "Learning to Cluster Faces via Confidence and Connectivity Estimation", CVPR 2020.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from personae.methods.learned import LearnedClusterer, Progress


class GCNVE(LearnedClusterer):
    """Each face follows one of the more confident faces around it, and a second network says which.

    The faces of highest confidence decide how the branches of a person come together; there the nearest is too
    simple a choice, and a network of four graph convolutions looks at all candidates at once. The link stays if
    the hidden features of both are similar enough, however sure the network is.

    "paper" is the published pair of networks, on differences of hidden features, for a fifth of the faces.
    "general" is `GCNV`'s, which sees cosines, ranks and neighborhoods alone, with a second network that is
    smaller and is asked for every face; its probabilities choose and cut.

    Its weak side is that of GCN-V, one link a face, and what few identities can teach. O(N k^2) after the
    graph; about a minute for 100,000 faces.
    """

    name: ClassVar[str] = "gcn_ve"
    own: ClassVar[str] = "density_tree"
    of_albums: ClassVar[bool] = True
    options: ClassVar[dict[str, Sequence[dict[str, Any]]]] = {"density_tree": ({"ordered": True},)}

    def _learn(self, exam: Any, folder: Path | None, progress: Progress | None) -> tuple[Any, list[Any]]:
        if self.preset == "general":
            from personae.train.gcn_e_general import learn_general_connectivity as learn  # noqa: PLC0415

            return learn(exam, self.k, self.plan, self.seed, folder=folder, progress=progress)
        from personae.train.gcn_e import learn_connectivity  # noqa: PLC0415  (needs torch)

        return learn_connectivity(exam, self.k, self.plan, self.seed, folder=folder, progress=progress)

    def _build(self, config: dict[str, Any]) -> Any:
        fields = {**config, "hidden": tuple(config["hidden"])}
        if self.preset == "general":
            from personae.link.evidence_net import EvidenceConfig  # noqa: PLC0415  (needs torch)
            from personae.link.gcn_e_general import (  # noqa: PLC0415
                GeneralConnectivityConfig,
                GeneralConnectivityModel,
            )

            general = EvidenceConfig(**config["confidence"])
            return GeneralConnectivityModel(GeneralConnectivityConfig(**{**fields, "confidence": general}))
        from personae.link.gcn_e import ConnectivityConfig, ConnectivityModel  # noqa: PLC0415
        from personae.link.gcn_v import ConfidenceConfig  # noqa: PLC0415

        confidence = ConfidenceConfig(**config["confidence"])
        return ConnectivityModel(ConnectivityConfig(**{**fields, "confidence": confidence}))
