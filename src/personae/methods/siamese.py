"""TSiam and SSiam: frames learned from pairs of them, tracks as the mean of their frames.

After Sharma, Tapaswi, Sarfraz and Stiefelhagen, "Self-supervised learning of face representations for video
face clustering", FG 2019, of which no more was at hand than later papers tell.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personae.errors import InputError, refuse_no_count
from personae.methods.estimator import FilmClusterer
from personae.train.plan import Plan

PAIRS = ("tracks", "ranked")


class Siamese(FilmClusterer):
    """A perceptron brings frames of one person together; then `Auto` makes people of the tracks' means.

    With pairs="tracks", as TSiam, it learns from two frames of a track and from frames of tracks that overlap.
    It believes that those are enough to know strangers by. With pairs="ranked", as SSiam, it learns from the
    nearest and the farthest frames of a batch, and so believes what the features say already.

    pairs:      "tracks" or "ranked"
    tau:        cosine of the vectors down to which average linkage joins people; or None
    n_clusters: join down to this many instead, by average linkage; `tau` is not looked at then; or None
    plan:       the training settings instead of its own
    seed:       of everything random
    """

    def __init__(
        self,
        pairs: str = "tracks",
        tau: float | None = None,
        n_clusters: int | None = None,
        plan: Plan | None = None,
        seed: int = 0,
    ) -> None:
        self.pairs = pairs
        self.tau = tau
        self.n_clusters = n_clusters
        self.plan = plan
        self.seed = seed

    def _learned(self, film: Any, progress: Callable[[int, int], None] | None) -> NDArray[np.float32]:
        refuse_no_count("seed", self.seed, 0)
        if self.pairs not in PAIRS:
            raise InputError(f"pairs is {self.pairs!r}; it needs to be one of {', '.join(PAIRS)}")
        from personae.train.film import learn_pairs  # noqa: PLC0415  (needs torch)

        return learn_pairs(film, self.pairs, self.plan, self.seed, progress=progress)  # type: ignore[arg-type]
