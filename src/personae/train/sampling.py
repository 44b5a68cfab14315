"""SPSS: subgraphs of identities that lie close together, which keep the hard wrong links of the whole.

Shen et al., "Structure-Aware Face Clustering on a Large-Scale Graph with 10^7 Nodes", CVPR 2021, algorithm 1.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from personae.errors import InputError


@dataclass(frozen=True)
class Sampling:
    """How the faces of one training subgraph are drawn.

    rule:      "structure" is SPSS; "faces" draws as many faces anywhere, to compare with
    seeds:     M, identities drawn first
    nearest:   N, identities taken around each of them, itself the first
    drawn:     K1, of the M N identities so many stay: cluster randomness
    share:     K2, of their faces so large a part stays: sample randomness
    keep_seed: whether the first identities always stay, which the published program leaves to chance

    N and K1 are of collections with M N identities or more. Where there are fewer, N is a share 1 / M of them,
    and K1 is always the same share of those that were taken, since the surroundings of two seeds may overlap.
    """

    rule: Literal["structure", "faces"] = "structure"
    seeds: int = 2
    nearest: int = 750
    drawn: int = 1300
    share: float = 0.9
    keep_seed: bool = False

    def __post_init__(self) -> None:
        if not (self.seeds >= 1 and self.nearest >= 1 and 1 <= self.drawn <= self.seeds * self.nearest):
            raise InputError(
                f"of {self.seeds} x {self.nearest} identities {self.drawn} are to be drawn; "
                "give counts of at least 1, and draw no more than there are"
            )
        if not 0 < self.share <= 1:
            raise InputError(f"share is {self.share}; it needs to be above 0 and at most 1")

    def faces(
        self, centres: NDArray[np.float32], truth: NDArray[np.int32], rng: np.random.Generator
    ) -> NDArray[np.intp]:
        """(n,) the drawn faces in ascending order, two at least where there are two.

        centres: (A, d) unit rows, the mean direction of each identity
        truth:   (N,) int32, 0..A-1
        """
        near = self.identities(centres, rng)
        rows = np.flatnonzero(np.isin(truth, near))
        count = min(max(2, round(self.share * len(rows))), len(truth))
        if self.rule == "faces" or len(rows) < count:
            rows = np.arange(len(truth))
        return np.sort(rng.choice(rows, count, replace=False))

    def identities(self, centres: NDArray[np.float32], rng: np.random.Generator) -> NDArray[Any]:
        """The identities of one subgraph, S2 of the paper, in ascending order. O(M A d)."""
        there = len(centres)
        seeds = rng.choice(there, min(self.seeds, there), replace=False)
        nearest = min(self.nearest, -(-there // self.seeds))
        closeness = centres[seeds] @ centres.T  # (M, A)
        around = np.unique(np.argsort(-closeness, axis=1, kind="stable")[:, :nearest])  # S1
        kept = max(1, round(len(around) * self.drawn / (self.seeds * self.nearest)))
        chosen = rng.choice(around, kept, replace=False)
        return np.union1d(chosen, seeds) if self.keep_seed else np.sort(chosen)
