"""What GCN-E for new people learns from: the candidates of any face, in collections of several shapes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from personae.graph.lists import in_reach
from personae.graph.search import knn_graph
from personae.link.gcn_e_general import GeneralConnectivityConfig, GeneralConnectivityModel, Views
from personae.train.evidence import PLAN as EVIDENCE_PLAN
from personae.train.evidence import WORLDS, learn_evidence
from personae.train.exam import Exam
from personae.train.gcn_e import candidate_loss, drawable, together
from personae.train.gcn_v import graded
from personae.train.loop import Look, seed_of, train
from personae.train.plan import Plan
from personae.train.worlds import EVERY, worlds

PLAN = Plan(
    steps=600,
    optimizer="adamw",
    learning_rate=3e-3,
    weight_decay=1e-3,
    schedule="cosine",
    validate_every=200,
)
BATCH = 64  # faces a step


class GeneralConnectivityLesson:
    """Whether each candidate is the same person, by the log-likelihood, over faces drawn at random.

    The confidence net stays as it is.
    """

    module: nn.Module

    def __init__(self, model: GeneralConnectivityModel, exam: Exam, k: int, seed: int) -> None:
        self.taught = [
            (Views.of(model.confidence.eval(), faces, in_reach(knn_graph(faces, k))), truth)
            for faces, truth in worlds(*exam.lesson(), WORLDS, seed, EVERY)
        ]
        self.asked = [drawable(views.candidates, 1.0) for views, _ in self.taught]
        self.model, self.module, self.exam, self.seed = model, model.connectivity, exam, seed

    def loss(self, step: int, device: str) -> Tensor:
        """The loss of this step's faces, all of one collection."""
        which = step % len(self.taught)
        views, truth = self.taught[which]
        faces = np.random.default_rng(seed_of(self.seed, step)).choice(self.asked[which], BATCH)
        x, inside, ranks = views.of_candidates(faces)
        logits = self.module(x.to(device), inside.to(device))
        return candidate_loss(logits, truth, views.links.graph.neighbors, faces, ranks)

    def score(self) -> float:
        """The mean of both F of the density tree on validation identities."""
        return graded(self.model, self.exam)


def learn_general_connectivity(
    exam: Exam,
    k: int,
    plan: Plan | None,
    seed: int,
    *,
    folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[GeneralConnectivityModel, list[Look]]:
    """A trained model and the looks of both networks; see `learn_connectivity`."""
    first, second = (replace(plan or usual, seed=seed) for usual in (EVIDENCE_PLAN, PLAN))
    told = together(progress, first.steps, second.steps)
    folders = (None, None) if folder is None else (folder / "confidence", folder / "connectivity")
    confidence, looks = learn_evidence(exam, k, first, seed, folder=folders[0], progress=told[0])
    torch.manual_seed(seed)  # whether or not the first network was there already
    model = GeneralConnectivityModel(GeneralConnectivityConfig(confidence.config))
    model.confidence.load_state_dict(confidence.module.state_dict())
    lesson = GeneralConnectivityLesson(model, exam, k, seed)
    more = train(lesson, second, folder=folders[1], progress=told[1])
    return model, looks + [replace(look, step=first.steps + look.step) for look in more]
