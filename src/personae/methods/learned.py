"""What every learned method shares: fit to faces with identities, then predict the people among new faces."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from personae.clustering.decision import CLUSTERERS, OF_PROPOSALS, Decision
from personae.clustering.full_lists import crowds_joined, joined_by_links
from personae.clustering.look_alikes import CROWD, look_alikes_apart
from personae.clustering.looks import AS_ASKED
from personae.data.faceset import FaceSet, as_truth
from personae.data.labels import as_labels
from personae.errors import InputError, counted
from personae.graph.components import first_seen
from personae.graph.knn_graph import KnnGraph
from personae.graph.search import knn_graph
from personae.link.geometry import Geometry
from personae.link.links import LinkModel, Links
from personae.link.weights import Saved, fill, need_torch, read_weights, write_weights
from personae.methods.auto import Auto
from personae.methods.estimator import as_faces, graph_of, predicting_copies_once
from personae.train.plan import Plan

SHIPPED = Path(__file__).parents[1] / "link" / "trained"
Progress = Callable[[int, int], None]


class LearnedClusterer(BaseEstimator):
    """A link model that is trained on faces with identities, and a clusterer that is chosen on some of them.

    preset:    "paper" is the published model with its own clusterer; "general" is the variant that holds for
               new people, with its own clusterer or the map equation, whichever is better on validation
    k:         neighbors a face
    clusterer: a name in `CLUSTERERS` instead of the preset's
    plan:      the training settings instead of the preset's
    seed:      of everything random

    model_:      the link model
    decision_:   the clusterer with its thresholds
    validation_: mean of pairwise and BCubed F on the validation identities
    looks_:      what training saw on the way
    geometry_:   of the features
    """

    name: ClassVar[str]
    own: ClassVar[str]  # the clusterer of the paper
    options: ClassVar[dict[str, Sequence[dict[str, Any]]]] = {}  # of clusterers, tried on validation
    of_albums: ClassVar[bool] = False  # whether "general" learns from albums too, and its thresholds stand them

    model_: LinkModel
    decision_: Decision
    validation_: float
    looks_: list[Any]
    geometry_: Geometry

    def __init__(
        self,
        preset: str = "paper",
        k: int = 80,
        clusterer: str | None = None,
        plan: Plan | None = None,
        seed: int = 0,
    ) -> None:
        self.preset = preset
        self.k = k
        self.clusterer = clusterer
        self.plan = plan
        self.seed = seed

    def fit(
        self,
        X: FaceSet | ArrayLike,
        y: ArrayLike | None = None,
        *,
        folder: Path | None = None,
        progress: Progress | None = None,
    ) -> Self:
        """Trains on X, a FaceSet or features (N, d), with the identities y, (N,) integers or names.

        An eighth of the identities is held out; all choices are made on them.

        y:        may be left out where X is a FaceSet with its truth
        folder:   where checkpoints and the log go; the same call goes on from there after an interrupt
        progress: called with steps done and steps in all

        InputError: labels that don't match, one identity only, none with two faces. MissingExtraError: torch.
        """
        need_torch()
        self._check()
        faces = as_faces(X)
        import torch  # noqa: PLC0415  (an extra)

        from personae.train.exam import Exam  # noqa: PLC0415  (of training only)
        from personae.train.learned_from import learning_from  # noqa: PLC0415
        from personae.train.loop import generators_kept  # noqa: PLC0415

        truth = identities_of(faces, y)
        with generators_kept(self.plan), learning_from(settings_of(self), faces.features, truth):
            torch.manual_seed(self.seed)
            exam = Exam.of(faces, truth, self.k, self.seed)
            model, looks = self._learn(exam, folder, progress)
            decided = self._decide(exam, model, self._examined(exam, model))
        self.model_, self.looks_, self.geometry_ = model, looks, Geometry.of(faces)
        self.decision_, self.validation_ = decided
        self._trained = {"faces": len(faces), "identities": len(np.unique(exam.truth))}
        return self

    def links(self, X: FaceSet | ArrayLike, *, graph: KnnGraph | None = None) -> Links:
        """What the trained model says of new faces; `graph` is their kNN graph where that is there already.

        InputError: another embedder's features, a graph of other faces.
        """
        faces, knn = self._asked(X, graph)
        return self.model_.links(faces, knn)

    def _asked(self, X: FaceSet | ArrayLike, graph: KnnGraph | None) -> tuple[FaceSet, KnnGraph]:
        """The new faces and their graph. InputError: as of `links`."""
        self._refuse_untrained()
        faces = as_faces(X)
        self.geometry_.check(faces)
        return faces, graph_of(faces, graph, self.k)

    def _refuse_untrained(self) -> None:
        if not hasattr(self, "model_"):
            raise NotFittedError(f"this {type(self).__name__} is not trained; call fit, or use pretrained(...)")

    @predicting_copies_once
    def predict(self, X: FaceSet | ArrayLike, *, graph: KnnGraph | None = None) -> NDArray[np.int32]:
        """(N,) int32, the person of each face, 0..C-1 in the order of the first faces; see `links`."""
        faces, knn = self._asked(X, graph)
        return self.people(faces, self.model_.links(faces, knn), knn)

    def people(self, faces: FaceSet, links: Links, graph: KnnGraph) -> NDArray[np.int32]:
        """(N,) int32 from what `links` says of the faces and their kNN graph.

        The map equation tears people whose faces fill the lists of neighbors; a few faces of each part are put
        to the model alone, and say which parts are one person. Poor pictures of many people, near to one
        another, fill their lists just so, and the more of them the larger the collection: what has more faces
        than `CROWD` lists is measured against strangers, as by `Auto`, and taken apart where it is loose.
        """
        decision, labels = self.decision_, self.decision_.people(links)
        if decision.clusterer != "map_equation":
            return labels

        def asked(rows: NDArray[np.intp]) -> KnnGraph:
            some = faces.take(rows)
            return decision.kept(self.model_.links(some, knn_graph(some, self.k)))

        labels = joined_by_links(labels, decision.kept(links), asked)
        crowded = np.bincount(labels)[labels] > CROWD * graph.k
        if not crowded.any():
            return labels
        looks = Auto(graph.k).looks(faces, graph, start=labels)
        floors, strangers = looks.reach(AS_ASKED), looks.strangers
        apart = look_alikes_apart(labels, faces.features, graph, strangers, floors[1:])
        apart = first_seen(np.where(crowded, len(labels) + apart, labels).astype(np.int32))
        return crowds_joined(apart, faces.features, graph, strangers, floors[0])

    def save(self, path: Path | str) -> None:
        """Writes the trained model to a .safetensors file; `personae.load` reads it."""
        self._refuse_untrained()
        settings = {**self.get_params(), "plan": None}
        trained = {**self._trained, "validation_f": round(self.validation_, 4)}
        saved = Saved(
            self.name, settings, asdict(self.model_.config), asdict(self.decision_), self.geometry_, trained
        )
        write_weights(saved, self.model_.module, Path(path))

    @classmethod
    def pretrained(cls, embedder: str) -> Self:
        """The model that comes with the package for the features of `embedder`, "sface" or "dlib".

        InputError: there is none for it; the message names those there are.
        """
        there = sorted(path.name.split(".")[1] for path in SHIPPED.glob(f"{cls.name}.*.safetensors"))
        if embedder not in there:
            raise InputError(
                f"no {cls.__name__} for {embedder} comes with the package; there are: {', '.join(there)}"
            )
        return cls.read(SHIPPED / f"{cls.name}.{embedder}.safetensors")

    @classmethod
    def named(cls, model: str) -> Self:
        """As `read` of a path, which has a suffix, else as `pretrained`."""
        return cls.read(model) if Path(model).suffix else cls.pretrained(model)

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """The model of a file that `save` wrote. InputError: no such model there. MissingExtraError: torch."""
        need_torch()
        path = Path(path)
        saved, tensors = read_weights(path)
        if saved.method != cls.name:
            raise InputError(f"{path} holds a model of {saved.method}, not of {cls.name}; use that method")
        settings: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in saved.settings.items()
        }
        method = cls(**settings)
        method.model_ = method._build(saved.config)
        fill(method.model_.module, tensors, path)
        method.model_.module.eval()
        method.decision_ = Decision(**saved.decision)
        method.geometry_ = saved.geometry
        method.validation_ = saved.trained["validation_f"]
        method._trained = saved.trained
        method.looks_ = []
        return method

    def _learn(self, exam: Any, folder: Path | None, progress: Progress | None) -> tuple[LinkModel, list[Any]]:
        """Builds the model for these faces and trains it."""
        raise NotImplementedError

    def _examined(self, exam: Any, model: LinkModel) -> Links:
        """What the trained model says of the exam."""
        return model.links(exam.faces, exam.graph)

    def _decide(self, exam: Any, model: LinkModel, links: Links) -> tuple[Decision, float]:
        """How the links of the exam become people, and the mean of both F."""
        if self.preset == "paper":
            found: tuple[Decision, float] = exam.decide(links, self._clusterers(), self.options)
            return found
        from personae.train.everywhere import ALBUMS, decide_everywhere  # noqa: PLC0415  (of training only)

        shares = ALBUMS if self.of_albums else ()
        return decide_everywhere(exam, model, self._clusterers(), self.seed, self.options, shares)

    def _build(self, config: dict[str, Any]) -> LinkModel:
        """The untrained model of a saved config."""
        raise NotImplementedError

    def _clusterers(self) -> list[str]:
        if self.clusterer is not None:
            return [self.clusterer]
        return [self.own] if self.preset == "paper" else [self.own, "map_equation"]

    def _check(self) -> None:
        if self.preset not in ("paper", "general"):
            raise InputError(f"no preset is called {self.preset}; there are paper and general")
        if self.clusterer is not None and self.clusterer not in CLUSTERERS:
            raise InputError(
                f"no clusterer of links is called {self.clusterer}; there are {', '.join(CLUSTERERS)}"
            )
        if self.clusterer in OF_PROPOSALS and self.own not in OF_PROPOSALS:
            raise InputError(
                f"{self.clusterer} needs proposals, which {type(self).__name__} does not make; "
                "choose another clusterer, or GCND"
            )


def settings_of(method: BaseEstimator) -> str:
    """What it is and how it learns, aside from its plan; the clusterer comes after learning."""
    said = {name: value for name, value in method.get_params().items() if name not in ("plan", "clusterer")}
    return f"{type(method).__name__} {said}"


def identities_of(faces: FaceSet, y: ArrayLike | None) -> NDArray[np.int32]:
    """(N,) int32 from 0, the identities to learn from. InputError: none, not one a face, or -1 among them."""
    if y is None:
        if faces.truth is None:
            raise InputError("the faces come without identities; a learned method needs one label a face")
        if unknown := int((faces.truth < 0).sum()):
            raise InputError(
                f"{counted(unknown, 'face')} of {len(faces):,} come without an identity; "
                "learn from the others, faces.take(faces.truth >= 0)"
            )
        return faces.truth
    labels = as_labels(y)
    if len(labels) != len(faces):
        raise InputError(f"{len(faces):,} faces but {len(labels):,} labels; give one label a face")
    return as_truth(labels)
