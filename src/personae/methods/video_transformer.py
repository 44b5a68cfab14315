"""The video transformer: each track as one vector that was learned from the film itself.

After Wang et al., "Self-supervised video-centralised transformer for video face clustering", TPAMI 2023; see
`personae.link.video_transformer`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personae.errors import refuse_no_count
from personae.methods.estimator import FilmClusterer
from personae.train.plan import Plan


class VideoTransformer(FilmClusterer):
    """A transformer learns which frames of a track to look at; then `Auto` makes people of the tracks.

    It is trained on the tracks to be clustered, without names: parts of a track are to be near its centre, and
    far from the tracks that are somebody else's, since they overlap in time or look unlike. So it has no use
    for another film, and needs some dozens of tracks to learn from. Frames that are blurred or somebody else's
    cost it less than they cost the temporal average, which stands beside what was learned and counts the more,
    the fewer frames are out of place in their track: where all are good there is nothing to gain.

    tau:        cosine of the vectors down to which average linkage joins people; or None
    n_clusters: join down to this many instead, by average linkage; `tau` is not looked at then; or None
    plan:       the training settings instead of its own
    seed:       of everything random
    """

    def __init__(
        self, tau: float | None = None, n_clusters: int | None = None, plan: Plan | None = None, seed: int = 0
    ) -> None:
        self.tau = tau
        self.n_clusters = n_clusters
        self.plan = plan
        self.seed = seed

    def _learned(self, film: Any, progress: Callable[[int, int], None] | None) -> NDArray[np.float32]:
        refuse_no_count("seed", self.seed, 0)
        from personae.train.film import learn_film  # noqa: PLC0415  (needs torch)

        return learn_film(film, self.plan, self.seed, progress=progress)
