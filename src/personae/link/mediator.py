"""CDP's mediator: what a base model and a committee say of a pair, judged by a perceptron.

Zhan et al., "Consensus-Driven Propagation in Massive Unlabeled Data for Face Recognition", ECCV 2018, with the
inputs of the published program, which are fewer than the paper's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor, nn

from personae.data.faceset import FaceSet
from personae.errors import InputError
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.graph.search import knn_graph
from personae.link.links import Links

ROOM = 1 << 23  # values or list entries of neighbors at a time, some 50 MB


@dataclass(frozen=True)
class MediatorConfig:
    """What builds the perceptron.

    members: C, models of the committee beside the base
    """

    members: int = 0

    @property
    def width(self) -> int:
        """Values a pair: d = 3 C + 2."""
        return 3 * self.members + 2


class MediatorNet(nn.Module):
    """d -> 3 d -> 3 d -> 2. Mean and scale of its inputs, on the training pairs, are part of the weights."""

    mean: Tensor
    scale: Tensor

    def __init__(self, config: MediatorConfig) -> None:
        super().__init__()
        d = config.width
        self.register_buffer("mean", torch.zeros(d))
        self.register_buffer("scale", torch.ones(d))
        self.layers = nn.Sequential(
            nn.Linear(d, 3 * d), nn.ReLU(), nn.Linear(3 * d, 3 * d), nn.ReLU(), nn.Linear(3 * d, 2)
        )

    def forward(self, said: Tensor) -> Tensor:
        """(..., 2) logits, of two people and of one, from (..., d)."""
        return torch.as_tensor(self.layers((said - self.mean) / self.scale))


class View(NamedTuple):
    """How one model sees the faces.

    features: (N, d) unit rows
    lists:    (N, k) int32, their nearest faces
    """

    features: NDArray[np.floating]
    lists: NDArray[np.int32]

    @classmethod
    def of(cls, faces: FaceSet, graph: KnnGraph) -> "View":
        """Of faces and their graph."""
        return cls(faces.features, graph.neighbors)


def views(faces: FaceSet, graph: KnnGraph, committee: Sequence[FaceSet]) -> list[View]:
    """The base's view, then the committee's, each with lists as long as the base's. InputError: other faces."""
    refuse_others(faces, committee)
    return [View.of(faces, graph), *(View.of(member, knn_graph(member, graph.k)) for member in committee)]


def refuse_others(faces: FaceSet, committee: Sequence[FaceSet]) -> None:
    """InputError for a member that has not as many faces as the base."""
    for member in committee:
        if len(member) != len(faces):
            raise InputError(
                f"a committee member has {len(member):,} faces, the base {len(faces):,}; give the same faces"
            )


def said_of(seen: Sequence[View], rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """(B, k, 3 C + 2), what is said of these faces and their neighbors in the base's lists.

    Of each member whether one is in the other's list (relationship); of all the cosine (affinity) and how many
    faces both lists hold (structure). Both faces of a pair say the same. 0 where there is no neighbor.

    O(B k (k + d) (C + 1)).
    """
    others = seen[0].lists[rows]
    there = others != NOBODY
    others = np.maximum(others, 0)
    relationship, affinity, structure = [], [], []
    for features, lists in seen:
        one, other = lists[rows], lists[others]  # (B, k'), (B, k, k')
        named = (one[:, None, :] == others[:, :, None]).any(axis=2) | (other == rows[:, None, None]).any(axis=2)
        relationship.append(named)
        affinity.append(np.einsum("bd,bkd->bk", features[rows], features[others], dtype=np.float32))
        structure.append(in_both(lists, rows, others))
    said = np.stack([*relationship[1:], *affinity, *structure], axis=2).astype(np.float32)
    said[~there] = 0
    return said


def in_both(lists: NDArray[np.int32], rows: NDArray[np.int64], others: NDArray[np.int32]) -> NDArray[np.int64]:
    """(B, k) int64, how many faces the lists of each of these B faces and of each of its others hold both.

    lists:  (N, c), each face once in a list, -1 where there is none
    others: (B, k), faces; what stands for a -1 means nothing

    O(B k c) with a table of N places.
    """
    found = np.zeros(others.shape, np.int64)
    _count(np.ascontiguousarray(lists), rows, others, found)
    return found


@njit(cache=True)
def _count(
    lists: NDArray[np.int32], rows: NDArray[np.int64], others: NDArray[np.int32], found: NDArray[np.int64]
) -> None:
    listed = np.zeros(len(lists), np.bool_)
    for at in range(len(rows)):
        for face in lists[rows[at]]:
            if face >= 0:
                listed[face] = True
        for rank in range(others.shape[1]):
            for face in lists[others[at, rank]]:
                if face >= 0 and listed[face]:
                    found[at, rank] += 1
        for face in lists[rows[at]]:
            if face >= 0:
                listed[face] = False


def in_blocks(seen: Sequence[View]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Some faces after the other, and what is said of them; none where lists are empty."""
    n, k = seen[0].lists.shape
    wide = max(k, *(features.shape[1] for features, _ in seen))
    step = max(1, ROOM // max(1, k * wide))
    for start in range(0, n if k else 0, step):
        rows = np.arange(start, min(start + step, n))
        yield rows, said_of(seen, rows)


class MediatorModel:
    """The perceptron and how it is put to a collection."""

    def __init__(self, config: MediatorConfig) -> None:
        self.config = config
        self.module = MediatorNet(config)

    @torch.no_grad()
    def links(self, faces: FaceSet, graph: KnnGraph, committee: Sequence[FaceSet] = ()) -> Links:
        """Probabilities that two neighbors are one person; O(N k^2 (C + 1)).

        committee: the same faces, in the same order, as seen by as many models as it was trained with

        InputError: another number of members or of faces.
        """
        if len(committee) != self.config.members:
            raise InputError(
                f"the mediator was trained with a committee of {self.config.members} and there are "
                f"{len(committee)}; give the same models in the same order"
            )
        probability = np.zeros(graph.neighbors.shape, dtype=np.float32)
        for rows, block in in_blocks(views(faces, graph, committee)):
            said = torch.from_numpy(block).to(self.module.mean.device)
            probability[rows] = self.module(said).softmax(dim=-1)[..., 1].cpu().numpy()
        probability[graph.neighbors == NOBODY] = 0
        return Links.of(graph.linked(probability))
