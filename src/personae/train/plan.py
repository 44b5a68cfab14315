"""How a model is trained; without torch, so that estimators can hold it."""

from dataclasses import dataclass
from typing import Literal

from personae.errors import InputError


@dataclass(frozen=True)
class Plan:
    """The settings of the one training loop.

    steps:          batches, each one forward and backward pass
    optimizer:      SGD with momentum 0.9, or AdamW
    learning_rate:  after the warm-up
    weight_decay:   of every weight
    schedule:       "step" divides the rate by 10 at each of `milestones`, "cosine" brings it to 0
    milestones:     shares of the steps
    warmup:         steps in which the rate rises from 0
    accumulate:     batches whose gradients are added up before the weights change
    validate_every: steps between two looks at the validation identities; a multiple of `accumulate`
    patience:       looks without a better score after which training stops
    precision:      "bfloat16" runs the forward pass in it
    device:         as torch names it
    seed:           of weights, batches and dropout
    """

    steps: int
    optimizer: Literal["sgd", "adamw"] = "sgd"
    learning_rate: float = 0.01
    weight_decay: float = 1e-5
    schedule: Literal["step", "cosine"] = "step"
    milestones: tuple[float, ...] = (0.5, 0.8, 0.9)
    warmup: int = 0
    accumulate: int = 1
    validate_every: int = 200
    patience: int = 1_000_000
    precision: Literal["float32", "bfloat16"] = "float32"
    device: str = "cpu"
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.steps, self.accumulate, self.validate_every) < 1 or self.validate_every % self.accumulate:
            raise InputError(
                f"the plan has {self.steps} steps, accumulates {self.accumulate} and validates every "
                f"{self.validate_every}; give at least 1 each, the last a multiple of the second"
            )
