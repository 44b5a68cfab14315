"""How the general FaceT learns."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from personae.graph.exact import knn_graph
from personae.link.facet_evidence import evidence
from personae.link.facet_general import GeneralFaceTConfig, GeneralFaceTModel
from personae.train.exam import Exam
from personae.train.loop import seed_of


class World:
    def __init__(self, faces, truth, k):
        self.graph = knn_graph(faces, k)
        self.features = torch.from_numpy(np.asarray(faces.features, np.float32))
        self.neighbors = torch.from_numpy(self.graph.neighbors.astype(np.int64))
        self.truth = torch.from_numpy(truth)


class GeneralLesson:
    def __init__(self, model, exam, worlds, seed, batch=32):
        self.model, self.module, self.exam, self.worlds, self.seed, self.batch = (
            model,
            model.module,
            exam,
            worlds,
            seed,
            batch,
        )

    def loss(self, step, device):
        world = self.worlds[step % len(self.worlds)]
        rng = np.random.default_rng(seed_of(self.seed, step))
        q = rng.choice(len(world.truth), min(self.batch, len(world.truth)), replace=False)
        said = torch.from_numpy(evidence(world.graph, q))
        queries = torch.from_numpy(q)
        logits = self.module(world.features, world.neighbors, queries, said)
        cand = world.neighbors[queries]
        same = (world.truth[cand.clamp(min=0)] == world.truth[queries][:, None]).float()
        return functional.binary_cross_entropy_with_logits(logits[cand >= 0], same[cand >= 0])

    def score(self):
        return self.exam.grade(self.model.links(self.exam.faces, self.exam.graph))
