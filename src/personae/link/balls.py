"""Ball Cluster Learning: an embedding in which each person fills a ball, and all balls have one learned radius.

Tapaswi, Law, Fidler, "Video Face Clustering with Unknown Number of Clusters", ICCV 2019.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

EPSILON = 0.05  # how much farther than three radii a stranger's centre has to be, squared distance
PULL = 4.0  # weight of the faces outside their ball beside that of the strangers too near
PUBLISHED_H = -1.48  # of the authors' trained model: b = 0.205
SLOWNESS = 0.1  # h learns at this share of the learning rate


@dataclass(frozen=True)
class BallConfig:
    """How the network is built.

    dimension: d of the features
    hidden:    of the two layers that correct the features
    start:     h before training
    """

    dimension: int
    hidden: int = 256
    start: float = PUBLISHED_H


class BallNet(nn.Module):
    """f = normalise(x + W_2 ReLU(W_1 x)), and b = softplus(h), the squared radius.

    The paper trains four layers, 256, 128, 64 and 64 wide, from random weights on 1,214 actors; with as many
    people but few pictures of each they fell into one point, since it is easier to fill a ball than to keep
    away. Here W_2 is 0 at first: the embedding begins as the features themselves and learns what mends them.
    """

    def __init__(self, config: BallConfig) -> None:
        super().__init__()
        self.inner = nn.Linear(config.dimension, config.hidden)
        self.outer = nn.Linear(config.hidden, config.dimension)
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)
        # a step of plain SGD on h / c moves h by c^2 of what it would
        self.slow_h = nn.Parameter(torch.tensor(config.start / SLOWNESS**0.5))

    def forward(self, x: Tensor) -> Tensor:
        """x: (N, d) unit rows; (N, d) unit rows"""
        return functional.normalize(x + self.outer(functional.relu(self.inner(x))), dim=1)

    @property
    def b(self) -> Tensor:
        """The squared radius."""
        return functional.softplus(self.slow_h * SLOWNESS**0.5)


def ball_loss(f: Tensor, person: Tensor, b: Tensor) -> Tensor:
    """4 mean max(0, D_own - b) + mean max(0, 9 b + 0.05 - D_other), D squared distances to centres.

    f:      (N, d) unit rows
    person: (N,) of 0..C-1, C at least 2, each with a row
    b:      the squared radius

    The centre of a person is the normalised mean of their rows; of other people only the nearest counts.
    """
    people = int(person.max()) + 1
    centres = torch.zeros(people, f.shape[1], dtype=f.dtype, device=f.device).index_add(0, person, f)
    apart = (2 - 2 * f @ functional.normalize(centres, dim=1).T).clamp(min=0)  # (N, C)
    own = apart.gather(1, person[:, None])[:, 0]
    nearest = apart.scatter(1, person[:, None], torch.inf).min(dim=1).values
    too_near = functional.relu(9 * b + EPSILON - nearest)
    return PULL * functional.relu(own - b).mean() + too_near.mean()


def track_loss(f: Tensor, track: Tensor, apart: Tensor, b: Tensor) -> Tensor:
    """`ball_loss` of tracks, of which only some pairs are known to be two people.

    f:     (N, d) unit rows, parts of tracks
    track: (N,) of 0..T-1, each with a row
    apart: (T, T) bool, which tracks are two people
    b:     the squared radius

    mean max(0, D_own - b) + mean max(0, 9 b + 0.05 - D_other), D_other to the nearest centre of a track that is
    somebody else's, the second mean over the rows that have one. Few have; with the weight of 4 that stands
    before the first term in `ball_loss` everybody was drawn together.
    """
    centres = torch.zeros(len(apart), f.shape[1], dtype=f.dtype, device=f.device).index_add(0, track, f)
    away = (2 - 2 * f @ functional.normalize(centres, dim=1).T).clamp(min=0)  # (N, T)
    own = away.gather(1, track[:, None])[:, 0]
    known = apart[track]
    nearest = away.masked_fill(~known, torch.inf).min(dim=1).values
    too_near = functional.relu(9 * b + EPSILON - nearest)
    return functional.relu(own - b).mean() + too_near.sum() / known.any(dim=1).sum().clamp(min=1)


class BallModel:
    """A trained network with the features it makes."""

    def __init__(self, config: BallConfig) -> None:
        self.config = config
        self.module = BallNet(config)

    def embedded(self, features: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """(N, d) float32, unit: the features of faces, or the means of tracks, in the space of the balls."""
        x = torch.from_numpy(np.asarray(features, np.float32)).to(self.module.slow_h.device)
        with torch.no_grad():
            found: NDArray[np.float32] = self.module(x).cpu().numpy()
        return found

    @property
    def squared_radius(self) -> float:
        """The learned b."""
        return float(self.module.b.detach())

    @property
    def tau(self) -> float:
        """The cosine below which two faces cannot be in one ball: squared distance 4 b."""
        return 1 - 2 * self.squared_radius
