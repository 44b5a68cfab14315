"""What a link model of evidence learns from: neighbors in collections of several shapes."""

from collections.abc import Callable
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
from personae.graph.lists import in_reach
from personae.graph.search import knn_graph
from personae.link.evidence import OF_PAIR
from personae.link.evidence_net import EvidenceConfig, EvidenceModel, EvidenceNet, Known
from personae.link.gcn_v import confidence_target
from personae.train.exam import Exam
from personae.train.gcn_v import drawn
from personae.train.loop import Look, seed_of, train
from personae.train.plan import Plan
from personae.train.worlds import EVERY, worlds

PLAN = Plan(
    steps=1200,
    optimizer="adamw",
    learning_rate=3e-3,
    weight_decay=1e-2,
    schedule="cosine",
    warmup=50,
    validate_every=1200,  # the last weights count: validation identities don't show people of other sizes
)
WORLDS = len(EVERY)
BATCH = 128  # faces a step
SAMPLE = 2000  # faces of a world whose pairs are measured for mean and scale


@dataclass(frozen=True)
class Neighbors:
    """One collection to learn from, its faces known as the network knows them.

    same:   (N, k) float32, 1 where a neighbor is the same person
    target: (N,) float32, the confidence by size
    """

    known: Known
    same: NDArray[np.float32]
    target: NDArray[np.float32]

    @classmethod
    def of(cls, faces: FaceSet, truth: NDArray[np.int32], k: int) -> Self:
        """With its graph, O(N^2 d). InputError: one face."""
        if len(faces) < 2:
            raise InputError("there is one face to learn from; a link model needs faces of several people")
        graph = in_reach(knn_graph(faces, k))
        same = (truth[graph.neighbors] == truth[:, None]).astype(np.float32)
        return cls(Known.of(faces, graph), same, confidence_target(graph, truth, "size"))

    @property
    def graph(self) -> KnnGraph:
        """The kNN graph of the faces."""
        return self.known.evidence.graph


class EvidenceLesson:
    """Whether each neighbor is the same person, by log-likelihood, and the squared error of the confidence.

    Keeps 12 (d + k) bytes for each face of each of `WORLDS` collections, most of them about as large as what is
    learned from: with 256 values and 80 neighbors 4 kB.
    """

    module: nn.Module

    def __init__(self, model: EvidenceModel, exam: Exam, k: int, seed: int) -> None:
        self.model, self.module, self.exam, self.seed = model, model.module, exam, seed
        self.net = model.module
        self.taught = [Neighbors.of(*world, k) for world in worlds(*exam.lesson(), WORLDS, seed, EVERY)]
        standardize(self.net, [neighbors.known for neighbors in self.taught])

    def loss(self, step: int, device: str) -> Tensor:
        """The loss of this step's faces, all of one collection."""
        here = self.taught[step % len(self.taught)]
        rows = drawn(len(here.graph), BATCH, seed_of(self.seed, step))
        faces = rows.numpy()
        one, other = self.net.faces(
            *(torch.from_numpy(part).to(device) for part in (here.known.evidence.faces, here.known.average))
        )
        neighbors = torch.from_numpy(np.maximum(here.graph.neighbors[faces], 0).astype(np.int64)).to(device)
        pairs = torch.from_numpy(here.known.evidence.pairs(faces)).to(device)
        logits = self.net(one[rows.to(device), None], other[neighbors], pairs)  # (B, k)
        there = torch.from_numpy(here.graph.neighbors[faces] != NOBODY).to(device)
        cosines = torch.from_numpy(here.graph.similarities[faces].astype(np.float32)).to(device)
        same, target = (torch.from_numpy(part[faces]).to(device) for part in (here.same, here.target))
        likelihood = functional.binary_cross_entropy_with_logits(logits[there], same[there])
        sign = (2 * torch.sigmoid(logits) - 1) * there
        confidence = (1 + (sign * cosines).sum(dim=1)) / (1 + there.sum(dim=1))
        return likelihood + functional.mse_loss(confidence, target)

    def score(self) -> float:
        """The mean of both F of plain components on the validation identities."""
        return self.exam.grade(self.model.links(self.exam.faces, self.exam.graph))


def standardize(net: EvidenceNet, known: list[Known]) -> None:
    """Puts the mean and the scale of the inputs on these faces into the network."""
    faces = np.concatenate([one.evidence.faces for one in known])
    pairs = []
    for one in known:
        n = len(one.evidence.faces)
        rows = np.unique(np.linspace(0, n - 1, min(n, SAMPLE)).astype(np.int64))
        there = one.evidence.graph.neighbors[rows] != NOBODY
        pairs.append(one.evidence.pairs(rows)[there].reshape(-1, OF_PAIR))
    for name, values in (("face", faces), ("pair", np.concatenate(pairs))):
        getattr(net, f"{name}_mean").copy_(torch.from_numpy(values.mean(axis=0)))
        getattr(net, f"{name}_scale").copy_(torch.from_numpy(np.maximum(values.std(axis=0), 1e-3)))


def learn_evidence(
    exam: Exam,
    k: int,
    plan: Plan | None,
    seed: int,
    *,
    folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[EvidenceModel, list[Look]]:
    """A trained model and the looks on the way. 2 minutes for 10,000 faces; InputError: as of `train`."""
    torch.manual_seed(seed)
    model = EvidenceModel(EvidenceConfig())
    lesson = EvidenceLesson(model, exam, k, seed)
    looks = train(lesson, replace(plan or PLAN, seed=seed), folder=folder, progress=progress)
    return model, looks
