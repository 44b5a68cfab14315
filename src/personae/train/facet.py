"""How FaceT learns: cross-entropy over all candidates of a batch of queries, encoder and predictor together.

"Learning to Cluster Faces via Transformer", 2021, section 4. Published: 32 queries, a warm-up of 500 steps,
then a cosine; weight decay 5e-4; rate 0.002 of an optimizer that is not named, for a million steps on 576,494
faces (A2). Here AdamW with rate 5e-4 (A11), since a few thousand steps are all that 10,000 faces fill.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from personae.graph.search import knn_graph
from personae.link.facet import FaceTConfig
from personae.link.facet_model import FaceTModel
from personae.train.exam import Exam
from personae.train.loop import Look, seed_of, train
from personae.train.plan import Plan

PUBLISHED = Plan(
    steps=2000,
    optimizer="adamw",
    learning_rate=5e-4,
    weight_decay=5e-4,
    schedule="cosine",
    warmup=500,
    validate_every=500,
)
SEEDS, NEAR = 8, 3  # faces of a batch drawn at random, and the first neighbors of each: 32 queries


class FaceTLesson:
    """Queries of training identities and all of their candidates; nobody held out is on a list."""

    def __init__(self, model: FaceTModel, exam: Exam, seed: int) -> None:
        self.model, self.exam, self.seed = model, exam, seed
        self.module: nn.Module = model.module
        faces, truth = exam.lesson()
        graph = knn_graph(faces, exam.graph.k)
        self.features = torch.from_numpy(np.asarray(faces.features, dtype=np.float32))
        self.neighbors = torch.from_numpy(graph.neighbors.astype(np.int64))
        self.truth = torch.from_numpy(truth)

    def loss(self, step: int, device: str) -> Tensor:
        """Mean over all pairs, which are as many as there are: nothing is balanced (A17)."""
        rng = np.random.default_rng(seed_of(self.seed, step))
        seeds = torch.from_numpy(rng.integers(0, len(self.truth), SEEDS)).to(device)
        self.features, self.neighbors, self.truth = (
            part.to(device) for part in (self.features, self.neighbors, self.truth)
        )
        queries = torch.cat([seeds, self.neighbors[seeds, :NEAR].flatten()])
        logits = self.module(self.features, self.neighbors, queries)
        same = self.truth[self.neighbors[queries]] == self.truth[queries, None]
        return functional.binary_cross_entropy_with_logits(logits, same.to(torch.float32))

    def score(self) -> float:
        """Mean of both F of the validation identities, by components at the best tau (A12)."""
        return self.exam.grade(self.model.links(self.exam.faces, self.exam.graph))


def learn_facet(
    exam: Exam,
    config: FaceTConfig,
    plan: Plan,
    folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[FaceTModel, list[Look]]:
    """The published network, trained on the lesson of the exam, and all looks; as `train` says."""
    torch.manual_seed(plan.seed)
    model = FaceTModel(config)
    looks = train(FaceTLesson(model, exam, plan.seed), plan, folder=folder, progress=progress)
    return model, looks
