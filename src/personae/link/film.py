"""The tracks of a film as a network sees them: frames in the order of time, centred, and who overlaps whom."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from personae.data.constraints import Constraints
from personae.errors import InputError
from personae.graph.directions import mean_directions


@dataclass(frozen=True)
class Film:
    """F frames of T tracks, track by track.

    frames:   (F, d) float32, unit: the features without the mean of the whole film
    averages: (T, d) float32, unit: the temporal averages of the features as they are
    begin:    (T,) int64, where the frames of each track begin
    length:   (T,) int64, how many there are
    apart:    (T, T) bool, which tracks are surely two people
    row:      (F,) int64, which face each frame is
    """

    frames: Tensor
    averages: Tensor
    begin: Tensor
    length: Tensor
    apart: Tensor
    row: NDArray[np.intp]

    @classmethod
    def of(cls, features: NDArray[np.floating[Any]], held: Constraints) -> Self:
        """The faces (N, d) of each group in their order are a track. InputError: no group has two faces.

        The mean of the film is what all its faces share, be it the light or the embedder's habit.
        """
        row = np.argsort(held.group, kind="stable")
        length = np.bincount(held.group)
        if len(length) < 2 or length.max() < 2:
            raise InputError(
                f"{len(held):,} faces in {len(length):,} tracks: two tracks are needed, one of several faces; "
                "give the faces of each as a group of constraints"
            )
        apart = torch.zeros(len(length), len(length), dtype=torch.bool)
        a, b = held.group[held.hard].T.astype(np.int64)
        apart[a, b] = apart[b, a] = True
        rows = torch.from_numpy(np.asarray(features[row], np.float32))
        begin = np.concatenate([[0], length.cumsum()[:-1]])
        frames = functional.normalize(rows - rows.mean(dim=0), dim=1)
        averages = torch.from_numpy(mean_directions(features, held.group))
        return cls(frames, averages, torch.from_numpy(begin), torch.from_numpy(length), apart, row)

    def __len__(self) -> int:
        return len(self.begin)

    def clips(self, begin: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        """Successive frames: (B, L, d), and which of them are there, (B, L) bool.

        begin, length: (B,) int64, of frames
        """
        place = torch.arange(int(length.max()))
        there = place < length[:, None]
        return self.frames[torch.where(there, begin[:, None] + place, 0)], there

    @property
    def means(self) -> Tensor:
        """(T, d) unit, the temporal average of each track, without the mean of the whole film."""
        return self.mean_of(self.frames)

    def mean_of(self, rows: Tensor) -> Tensor:
        """(T, d) unit, the mean of the rows (F, d) of each track."""
        return functional.normalize(self.sum_of(rows), dim=1)

    def sum_of(self, rows: Tensor) -> Tensor:
        """(T, d), the sum of the rows (F, d) of each track."""
        return torch.zeros(len(self), rows.shape[1]).index_add(0, self.track, rows)

    @property
    def track(self) -> Tensor:
        """(F,) int64, the track of each frame."""
        return torch.repeat_interleave(torch.arange(len(self)), self.length)
