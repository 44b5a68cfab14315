"""What GCN-V learns from: the confidence of each training face in the graph of the training faces."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from personae.graph.affinity import affinity, averages
from personae.graph.search import knn_graph
from personae.link.gcn_v import ConfidenceConfig, ConfidenceModel, confidence_target
from personae.link.links import LinkModel
from personae.train.choose import choose
from personae.train.exam import Exam
from personae.train.loop import Look, seed_of, train
from personae.train.plan import Plan

# of the paper but for the number of steps, 80,000 with all faces in each, and with it the validation
PLAN = Plan(steps=800, learning_rate=0.1, weight_decay=1e-5, validate_every=50)
BATCH = 1024  # faces a step
TREE: tuple[dict[str, Any], ...] = ({"ordered": True},)  # how the density tree is to be tried


class ConfidenceLesson:
    """The mean squared error of the confidence, over faces drawn at random.

    With one graph convolution the average of a face's neighbors does not change in training, and is made once.
    """

    module: nn.Module

    def __init__(self, model: ConfidenceModel, exam: Exam, k: int, seed: int) -> None:
        faces, truth = exam.lesson()
        graph = knn_graph(faces, k)
        features = np.asarray(faces.features, dtype=np.float32)
        self.x = torch.from_numpy(features)
        self.average = torch.from_numpy(averages(affinity(graph), features))
        self.target = torch.from_numpy(confidence_target(graph, truth))
        self.model, self.module, self.exam, self.seed = model, model.module, exam, seed

    def loss(self, step: int, device: str) -> Tensor:
        """The error of this step's faces."""
        rows = drawn(len(self.x), BATCH, seed_of(self.seed, step))
        x, average, target = (part[rows].to(device) for part in (self.x, self.average, self.target))
        _, confidence = self.module(x, average)
        return functional.mse_loss(confidence, target)

    def score(self) -> float:
        """The mean of both F of the density tree on validation identities."""
        return graded(self.model, self.exam)


def drawn(n: int, count: int, seed: int) -> Tensor:
    """(count,) or all of n different rows at random."""
    rows: NDArray[np.int64] = np.random.default_rng(seed).choice(n, min(count, n), replace=False)
    return torch.from_numpy(rows)


def graded(model: LinkModel, exam: Exam) -> float:
    """In [0, 1], the mean of both F of the density tree at its best threshold, on validation identities."""
    links = model.links(exam.faces, exam.graph)
    return choose(links, exam.truth, exam.held, "density_tree", TREE)[1]


def learn_confidence(
    exam: Exam,
    k: int,
    plan: Plan | None,
    seed: int,
    *,
    folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[ConfidenceModel, list[Look]]:
    """A trained model and the looks on the way. 2 minutes for 10,000 faces; InputError: as of `train`."""
    torch.manual_seed(seed)
    model = ConfidenceModel(ConfidenceConfig(exam.faces.dimension, space="raw"))
    lesson = ConfidenceLesson(model, exam, k, seed)
    looks = train(lesson, replace(plan or PLAN, seed=seed), folder=folder, progress=progress)
    return model, looks
