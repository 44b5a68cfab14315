"""CDP with its mediator: a committee's word on every pair, weighed by a perceptron, then propagation.

Zhan et al., "Consensus-Driven Propagation in Massive Unlabeled Data for Face Recognition", ECCV 2018.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personae.data.faceset import FaceSet
from personae.errors import InputError
from personae.graph.knn_graph import KnnGraph
from personae.link.links import Links
from personae.methods.estimator import as_faces, predicting_copies_once
from personae.methods.learned import LearnedClusterer, Progress
from personae.train.plan import Plan

NO_CAP = 2**31 - 1


class MediatedCDP(LearnedClusterer):
    """A small perceptron judges each pair of neighbors by what several models say of it; `CDP` asks for votes.

    It believes that models err in different ways, and learns how much each of them is worth. It sees whether a
    pair stands in each other's lists, the cosine, and how many faces both lists hold, of every model; with no
    committee, the base's cosine and count alone. Nothing of that is a face, so that nobody is learned by heart,
    but counts tell how many faces people have where it learned. "paper" cuts people of more than 600 faces, as
    published, or nobody, whichever is better on validation. "general" learns from collections of several shapes
    made of the training faces, for which there is no committee. O(N k^2) a model after the graphs.
    """

    name: ClassVar[str] = "mediated_cdp"
    own: ClassVar[str] = "propagation"
    options: ClassVar[dict[str, Sequence[dict[str, Any]]]] = {"propagation": ({}, {"max_size": NO_CAP})}
    _committee: Sequence[FaceSet] = ()  # while it is trained

    def __init__(
        self,
        preset: str = "paper",
        k: int = 15,
        clusterer: str | None = None,
        plan: Plan | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(preset, k, clusterer, plan, seed)

    def fit(
        self,
        X: FaceSet | ArrayLike,
        y: ArrayLike | None = None,
        *,
        committee: Sequence[FaceSet | ArrayLike] = (),
        folder: Path | None = None,
        progress: Progress | None = None,
    ) -> Self:
        """As every learned method; `committee` holds the same faces in the same order, seen by other models.

        InputError: a member has other faces, a committee with "general", and as of `LearnedClusterer.fit`.
        """
        if committee and self.preset == "general":
            raise InputError("general learns from made faces, which no committee has seen; use preset paper")
        self._committee = [as_faces(member) for member in committee]
        try:
            return super().fit(X, y, folder=folder, progress=progress)
        finally:
            del self._committee

    def links(
        self,
        X: FaceSet | ArrayLike,
        *,
        graph: KnnGraph | None = None,
        committee: Sequence[FaceSet | ArrayLike] = (),
    ) -> Links:
        """As every learned method; with the committee that it was trained with, as seen by the same models."""
        members = [as_faces(member) for member in committee]
        faces, knn = self._asked(X, graph)
        found: Links = self.model_.links(faces, knn, members)  # type: ignore[call-arg]
        return found

    @predicting_copies_once
    def predict(
        self,
        X: FaceSet | ArrayLike,
        *,
        graph: KnnGraph | None = None,
        committee: Sequence[FaceSet | ArrayLike] = (),
    ) -> NDArray[np.int32]:
        """(N,) int32, the person of each face, 0..C-1 in the order of the first faces; see `links`.

        With a committee people are as the clusterer finds them; without, also as `people` joins them.
        """
        faces, knn = self._asked(X, graph)
        links = self.links(faces, graph=knn, committee=committee)
        return self.decision_.people(links) if committee else self.people(faces, links, knn)

    def _learn(self, exam: Any, folder: Path | None, progress: Progress | None) -> tuple[Any, list[Any]]:
        from personae.train.learned_from import learning_from  # noqa: PLC0415
        from personae.train.mediator import GENERAL, PAPER, WORLDS, learn_mediator  # noqa: PLC0415  (needs torch)

        general = self.preset == "general"
        plan = replace(self.plan or (GENERAL if general else PAPER), seed=self.seed)
        shapes = WORLDS if general else 1
        with learning_from(*(member.features for member in self._committee)):
            return learn_mediator(
                exam, plan, committee=self._committee, shapes=shapes, folder=folder, progress=progress
            )

    def _examined(self, exam: Any, model: Any) -> Links:
        links: Links = model.links(exam.faces, exam.graph, self._committee)
        return links

    def _build(self, config: dict[str, Any]) -> Any:
        from personae.link.mediator import MediatorConfig, MediatorModel  # noqa: PLC0415  (needs torch)

        return MediatorModel(MediatorConfig(**config))
