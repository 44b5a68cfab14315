"""Frames as two branches of one perceptron see them: near each other if of one person.

After Sharma, Tapaswi, Sarfraz and Stiefelhagen, "Self-supervised learning of face representations for video
face clustering", FG 2019: TSiam learns from tracks, SSiam from the distances in a batch.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

MARGIN = 2**0.5  # distance of unit rows from which two people are far enough apart: that of a right angle


class SiameseNet(nn.Module):
    """f = normalise(x + W_2 ReLU(W_1 x)); W_2 is 0 at first, so that it begins as the features."""

    def __init__(self, dimension: int, hidden: int = 256) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(dimension, hidden), nn.Linear(hidden, dimension)
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """x: (N, d) unit rows; (N, d) unit rows"""
        return functional.normalize(x + self.outer(functional.relu(self.inner(x))), dim=1)


def contrastive_loss(one: Tensor, other: Tensor, same: Tensor) -> Tensor:
    """Mean of D^2 over pairs of one person and of max(0, sqrt(2) - D)^2 over the others, D their distance.

    one, other: (P, d) unit rows
    same:       (P,) bool
    """
    distance = (one - other).square().sum(dim=1).clamp(min=1e-12).sqrt()
    return torch.where(same, distance.square(), functional.relu(MARGIN - distance).square()).mean()
