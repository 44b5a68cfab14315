"""GCN-D: clusters detected among proposals, as objects are in pictures.

Yang et al., "Learning to Cluster Faces on an Affinity Graph", CVPR 2019.
"""

from pathlib import Path
from typing import Any, ClassVar, Literal

from personae.clustering.decision import OF_PROPOSALS, Decision
from personae.errors import InputError
from personae.evaluation.within import scores_within
from personae.link.links import Links
from personae.methods.learned import LearnedClusterer, Progress
from personae.train.plan import Plan

POOLS = ("max", "mean", "sum")
WORTH = 0.65  # two strangers are half one person, two faces of one person are wholly
REMAINS = 0.5  # what is less than half of what was scored is something else


class GCND(LearnedClusterer):
    """Many sets of faces are proposed, a network says how much each is like a person, and the best come first.

    It believes that a person is seen as a whole, from the graph among its faces, better than link by link.
    Proposals are components at several thresholds, and components of those; the score is the predicted IoU with
    the person; each face goes to the best proposal that holds it (`personae.clustering.DeOverlap`).

    "paper" is the published network on features, which learns the faces of a thousand identities by heart, and
    proposals of cosines, of 3 to 500 faces. "general" learns a link model of cosines and ranks first, proposes
    components and modules of the map equation on its probabilities, of any size, and scores them by what leads
    into and out of each, in collections where people have other sizes and other spreads.

    Weak where no proposal is a person: the best score cannot mend it. Persons of two faces are below the
    smallest proposal of "paper".

    turns: I, how often super-vertices are put together, of "paper"
    pool:  of "paper", what makes one row of the members: "max", "mean" or "sum"
    """

    name: ClassVar[str] = "gcn_d"
    own: ClassVar[str] = "de_overlap"

    def __init__(  # noqa: PLR0913  (the paper's, beside those of every learned method)
        self,
        preset: str = "paper",
        k: int = 80,
        clusterer: str | None = None,
        plan: Plan | None = None,
        seed: int = 0,
        *,
        turns: int = 2,
        pool: Literal["max", "mean", "sum"] = "max",
    ) -> None:
        super().__init__(preset, k, clusterer, plan, seed)
        self.turns = turns
        self.pool = pool

    def _learn(self, exam: Any, folder: Path | None, progress: Progress | None) -> tuple[Any, list[Any]]:
        from personae.link.gcn_d import DetectionConfig  # noqa: PLC0415  (torch, an extra)
        from personae.link.proposal_search import Search  # noqa: PLC0415
        from personae.train.gcn_d import Studies, learn_detection, learn_general_detection  # noqa: PLC0415

        studies = Studies(exam, self.k, self.seed, self.plan, folder, progress)
        if self.preset == "general":
            general, _, looks = learn_general_detection(studies)
            return general, looks
        config = DetectionConfig(exam.faces.dimension, Search(turns=self.turns), pool=self.pool)
        model, _, looks = learn_detection(studies, config)
        return model, looks

    def _build(self, config: dict[str, Any]) -> Any:
        from personae.link.proposal_search import search_of  # noqa: PLC0415  (torch, an extra)

        fields = {**config, "search": search_of(config["search"])}
        if self.preset == "general":
            from personae.link.evidence_net import EvidenceConfig  # noqa: PLC0415
            from personae.link.gcn_d_general import GeneralDetectionConfig, GeneralDetectionModel  # noqa: PLC0415

            evidence = EvidenceConfig(**config["evidence"])
            return GeneralDetectionModel(GeneralDetectionConfig(**{**fields, "evidence": evidence}))
        from personae.link.gcn_d import DetectionConfig, DetectionModel  # noqa: PLC0415

        return DetectionModel(DetectionConfig(**{**fields, "hidden": tuple(config["hidden"])}))

    def _decide(self, exam: Any, model: Any, links: Links) -> tuple[Decision, float]:
        clusterer = self.clusterer or self.own
        if self.preset == "paper" or clusterer not in OF_PROPOSALS:
            return super()._decide(exam, model, links)
        decision = Decision(clusterer, WORTH, {"remains": REMAINS} if clusterer == self.own else {})
        pairwise, bcubed = scores_within(exam.truth, decision.people(links), exam.held)
        return decision, (pairwise.f + bcubed.f) / 2

    def _check(self) -> None:
        super()._check()
        if self.pool not in POOLS:
            raise InputError(f"no pool is called {self.pool}; there are {', '.join(POOLS)}")
        if self.turns < 1:
            raise InputError(f"turns is {self.turns}; it needs to be at least 1")
