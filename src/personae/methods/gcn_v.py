"""GCN-V: learned confidence, and each face follows the nearest of the more confident ones.

Yang et al., "Learning to Cluster Faces via Confidence and Connectivity Estimation", CVPR 2020.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from personae.errors import InputError
from personae.methods.learned import LearnedClusterer, Progress
from personae.train.plan import Plan

Space = Literal["hidden", "raw"]
SPACES: tuple[Space, ...] = ("hidden", "raw")


class GCNV(LearnedClusterer):
    """A face in the middle of its person is told by its neighbors; the others follow the nearest of such faces.

    "paper" is the published network: one graph convolution that learns confidence from the features, and whose
    hidden features may be searched for neighbors anew. With few identities it knows the training faces by
    heart, and its confidence of new people is hardly better than a guess. "general" adds up the same confidence
    from probabilities that a neighbor is the same person, told by cosines and ranks.

    Its weak side: one link a face, so that a wrong one takes a whole branch along, and two halves of a person
    that each have a middle stay apart. O(N k d) after the graph; seconds for 100,000 faces.

    space: "raw" links by cosines of the features, "hidden" by those of the hidden features, found among the
           lists of the neighbors; None takes the better on validation identities. "general" has no such choice
    """

    name: ClassVar[str] = "gcn_v"
    own: ClassVar[str] = "density_tree"
    of_albums: ClassVar[bool] = True
    options: ClassVar[dict[str, Sequence[dict[str, Any]]]] = {"density_tree": ({"ordered": True},)}

    def __init__(
        self,
        preset: str = "paper",
        k: int = 80,
        clusterer: str | None = None,
        plan: Plan | None = None,
        seed: int = 0,
        space: Space | None = None,
    ) -> None:
        super().__init__(preset, k, clusterer, plan, seed)
        self.space = space

    def _learn(self, exam: Any, folder: Path | None, progress: Progress | None) -> tuple[Any, list[Any]]:
        if self.preset == "general":
            from personae.train.evidence import learn_evidence  # noqa: PLC0415  (needs torch)

            return learn_evidence(exam, self.k, self.plan, self.seed, folder=folder, progress=progress)
        from personae.train.gcn_v import learn_confidence  # noqa: PLC0415

        model, looks = learn_confidence(exam, self.k, self.plan, self.seed, folder=folder, progress=progress)

        def worth(space: Space) -> float:
            model.config = replace(model.config, space=space)
            links = model.links(exam.faces, exam.graph)
            return float(exam.decide(links, self._clusterers(), self.options)[1])

        space: Space = max(SPACES, key=worth) if self.space is None else self.space
        model.config = replace(model.config, space=space)
        return model, looks

    def _build(self, config: dict[str, Any]) -> Any:
        if self.preset == "general":
            from personae.link.evidence_net import EvidenceConfig, EvidenceModel  # noqa: PLC0415  (needs torch)

            return EvidenceModel(EvidenceConfig(**config))
        from personae.link.gcn_v import ConfidenceConfig, ConfidenceModel  # noqa: PLC0415

        return ConfidenceModel(ConfidenceConfig(**config))

    def _check(self) -> None:
        super()._check()
        if self.space not in (None, "raw", "hidden"):
            raise InputError(f"no space is called {self.space}; there are raw and hidden")
