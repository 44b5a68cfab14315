"""How the general FaceT learns: by cross-entropy over all candidates, from collections of several shapes."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from personae.data.faceset import FaceSet
from personae.graph.knn_graph import NOBODY
from personae.graph.search import knn_graph
from personae.link.evidence import Evidence
from personae.link.facet_general import GeneralFaceTConfig, GeneralFaceTModel, GeneralFaceTNetwork, told
from personae.train.exam import Exam
from personae.train.loop import Look, seed_of, train
from personae.train.plan import Plan
from personae.train.worlds import worlds

GENERAL = Plan(
    steps=1500,
    optimizer="adamw",
    learning_rate=2e-3,
    weight_decay=1e-2,
    schedule="cosine",
    warmup=100,
    validate_every=750,
)
WORLDS = 8
SAMPLE = 2000  # faces whose evidence is measured for mean and scale
SEEDS, NEAR = 8, 1  # faces of a step drawn at random, and the first neighbors of each


class World(NamedTuple):
    """A collection to learn from, centred.

    known:     of its faces and their graph
    faces:     (N, d)
    neighbors: (N, k) int64
    truth:     (N,)
    """

    known: Evidence
    faces: Tensor
    neighbors: Tensor
    truth: Tensor

    @classmethod
    def of(cls, faces: FaceSet, truth: NDArray[np.int32], k: int, network: GeneralFaceTNetwork) -> "World":
        """With the `k` nearest of each face, seen from the centre of the network."""
        graph = knn_graph(faces, k)
        centred = network.centred(torch.from_numpy(np.asarray(faces.features, dtype=np.float32)))
        known = Evidence.of(faces.features, graph)
        return cls(known, centred, torch.from_numpy(graph.neighbors.astype(np.int64)), torch.from_numpy(truth))

    def to(self, device: str) -> "World":
        """What the network takes and is compared with on this device."""
        faces, neighbors, truth = (part.to(device) for part in (self.faces, self.neighbors, self.truth))
        return World(self.known, faces, neighbors, truth)


class GeneralFaceTLesson:
    """Queries of the training identities as they are and as they might be."""

    def __init__(self, model: GeneralFaceTModel, exam: Exam, seed: int) -> None:
        self.model, self.exam, self.seed = model, exam, seed
        self.module: nn.Module = model.module
        network = model.module
        faces, truth = exam.lesson()
        features = torch.from_numpy(np.asarray(faces.features, dtype=np.float32))
        network.centre.copy_(features.mean(dim=0))
        self.worlds = [
            World.of(made, people, exam.graph.k, network) for made, people in worlds(faces, truth, WORLDS, seed)
        ]
        known = self.worlds[0].known
        sample = np.random.default_rng(seed).integers(0, len(truth), SAMPLE)
        said = torch.from_numpy(told(known, sample)[known.graph.neighbors[sample] != NOBODY])
        network.mean.copy_(said.mean(dim=0))
        network.scale.copy_(said.std(dim=0, correction=0) + 1e-3)

    def loss(self, step: int, device: str) -> Tensor:
        """Mean over the candidates of some faces of one collection."""
        which = step % len(self.worlds)
        world = self.worlds[which] = self.worlds[which].to(device)
        rng = np.random.default_rng(seed_of(self.seed, step))
        seeds = rng.integers(0, len(world.truth), SEEDS)
        drawn = np.concatenate([seeds, world.known.graph.neighbors[seeds, :NEAR].ravel()]).astype(np.int64)
        queries = torch.from_numpy(drawn).to(device)
        said = torch.from_numpy(told(world.known, drawn)).to(device)
        logits = self.module(world.faces, world.neighbors, queries, said)
        candidates = world.neighbors[queries]
        same = world.truth[candidates] == world.truth[queries, None]
        return functional.binary_cross_entropy_with_logits(logits, same.to(torch.float32))

    def score(self) -> float:
        """Mean of both F of the validation identities, by components at the best tau."""
        return self.exam.grade(self.model.links(self.exam.faces, self.exam.graph))


def learn_general(
    exam: Exam,
    config: GeneralFaceTConfig,
    plan: Plan,
    folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[GeneralFaceTModel, list[Look]]:
    """The general network, trained on the lesson of the exam, and all looks; as `train` says."""
    torch.manual_seed(plan.seed)
    model = GeneralFaceTModel(config)
    looks = train(GeneralFaceTLesson(model, exam, plan.seed), plan, folder=folder, progress=progress)
    return model, looks
