"""What the balls learn from: tracks of some faces each, made of the training identities anew at every step."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from personae.clustering.agglomeration import MOST, Agglomeration
from personae.data.constraints import Constraints
from personae.data.faceset import FaceSet
from personae.errors import InputError
from personae.evaluation import bcubed, pairwise
from personae.graph.components import first_seen
from personae.graph.directions import mean_directions
from personae.link.balls import BallConfig, BallModel, ball_loss, track_loss
from personae.train.loop import Look, seed_of, train
from personae.train.plan import Plan
from personae.train.split import held_out

# Of the paper: SGD, momentum 0.9, no weight decay; its schedule is not in its program. One look, at the end:
# the people held out are a smaller crowd than is to be clustered, and would choose a radius too large there.
PLAN = Plan(steps=80, learning_rate=0.1, weight_decay=0.0, schedule="cosine", validate_every=80)
HELD_OUT = 0.25  # of the identities
LONGEST = 9  # faces of a training track, on average half of it
BATCH = 2000  # tracks, where there are more


TUNING = replace(PLAN, steps=60, learning_rate=0.02, validate_every=60)


class BallLesson:
    """The loss over tracks of the training identities; graded on those of the others.

    The paper takes one frame of each track of a step. Tracks are told by their mean feature, though, so a step
    here takes means of one to nine faces, so that the radius fits tracks of any length.
    """

    module: nn.Module

    def __init__(self, model: BallModel, faces: FaceSet, truth: NDArray[np.int32], seed: int) -> None:
        held = held_out(truth, HELD_OUT, seed)
        several = np.bincount(truth)[truth] > 1
        features = np.asarray(faces.features, np.float32)
        self.features, self.truth = features[~held & several], first_seen(truth[~held & several])
        exam = tracks_of(truth[held], LONGEST, np.random.default_rng(seed))
        answer = of_tracks(truth[held], exam)
        asked = slice(np.searchsorted(answer, answer[MOST]) if len(answer) > MOST else None)  # whole people
        self.exam, self.answer = mean_directions(features[held], exam)[asked], answer[asked]
        self.model, self.module, self.seed = model, model.module, seed

    def loss(self, step: int, device: str) -> Tensor:
        """The loss of tracks drawn anew."""
        rng = np.random.default_rng(seed_of(self.seed, step))
        track = tracks_of(self.truth, LONGEST, rng)
        drawn = rng.permutation(track.max() + 1)[:BATCH]
        x = torch.from_numpy(mean_directions(self.features, track)[drawn])
        person = torch.from_numpy(first_seen(of_tracks(self.truth, track)[drawn]).astype(np.int64))
        return ball_loss(self.module(x.to(device)), person.to(device), self.model.module.b)

    def score(self) -> float:
        """The mean of both F of the balls among tracks of people that are not learned from."""
        cut = Agglomeration(self.model.tau, "complete")
        found = cut.cluster_all_pairs(self.model.embedded(self.exam))
        return (pairwise(self.answer, found).f + bcubed(self.answer, found).f) / 2


class TrackLesson:
    """The loss of parts of each track of a film, which are one person; of the pairs, two."""

    module: nn.Module

    def __init__(self, model: BallModel, faces: FaceSet, held: Constraints, seed: int) -> None:
        self.features = np.asarray(faces.features, np.float32)
        self.model, self.module, self.seed, self.track = model, model.module, seed, held.group
        self.apart = torch.zeros(2 * (int(held.group.max()) + 1,), dtype=torch.bool)
        a, b = held.group[held.hard].T.astype(np.int64)
        self.apart[a, b] = self.apart[b, a] = True

    def loss(self, step: int, device: str) -> Tensor:
        """The loss of parts drawn anew, of all tracks or of `BATCH` parts."""
        rng = np.random.default_rng(seed_of(self.seed, step))
        part = tracks_of(self.track, LONGEST, rng)
        drawn = rng.permutation(part.max() + 1)[:BATCH]
        track = of_tracks(self.track, part)[drawn]
        here, number = np.unique(track, return_inverse=True)
        x = torch.from_numpy(mean_directions(self.features, part)[drawn])
        apart = self.apart[here][:, here].to(device)
        f = self.module(x.to(device))
        return track_loss(
            f, torch.from_numpy(number.reshape(-1)).to(device), apart, self.model.module.b.detach()
        )

    def score(self) -> float:
        """Nothing is held out."""
        return 0.0


def tracks_of(person: NDArray[np.int32], longest: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """(N,) int32, 0..T-1: each person's faces in random order, cut into tracks of 1 to `longest` faces."""
    order = np.lexsort((rng.random(len(person)), person))
    lengths = rng.integers(1, longest + 1, len(person))
    begins = np.zeros(len(person), bool)
    ends = lengths.cumsum()
    begins[np.concatenate([[0], ends[ends < len(person)]])] = True
    begins[1:] |= np.diff(person[order]) != 0
    track = np.empty(len(person), np.int32)
    track[order] = begins.cumsum() - 1
    return track


def of_tracks(values: NDArray[np.int32], track: NDArray[np.int32]) -> NDArray[np.int32]:
    """(T,) what the faces of each track have in common."""
    found: NDArray[np.int32] = values[np.unique(track, return_index=True)[1]]
    return found


def learn_balls(
    faces: FaceSet,
    truth: NDArray[np.int32],
    plan: Plan | None,
    seed: int,
    *,
    folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[BallModel, list[Look]]:
    """A trained model and the looks on the way. Under a minute for 10,000 faces; InputError: as of `train`."""
    torch.manual_seed(seed)
    model = BallModel(BallConfig(faces.dimension))
    lesson = BallLesson(model, faces, truth, seed)
    looks = train(lesson, replace(plan or PLAN, seed=seed), folder=folder, progress=progress)
    return model, looks


def tune_balls(
    model: BallModel,
    faces: FaceSet,
    held: Constraints,
    plan: Plan | None,
    seed: int,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> BallModel:
    """A copy of the model that went on learning from the tracks of one film, its radius the same.

    InputError: no track of two faces.
    """
    if len(held) == int(held.group.max(initial=-1)) + 1:
        raise InputError("no two faces are one track; give the faces of each track as a group of constraints")
    tuned = BallModel(model.config)
    tuned.module.load_state_dict(model.module.state_dict())
    train(TrackLesson(tuned, faces, held, seed), replace(plan or TUNING, seed=seed), progress=progress)
    return tuned
