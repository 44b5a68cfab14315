"""What GCN-S learns from: proposals that hold more than one person, and a seed in each."""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from personae.errors import InputError
from personae.link.gcn_d import DetectionConfig, DetectionModel, Scene
from personae.link.gcn_ds import DetectionSegmentationModel
from personae.link.gcn_s import SegmentationConfig, SegmentationModel
from personae.link.proposals import Proposals
from personae.train.gcn_d import GENERAL, PAPER, DetectionLesson, Studies
from personae.train.loop import Look, seed_of, train
from personae.train.proposals import overlaps

BATCH = 32  # proposals a step
IOP = {"paper": (0.2, 0.8), "general": (0.2, 0.99)}  # of the proposals to learn from
GENERAL_HIDDEN = (64, 64)
PLANS = {"paper": PAPER, "general": replace(GENERAL, steps=1200, validate_every=1200)}
SCORED = 500  # proposals at a look


class SegmentationLesson:
    """Whether each member is the person of the seed, by log-likelihood; seeds are drawn at random.

    detection: the lesson of GCN-D, whose proposals these are
    among:     least and largest IoP of the proposals

    InputError: no proposal is so mixed.
    """

    module: nn.Module

    def __init__(
        self, model: SegmentationModel, detection: DetectionLesson, among: tuple[float, float], seed: int
    ) -> None:
        self.taught: list[tuple[Scene, Proposals, NDArray[np.int32]]] = []
        for scene, proposals, parts, truth in detection.taught:
            mixed = proposals.take((parts[:, 1] >= among[0]) & (parts[:, 1] <= among[1]))
            if len(mixed):
                self.taught.append((scene, mixed, truth))
        if not self.taught:
            raise InputError(
                f"no proposal is of two people, {among[0]:.0%} to {among[1]:.0%} of it one of them; "
                "GCN-S learns from these, give it faces of more people or use GCN-D alone"
            )
        self.model, self.module, self.exam, self.seed = model, model.module, detection.exam, seed
        self.among = among

    def loss(self, step: int, device: str) -> Tensor:
        """The loss over all members of this step's proposals."""
        scene, proposals, truth = self.taught[step % len(self.taught)]
        rng = np.random.default_rng(seed_of(self.seed, step))
        some = proposals.take(rng.choice(len(proposals), BATCH))
        seeds = some.offsets[:-1] + (rng.random(len(some)) * some.sizes).astype(np.int64)
        said = self.module(*self.model.batch(scene, some, seeds))
        same = truth[some.faces] == truth[np.repeat(some.faces[seeds], some.sizes)]
        target = torch.from_numpy(same.astype(np.float32)).to(said.device)
        return functional.binary_cross_entropy_with_logits(said, target)

    def score(self) -> float:
        """The share of members judged rightly, of the proposals that `graded` takes; 0 where there are none."""
        detection, exam = self.model.detection, self.exam
        scene = detection.scene(exam.faces, exam.graph)
        proposals = detection.config.search.proposals(exam.faces, scene.graph)
        some = proposals.take(self.graded(proposals))
        if len(some) == 0:
            return 0.0
        seeds = self.model.seeds(scene, some, 0)
        said = self.module(*self.model.batch(scene, some, seeds)).cpu().numpy() > 0
        same = exam.truth[some.faces] == exam.truth[np.repeat(some.faces[seeds], some.sizes)]
        return float((said == same).mean())

    def graded(self, proposals: Proposals) -> NDArray[np.int64]:
        """Which proposals of the exam show how good it is: mixed ones of three faces or more around validation
        faces, `SCORED` at even distances where they are more. Those of others where no such one is mixed.
        """
        iop = overlaps(proposals, self.exam.truth)[:, 1]
        mixed = (iop >= self.among[0]) & (iop <= self.among[1]) & (proposals.sizes > 2)
        held = np.zeros(len(proposals), bool)
        held[proposals.proposal_of[self.exam.held[proposals.faces]]] = True
        found = np.flatnonzero(mixed & held if (mixed & held).any() else mixed)
        return found[np.unique(np.linspace(0, len(found) - 1, min(len(found), SCORED)).astype(np.int64))]


def learn_segmentation(
    studies: Studies, detection: DetectionModel, lesson: DetectionLesson
) -> tuple[DetectionSegmentationModel, list[Look]]:
    """GCN-S beside a trained GCN-D, and its looks. A minute for 10,000 faces.

    InputError: as of `train` and of the lesson.
    """
    preset = "paper" if isinstance(detection.config, DetectionConfig) else "general"
    width = lesson.taught[0][0].faces.dimension
    config = SegmentationConfig(width)
    if preset == "general":
        scene, proposals, *_ = lesson.taught[0]
        width = detection.members(scene, proposals)[0].shape[1]
        config = SegmentationConfig(width, GENERAL_HIDDEN, relations=True)
    torch.manual_seed(studies.seed)
    model = DetectionSegmentationModel(detection, config, last=preset == "general")
    taught = SegmentationLesson(model.segmentation, lesson, IOP[preset], studies.seed)
    if preset == "general":
        standardize(model.segmentation, taught)
    plan = replace(studies.plan or PLANS[preset], seed=studies.seed)
    return model, train(taught, plan, folder=studies.folder, progress=studies.progress)


def standardize(model: SegmentationModel, lesson: SegmentationLesson) -> None:
    """Puts the mean and the scale of what members are seen by into the network."""
    seen = [model.batch(scene, proposals, proposals.offsets[:-1])[0] for scene, proposals, _ in lesson.taught]
    rows = torch.cat(seen)
    model.module.mean.copy_(rows.mean(dim=0))
    model.module.scale.copy_(rows.std(dim=0).clamp(min=1e-3))
