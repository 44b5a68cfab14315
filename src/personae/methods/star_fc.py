"""STAR-FC: every link is judged from both of its faces in their surroundings, then by the links around it.

Shen et al., "Structure-Aware Face Clustering on a Large-Scale Graph with 10^7 Nodes", CVPR 2021.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from personae.errors import InputError
from personae.link.links import LinkModel
from personae.methods.learned import LearnedClusterer, Progress
from personae.train.plan import Plan

PAPER = Plan(
    steps=320,
    optimizer="adamw",
    learning_rate=3e-4,
    weight_decay=1e-4,
    schedule="cosine",
    warmup=10,
    validate_every=80,
)
SAMPLINGS = ("structure", "faces")


class StarFC(LearnedClusterer):
    """A graph convolution over the whole kNN graph and a classifier of its links; links that are probable and
    whose faces share most of their links make people.

    It believes that one look at each face in its surroundings is enough to judge all its links, which makes it
    the fastest of the learned methods. "paper" is the published network; on raw features of a thousand
    identities it learns them by heart, so its features are turned at random in training, and it starts as a
    measure of distance. "general" sees cosines and ranks in place of the features
    (`personae.link.evidence_net`), with a narrower network, and learns from people of several sizes.

    A true link without others beside it has intimacy 0, so as published people of two faces never stay; whether
    a face counts among its own links is chosen on validation, like both thresholds.

    sampling: of the subgraphs in training, "structure" is SPSS, "faces" draws faces anywhere, to compare with
    """

    name: ClassVar[str] = "star_fc"
    own: ClassVar[str] = "node_intimacy"
    of_albums: ClassVar[bool] = True
    options: ClassVar[dict[str, Sequence[dict[str, Any]]]] = {
        "node_intimacy": (
            {"tau": 0.72},
            *({"tau": tau, "own": True} for tau in (0.45, 0.6, 0.72)),
            {"tau": 0.78, "by_degree": True},
        )
    }

    def __init__(
        self,
        preset: str = "paper",
        k: int = 80,
        clusterer: str | None = None,
        plan: Plan | None = None,
        seed: int = 0,
        sampling: str = "structure",
    ) -> None:
        super().__init__(preset, k, clusterer, plan, seed)
        self.sampling = sampling

    def _check(self) -> None:
        super()._check()
        if self.sampling not in SAMPLINGS:
            raise InputError(f"no sampling is called {self.sampling}; there are {' and '.join(SAMPLINGS)}")

    def _learn(self, exam: Any, folder: Path | None, progress: Progress | None) -> tuple[LinkModel, list[Any]]:
        if self.preset == "general":
            from personae.train.evidence import learn_evidence  # noqa: PLC0415  (needs torch)

            return learn_evidence(exam, self.k, self.plan, self.seed, folder=folder, progress=progress)
        from personae.link.star_fc import StarFCConfig  # noqa: PLC0415
        from personae.train.sampling import Sampling  # noqa: PLC0415
        from personae.train.star_fc import Course, learn_star_fc  # noqa: PLC0415

        rule: Literal["structure", "faces"] = "faces" if self.sampling == "faces" else "structure"
        course = Course(Sampling(rule, keep_seed=True), self.k)
        plan = replace(self.plan or PAPER, seed=self.seed)
        return learn_star_fc(exam, StarFCConfig(exam.faces.dimension), course, plan, folder, progress)

    def _build(self, config: dict[str, Any]) -> LinkModel:
        if self.preset == "general":
            from personae.link.evidence_net import EvidenceConfig, EvidenceModel  # noqa: PLC0415  (needs torch)

            return EvidenceModel(EvidenceConfig(**config))
        from personae.link.star_fc import StarFCConfig, StarFCModel  # noqa: PLC0415

        return StarFCModel(StarFCConfig(**config))
