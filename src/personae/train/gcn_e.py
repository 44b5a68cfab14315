"""What GCN-E learns from: the candidates of the most confident training faces."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from personae.graph.affinity import affinity
from personae.graph.nearby import nearby_graph
from personae.graph.search import knn_graph
from personae.link.candidates import Candidates
from personae.link.gcn_e import ConnectivityConfig, ConnectivityModel, candidate_features
from personae.link.gcn_v import hidden_and_confidence
from personae.train.exam import Exam
from personae.train.gcn_v import PLAN as CONFIDENCE_PLAN
from personae.train.gcn_v import graded, learn_confidence
from personae.train.loop import Look, seed_of, train
from personae.train.plan import Plan

# of the paper but for the number of steps, 40 epochs of 32 faces a step, and with it the validation
PLAN = Plan(steps=600, learning_rate=0.1, weight_decay=1e-5, validate_every=150)
BATCH = 32  # faces a step
CONFIDENT = 0.3  # share of the training faces that are learned from


class ConnectivityLesson:
    """Whether each candidate is the same person, by the log-likelihood, over confident faces drawn at random.

    Each face counts the same, however many candidates it has. The confidence net stays as it is.

    Faces with one candidate follow that one whatever the network says, and are left out.
    """

    module: nn.Module

    def __init__(self, model: ConnectivityModel, exam: Exam, k: int, seed: int) -> None:
        faces, self.truth = exam.lesson()
        graph = knn_graph(faces, k)
        self.hidden, confidence = hidden_and_confidence(model.confidence.eval(), faces, graph)
        self.graph = nearby_graph(self.hidden, graph)
        self.matrix = affinity(self.graph)
        self.candidates = Candidates.of(self.graph, confidence)
        self.asked = drawable(self.candidates, CONFIDENT)
        self.model, self.module, self.exam, self.seed = model, model.connectivity, exam, seed

    def loss(self, step: int, device: str) -> Tensor:
        """The loss of this step's faces."""
        faces = np.random.default_rng(seed_of(self.seed, step)).choice(self.asked, BATCH)
        x, inside, ranks = candidate_features(self.hidden, self.graph, self.candidates, faces, self.matrix)
        logits = self.module(torch.from_numpy(x).to(device), torch.from_numpy(inside).to(device))
        return candidate_loss(logits, self.truth, self.graph.neighbors, faces, ranks)

    def score(self) -> float:
        """The mean of both F of the density tree on validation identities."""
        return graded(self.model, self.exam)


def drawable(candidates: Candidates, share: float) -> NDArray[np.int64]:
    """The most confident faces with several candidates; all that have some, where there are none."""
    confident = candidates.most_confident(share)
    several = confident[candidates.count[confident] > 1]
    return several if len(several) else np.flatnonzero(candidates.count > 0)


def candidate_loss(
    logits: Tensor,
    truth: NDArray[np.int32],
    neighbors: NDArray[np.int32],
    faces: NDArray[np.int64],
    ranks: NDArray[np.int64],
) -> Tensor:
    """Negative log-likelihood of (B, n, 2) logits, the mean over the candidates of a face, then over faces."""
    same = truth[neighbors[faces[:, None], ranks]] == truth[faces][:, None]  # (B, n)
    there = torch.from_numpy(ranks >= 0).to(logits.device)
    target = torch.from_numpy(same.astype(np.int64)).to(logits.device)
    each = functional.cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="none").view(there.shape)
    return ((each * there).sum(dim=1) / there.sum(dim=1)).mean()


def learn_connectivity(
    exam: Exam,
    k: int,
    plan: Plan | None,
    seed: int,
    *,
    folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[ConnectivityModel, list[Look]]:
    """A trained model and the looks on the way of both networks, one after the other.

    plan: of both; the second one's looks count on from the first one's steps

    5 minutes for 10,000 faces; InputError: as of `train`.
    """
    first, second = (replace(plan or usual, seed=seed) for usual in (CONFIDENCE_PLAN, PLAN))
    told = together(progress, first.steps, second.steps)
    folders = (None, None) if folder is None else (folder / "confidence", folder / "connectivity")
    confidence, looks = learn_confidence(exam, k, first, seed, folder=folders[0], progress=told[0])
    torch.manual_seed(seed)  # whether or not the first network was there already
    model = ConnectivityModel(ConnectivityConfig(confidence.config))
    model.confidence.load_state_dict(confidence.module.state_dict())
    lesson = ConnectivityLesson(model, exam, k, seed)
    more = train(lesson, second, folder=folders[1], progress=told[1])
    return model, looks + [replace(look, step=first.steps + look.step) for look in more]


def together(
    progress: Callable[[int, int], None] | None, first: int, second: int
) -> tuple[Callable[[int, int], None] | None, Callable[[int, int], None] | None]:
    """Progress of two runs of so many steps as of one."""
    if progress is None:
        return None, None
    return lambda done, _: progress(done, first + second), lambda done, _: progress(
        first + done, first + second
    )
