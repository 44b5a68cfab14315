"""What GCN-D learns from: proposals of the training faces, and how much of a person each is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from personae.data.faceset import FaceSet
from personae.errors import InputError
from personae.graph.search import knn_graph
from personae.link.gcn_d import DetectionConfig, DetectionModel, Scene
from personae.link.gcn_d_general import GeneralDetectionConfig, GeneralDetectionModel
from personae.link.proposal_search import Search
from personae.link.proposals import Proposals
from personae.train.evidence import PLAN as EVIDENCE_PLAN
from personae.train.evidence import learn_evidence
from personae.train.exam import Exam
from personae.train.gcn_e import together
from personae.train.loop import Look, seed_of, train
from personae.train.plan import Plan
from personae.train.proposals import disturbed, overlaps
from personae.train.worlds import EVERY, spread_worlds

PAPER = Plan(  # of the paper: 30 rounds, the rate a tenth after 15, 24 and 28
    steps=4000,
    learning_rate=0.01,
    weight_decay=1e-4,
    milestones=(0.5, 0.8, 0.93),
    validate_every=1000,
)
GENERAL = Plan(
    steps=3000,
    optimizer="adamw",
    learning_rate=3e-3,
    weight_decay=1e-3,
    schedule="cosine",
    warmup=50,
    validate_every=3000,  # the last weights count: validation identities don't show people of other sizes
)
BATCH, GENERAL_BATCH = 32, 64  # proposals a step
WORLDS = 2 * len(EVERY)
CLOSE = (0.1, 0.2, 0.35, 0.5)  # shares of the true links that are below the thresholds of the search


class Taught(NamedTuple):
    """One collection to learn from.

    scene:     its faces and links
    proposals: P of them
    overlaps:  (P, 2) float32, their IoU and IoP
    truth:     (N,) int32
    """

    scene: Scene
    proposals: Proposals
    overlaps: NDArray[np.float32]
    truth: NDArray[np.int32]


class DetectionLesson:
    """IoU and IoP of proposals by the squared error.

    taught: collections of faces with their identities
    search: of the proposals to learn from
    torn:   whether as many that are disturbed come with them
    batch:  proposals a step, all of one collection

    InputError: faces of which no proposals can be made.
    """

    module: nn.Module

    def __init__(  # noqa: PLR0913  (what differs between the presets)
        self,
        model: DetectionModel,
        exam: Exam,
        taught: Sequence[tuple[FaceSet, NDArray[np.int32]]],
        *,
        search: Search,
        torn: bool,
        batch: int,
        seed: int,
    ) -> None:
        model.module.eval()
        rng = np.random.default_rng(seed)
        self.taught: list[Taught] = []
        for faces, truth in taught:
            scene = model.scene(faces, knn_graph(faces, exam.graph.k))
            found = search.proposals(faces, scene.graph)
            if torn:
                found = Proposals.joined([found, disturbed(found, scene.graph, rng)])
            if len(found):
                self.taught.append(Taught(scene, found, overlaps(found, truth), truth))
        if not self.taught:
            raise InputError(
                "no faces are close enough to make a proposal of; lower the thresholds of the search"
            )
        self.model, self.module, self.exam = model, model.detection, exam
        self.batch, self.seed = batch, seed

    def loss(self, step: int, device: str) -> Tensor:
        """The error on this step's proposals."""
        scene, proposals, target, _ = self.taught[step % len(self.taught)]
        drawn = np.random.default_rng(seed_of(self.seed, step)).choice(len(proposals), self.batch)
        said = self.module(*self.model.batch(scene, proposals.take(drawn)))
        return functional.mse_loss(said, torch.from_numpy(target[drawn]).to(device))

    def score(self) -> float:
        """How predicted and true IoU correlate on the proposals that hold validation faces."""
        scene = self.model.scene(self.exam.faces, self.exam.graph)
        proposals = self.model.config.search.proposals(self.exam.faces, scene.graph)
        held = self.exam.held[proposals.faces]
        proposals = proposals.take(np.unique(proposals.proposal_of[held]))
        said = self.model.scores(scene, proposals)[:, 0]
        return correlation(said, overlaps(proposals, self.exam.truth)[:, 0])


def correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Pearson's, 0 where either is constant."""
    if len(one) < 2 or one.std() == 0 or other.std() == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


@dataclass(frozen=True)
class Studies:
    """How a run is set up, the same for both presets.

    exam, k, seed, plan: as the estimator has them; plan is None for the preset's
    folder, progress:    as of `train`
    """

    exam: Exam
    k: int
    seed: int
    plan: Plan | None = None
    folder: Path | None = None
    progress: Callable[[int, int], None] | None = None


def detection_steps(plan: Plan | None, preset: str) -> int:
    """How many steps the networks of a preset learn in all; plan is None for its own."""
    usual = (EVIDENCE_PLAN, GENERAL) if preset == "general" else (PAPER,)
    return sum((plan or one).steps for one in usual)


def learn_detection(
    studies: Studies, config: DetectionConfig
) -> tuple[DetectionModel, DetectionLesson, list[Look]]:
    """The published network, what it learned from, and its looks.

    The thresholds of its search suit the training faces. A minute for 10,000 faces.

    InputError: as of `train`, and faces of which no proposals can be made.
    """
    exam, k, seed = studies.exam, studies.k, studies.seed
    taught = [exam.lesson()]
    close = closeness(*taught[0], k)
    search = replace(config.search, ks=(k,), taus=close, linked=close[:1])
    more = replace(search, ks=tuple(sorted({max(1, 3 * k // 8), max(1, 3 * k // 4), k})))
    torch.manual_seed(seed)
    model = DetectionModel(replace(config, search=search))
    lesson = DetectionLesson(model, exam, taught, search=more, torn=False, batch=BATCH, seed=seed)
    plan = replace(studies.plan or PAPER, seed=seed)
    return model, lesson, train(lesson, plan, folder=studies.folder, progress=studies.progress)


def closeness(faces: FaceSet, truth: NDArray[np.int32], k: int) -> tuple[float, ...]:
    """Thresholds that suit an embedder: `CLOSE` of the links between faces of one person are below them."""
    graph = knn_graph(faces, k)
    same = (truth[graph.neighbors] == truth[:, None]) & (graph.neighbors >= 0)
    cosines = graph.similarities[same].astype(np.float64)
    return tuple(round(float(tau), 4) for tau in np.quantile(cosines, CLOSE))


def learn_general_detection(
    studies: Studies,
) -> tuple[GeneralDetectionModel, DetectionLesson, list[Look]]:
    """The variant for new people, what it learned from, and the looks of both its networks.

    4 minutes for 10,000 faces; InputError: as of `learn_detection`.
    """
    exam, k, seed = studies.exam, studies.k, studies.seed
    first, second = (replace(studies.plan or usual, seed=seed) for usual in (EVIDENCE_PLAN, GENERAL))
    told = together(studies.progress, first.steps, second.steps)
    folder = studies.folder
    folders = (None, None) if folder is None else (folder / "evidence", folder / "detection")
    evidence, looks = learn_evidence(exam, k, first, seed, folder=folders[0], progress=told[0])
    torch.manual_seed(seed)  # whether or not the first network was there already
    config = GeneralDetectionConfig(evidence.config)
    config = replace(config, search=replace(config.search, ks=(k,)))
    model = GeneralDetectionModel(config)
    model.evidence.load_state_dict(evidence.module.state_dict())
    taught = list(spread_worlds(*exam.lesson(), WORLDS, seed, EVERY))
    lesson = DetectionLesson(
        model, exam, taught, search=config.search, torn=True, batch=GENERAL_BATCH, seed=seed
    )
    standardize(model, lesson)
    more = train(lesson, second, folder=folders[1], progress=told[1])
    return model, lesson, looks + [replace(look, step=first.steps + look.step) for look in more]


def standardize(model: GeneralDetectionModel, lesson: DetectionLesson) -> None:
    """Puts the mean and the scale of what members are seen by into the network."""
    seen = np.concatenate([model.members(scene, proposals)[0] for scene, proposals, *_ in lesson.taught])
    model.detection.mean.copy_(torch.from_numpy(seen.mean(axis=0)))
    model.detection.scale.copy_(torch.from_numpy(np.maximum(seen.std(axis=0), 1e-3)))
