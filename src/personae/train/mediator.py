"""What CDP's mediator learns from: pairs of neighbors among the training faces."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from personae.data.faceset import FaceSet
from personae.errors import InputError
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.graph.search import knn_graph
from personae.link.mediator import MediatorConfig, MediatorModel, in_blocks, refuse_others, views
from personae.train.exam import Exam
from personae.train.loop import Look, seed_of, train
from personae.train.plan import Plan
from personae.train.worlds import worlds

PAPER = Plan(steps=3000, learning_rate=1e-3, weight_decay=1e-4, milestones=(0.5,), validate_every=1500)
GENERAL = replace(PAPER, optimizer="adamw", learning_rate=3e-3, schedule="cosine", validate_every=3000)
BATCH = 1024  # pairs a step
WORLDS = 8


@dataclass(frozen=True)
class Pairs:
    """The pairs of one collection.

    said: (P, d), of each pair
    same: (P,) int64, 1 where it is one person
    """

    said: Tensor
    same: Tensor

    @classmethod
    def of(
        cls, faces: FaceSet, truth: NDArray[np.int32], graph: KnnGraph, committee: Sequence[FaceSet] = ()
    ) -> Self:
        """All neighbors in the base's lists. InputError: there are none."""
        if graph.k == 0:
            raise InputError("there is one face to learn from; a link model needs faces of several people")
        said = np.concatenate([block for _, block in in_blocks(views(faces, graph, committee))])
        there = graph.neighbors != NOBODY
        same = truth[graph.neighbors] == truth[:, None]
        return cls(torch.from_numpy(said[there]), torch.from_numpy(same[there].astype(np.int64)))


class MediatorLesson:
    """Whether a pair is one person, by the log-likelihood, over pairs drawn at random."""

    module: nn.Module

    def __init__(
        self, model: MediatorModel, exam: Exam, committee: Sequence[FaceSet], taught: list[Pairs], seed: int
    ) -> None:
        self.model, self.module, self.exam, self.seed = model, model.module, exam, seed
        self.committee, self.taught = committee, taught
        said = torch.cat([pairs.said for pairs in taught])
        model.module.mean.copy_(said.mean(dim=0))
        model.module.scale.copy_(said.std(dim=0, correction=0).clamp(min=1e-3))

    def loss(self, step: int, device: str) -> Tensor:
        """The loss of this step's pairs, all of one collection."""
        pairs = self.taught[step % len(self.taught)]
        rng = np.random.default_rng(seed_of(self.seed, step))
        rows = torch.from_numpy(rng.integers(0, len(pairs.same), BATCH))
        return functional.cross_entropy(self.module(pairs.said[rows].to(device)), pairs.same[rows].to(device))

    def score(self) -> float:
        """The mean of both F of plain components on the validation identities."""
        return self.exam.grade(self.model.links(self.exam.faces, self.exam.graph, self.committee))


def learn_mediator(
    exam: Exam,
    plan: Plan,
    *,
    committee: Sequence[FaceSet] = (),
    shapes: int = 1,
    folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[MediatorModel, list[Look]]:
    """A trained model and the looks on the way. Half a minute for 10,000 faces; InputError: as of `train`.

    committee: the faces of the exam as other models see them
    shapes:    collections to learn from: the training faces, and others made of them, for which there is no
               committee
    """
    refuse_others(exam.faces, committee)
    torch.manual_seed(plan.seed)
    model = MediatorModel(MediatorConfig(len(committee)))
    rows = np.flatnonzero(~exam.held)
    others = [member.take(rows) for member in committee]
    taught = [
        Pairs.of(faces, truth, knn_graph(faces, exam.graph.k), others)
        for faces, truth in worlds(*exam.lesson(), shapes, plan.seed)
    ]
    lesson = MediatorLesson(model, exam, committee, taught, plan.seed)
    return model, train(lesson, plan, folder=folder, progress=progress)
