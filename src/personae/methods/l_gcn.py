"""L-GCN: each face judges its neighbors within a small graph around it.

Wang et al., "Linkage Based Face Clustering via Graph Convolution Network", CVPR 2019.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from personae.errors import InputError
from personae.methods.learned import LearnedClusterer, Progress
from personae.train.plan import Plan

PAPER = Plan(
    steps=1600,
    learning_rate=0.01,
    weight_decay=1e-4,
    milestones=(0.25, 0.5, 0.75),
    validate_every=800,
    precision="bfloat16",
)
GENERAL = Plan(
    steps=1200,
    optimizer="adamw",
    learning_rate=3e-3,
    weight_decay=1e-2,
    schedule="cosine",
    warmup=50,
    validate_every=300,
)
BATCH = 16  # pivots a step
NO_CAP = 2**31 - 1
NARROW = (128, 128, 64, 64)
AGGREGATIONS = ("mean", "weighted", "attention")


class LGCN(LearnedClusterer):
    """Each face, the pivot, has a graph of its neighbors and theirs, in which a network of four graph
    convolutions tells which neighbors are its own person; chains of such links are people.

    It believes that a face is judged best in its whole neighborhood. "paper" is the published network, on
    differences of features, x_q - x_p, and pseudo-label propagation without a cap on the size of a person; it
    learns by heart which directions of feature space matter, so it wants thousands of identities. "general"
    sees cosines, ranks and shared neighbors in place of the differences (`personae.link.pivot_relations`), with
    a network a quarter as wide, and learns in crowds where people have other numbers of faces.

    Links beyond the first k1 neighbors are not seen. Weak in its cost: hundreds of rows for each face where
    other models have one, 1.6 MFLOP a row with the published widths.

    aggregation: of linked faces, "mean", "weighted" by their cosines or "attention"
    training:    k1, k2 and u, the shape of a subgraph in training; the paper has (200, 10, 10), a day on a GPU.
                 "general" draws k1 from a quarter and a half of `k` too, and all of it
    testing:     k1, k2 and u when clustering; k1 is `k` at most
    """

    name: ClassVar[str] = "l_gcn"
    own: ClassVar[str] = "propagation"
    of_albums: ClassVar[bool] = True
    options: ClassVar[dict[str, Sequence[dict[str, Any]]]] = {
        "propagation": ({"max_size": NO_CAP, "step": 0.6},)
    }

    def __init__(  # noqa: PLR0913  (the paper's, beside those of every learned method)
        self,
        preset: str = "paper",
        k: int = 80,
        clusterer: str | None = None,
        plan: Plan | None = None,
        seed: int = 0,
        *,
        aggregation: Literal["mean", "weighted", "attention"] = "mean",
        training: tuple[int, int, int] = (40, 5, 5),
        testing: tuple[int, int, int] = (80, 5, 5),
    ) -> None:
        super().__init__(preset, k, clusterer, plan, seed)
        self.aggregation = aggregation
        self.training = training
        self.testing = testing

    def _learn(self, exam: Any, folder: Path | None, progress: Progress | None) -> tuple[Any, list[Any]]:
        import torch  # noqa: PLC0415  (an extra)

        from personae.link.l_gcn import PivotConfig  # noqa: PLC0415
        from personae.link.l_gcn_inference import PivotModel  # noqa: PLC0415
        from personae.link.pivot_subgraphs import Neighborhood  # noqa: PLC0415
        from personae.train.l_gcn import PivotLesson, crowds  # noqa: PLC0415
        from personae.train.loop import train  # noqa: PLC0415

        general = self.preset == "general"
        plan = replace(self.plan or (GENERAL if general else PAPER), seed=self.seed)
        shapes = [Neighborhood(*self.training)]
        config = PivotConfig(exam.faces.dimension, Neighborhood(*self.testing), aggregation=self.aggregation)
        if general:
            config = replace(config, inputs="relations", hidden=NARROW)
            shapes = [replace(shapes[0], first=max(1, self.k // part)) for part in (4, 2, 1)]
        torch.manual_seed(self.seed)
        model = PivotModel(config)
        faces = crowds(config, exam, self.k, self.seed)
        lesson = PivotLesson(model, exam, shapes, BATCH, faces, self.seed)
        return model, train(lesson, plan, folder=folder, progress=progress)

    def _build(self, config: dict[str, Any]) -> Any:
        from personae.link.l_gcn import PivotConfig  # noqa: PLC0415  (torch, an extra)
        from personae.link.l_gcn_inference import PivotModel  # noqa: PLC0415
        from personae.link.pivot_subgraphs import Neighborhood  # noqa: PLC0415

        shape = Neighborhood(**config["shape"])
        return PivotModel(PivotConfig(**{**config, "shape": shape, "hidden": tuple(config["hidden"])}))

    def _check(self) -> None:
        super()._check()
        if self.aggregation not in AGGREGATIONS:
            raise InputError(
                f"no aggregation is called {self.aggregation}; there are {', '.join(AGGREGATIONS)}"
            )
        if any(len(shape) != 3 for shape in (self.training, self.testing)):
            raise InputError("training and testing are k1, k2 and u, three numbers each")
