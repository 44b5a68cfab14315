"""The one training loop: batches in, weights with the best validation score out, resumable at any step."""

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, distributed, nn

from personae.data.atomic import atomic_write
from personae.data.one_writer import one_writer_in
from personae.errors import InputError
from personae.link.weights import plain
from personae.train.learned_from import lesson_digest
from personae.train.plan import Plan

CHECKPOINT, LOG = "checkpoint.pt", "log.jsonl"
KEPT_EVERY = 100  # steps at least from one checkpoint to the next; each look has one besides
MOMENTUM = 0.9


class Lesson(Protocol):
    """What a model learns from. Batches depend on the step alone, so that a run can go on anywhere."""

    module: nn.Module

    def loss(self, step: int, device: str) -> Tensor:
        """The loss of the batch of this step."""
        ...

    def score(self) -> float:
        """How good the links of the validation identities are now; higher is better."""
        ...


@dataclass(frozen=True)
class Look:
    """One look at the validation identities: after `step` batches of mean `loss` since the last look."""

    step: int
    loss: float
    score: float
    learning_rate: float


class Place(NamedTuple):
    """Where a training is: steps done, the losses since the last look, added up and counted, and all looks."""

    step: int
    total: float
    counted: int
    looks: list[Look]


def train(
    lesson: Lesson,
    plan: Plan,
    *,
    folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Look]:
    """Trains `lesson.module` in place and leaves it with the weights of its best look; returns all looks.

    folder:   where the checkpoint and the log go, to go on from after an interrupt; the weights are the same
    progress: called with steps done and steps in all

    Where `torch.distributed` is initialised each process takes its own share of the batches and gradients are
    averaged.

    InputError: the loss is no longer finite, or the checkpoint is of another plan or model, other faces or
    settings (`learning_from`). OutputError: the folder is in use by another training, or the disk is full.
    """
    rank, _ = place_among_processes()
    with nullcontext() if folder is None or rank > 0 else one_writer_in(folder):
        return _trained(lesson, plan, folder, progress)


def _trained(
    lesson: Lesson, plan: Plan, folder: Path | None, progress: Callable[[int, int], None] | None
) -> list[Look]:
    module = lesson.module.to(plan.device)
    optimizer = optimizer_of(module, plan)
    best = {name: value.clone() for name, value in module.state_dict().items()}
    at = Place(0, 0.0, 0, [])
    if folder is not None and (folder / CHECKPOINT).is_file():
        at, best = resume(folder / CHECKPOINT, module, optimizer, plan)
    rank, world = place_among_processes()
    kept, total, counted, looks = at
    for step in range(kept, plan.steps):
        if stalled(looks, plan.patience):
            break
        rate = float(learning_rate(plan, step))
        for group in optimizer.param_groups:
            group["lr"] = rate
        torch.manual_seed(seed_of(plan.seed, step, rank))
        module.train()
        with torch.autocast(plan.device.split(":")[0], torch.bfloat16, enabled=plan.precision == "bfloat16"):
            loss = lesson.loss(step * world + rank, plan.device)
        if not math.isfinite(loss.item()):
            raise InputError(f"the loss is {loss.item()} at step {step}; lower the learning rate")
        torch.autograd.backward(loss / plan.accumulate)
        total, counted = total + loss.item(), counted + 1
        if (step + 1) % plan.accumulate == 0 or step + 1 == plan.steps:
            average_gradients(module, world)
            optimizer.step()
            optimizer.zero_grad()
        if progress is not None:
            progress(step + 1, plan.steps)
        looked = (step + 1) % plan.validate_every == 0 or step + 1 == plan.steps
        if looked:
            module.eval()
            with torch.no_grad():
                look = Look(step + 1, total / counted, lesson.score(), rate)
            if look.score > max((one.score for one in looks), default=-math.inf):
                best = {name: value.clone() for name, value in module.state_dict().items()}
            looks.append(look)
            total, counted = 0.0, 0
        due = step + 1 - kept >= KEPT_EVERY and (step + 1) % plan.accumulate == 0
        if folder is not None and rank == 0 and (looked or due):
            kept = step + 1
            keep(folder, module, optimizer, plan, Place(kept, total, counted, looks), best)
    module.load_state_dict(best)
    module.eval()
    return looks


@contextmanager
def generators_kept(plan: Plan | None) -> Iterator[None]:
    """When it ends, torch's generators go on as if nothing had been seeded or drawn."""
    device = torch.device("cpu" if plan is None else plan.device)
    with torch.random.fork_rng([] if device.type == "cpu" else [device], device_type=device.type):
        yield


def optimizer_of(module: nn.Module, plan: Plan) -> torch.optim.Optimizer:
    """As the plan says."""
    weights = [weight for weight in module.parameters() if weight.requires_grad]
    decay = float(plan.weight_decay)  # as numbers of NumPy are refused when a checkpoint is read
    if plan.optimizer == "adamw":
        return torch.optim.AdamW(weights, lr=plan.learning_rate, weight_decay=decay)
    return torch.optim.SGD(weights, lr=plan.learning_rate, momentum=MOMENTUM, weight_decay=decay)


def learning_rate(plan: Plan, step: int) -> float:
    """Linear warm-up, then steps down by 10 or a cosine down to 0."""
    if step < plan.warmup:
        return plan.learning_rate * (step + 1) / plan.warmup
    if plan.schedule == "cosine":
        done = (step - plan.warmup) / max(1, plan.steps - plan.warmup)
        return plan.learning_rate * (1 + math.cos(math.pi * done)) / 2
    passed = sum(step >= milestone * plan.steps for milestone in plan.milestones)
    return float(plan.learning_rate * 0.1**passed)


def seed_of(seed: int, step: int, rank: int = 0) -> int:
    """Of dropout and batches at this step: the same whether or not the run was interrupted before."""
    return (int(seed) * 1_000_003 + step) * 64 + rank


def stalled(looks: list[Look], patience: int) -> bool:
    """Whether the best look lies more than `patience` looks back."""
    if not looks:
        return False
    best = max(range(len(looks)), key=lambda place: looks[place].score)
    return len(looks) - 1 - best >= patience


def place_among_processes() -> tuple[int, int]:
    """Which process this is, of how many that train together."""
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


def average_gradients(module: nn.Module, world: int) -> None:
    """The mean over all processes."""
    if world == 1:
        return
    for weight in module.parameters():
        if weight.grad is not None:
            distributed.all_reduce(weight.grad)
            weight.grad /= world


def keep(
    folder: Path,
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    plan: Plan,
    at: Place,
    best: dict[str, Tensor],
) -> None:
    """Writes the checkpoint and the log, each whole or not at all. OutputError: they cannot be written."""
    state = {
        "plan": json.dumps(asdict(plan), default=plain),
        "lesson": lesson_digest(),
        "at": json.dumps(at[:3], default=plain),
        "looks": json.dumps([asdict(look) for look in at.looks], default=plain),
        "module": module.state_dict(),
        "optimizer": optimizer.state_dict(),
        "best": best,
    }
    file = BytesIO()  # torch has errors of its own for a full disk
    torch.save(state, file)
    with atomic_write(folder / CHECKPOINT) as path:
        path.write_bytes(file.getbuffer())
    with atomic_write(folder / LOG) as path:
        lines = (json.dumps(asdict(look), default=plain) for look in at.looks)
        path.write_text("".join(line + "\n" for line in lines))


def resume(
    path: Path, module: nn.Module, optimizer: torch.optim.Optimizer, plan: Plan
) -> tuple[Place, dict[str, Any]]:
    """Loads the state; where to go on, and the best weights."""
    try:
        state = torch.load(path, map_location=plan.device, weights_only=True)
        looks = [Look(**look) for look in json.loads(state["looks"])]
        step, total, counted = json.loads(state["at"])
        at = Place(step, total, counted, looks)
        differs = None
        if json.loads(state["plan"]) != json.loads(json.dumps(asdict(plan), default=plain)):
            differs = "another plan"
        elif state["lesson"] != lesson_digest():
            differs = "other faces or settings"
        if differs is None:
            module.load_state_dict(state["module"])
            optimizer.load_state_dict(state["optimizer"])
    except Exception as error:  # torch raises half a dozen kinds for a damaged file
        raise InputError(f"{path} is no checkpoint of this model: {error}; remove it to start anew") from error
    if differs is not None:
        raise InputError(f"{path} is of a run with {differs}; remove it or choose another folder")
    return at, state["best"]
