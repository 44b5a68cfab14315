"""Ball Cluster Learning: faces or tracks, a learned radius, an unknown number of people.

Tapaswi, Law, Fidler, "Video Face Clustering with Unknown Number of Clusters", ICCV 2019.
"""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from personae.clustering.agglomeration import MOST, Agglomeration
from personae.data.constraints import Constraints
from personae.data.faceset import FaceSet
from personae.errors import InputError
from personae.graph.components import first_seen
from personae.graph.directions import mean_directions
from personae.link.geometry import Geometry
from personae.link.weights import Saved, fill, need_torch, read_weights, write_weights
from personae.methods.estimator import as_faces, clusters_of, predicting_copies_once, refuse_crowds, tracks_of
from personae.methods.learned import identities_of, settings_of
from personae.train.plan import Plan

NAME = "ball_clusters"


class BallClusters(BaseEstimator):
    """Everybody fits a ball of the radius that was learned from other people; complete linkage finds the balls.

    Trained on faces with identities, it learns an embedding in which a person's faces lie within a ball and
    strangers at least three radii from its centre, and the radius with it. So nobody chooses a threshold: two
    faces in one ball are at most two radii apart, and complete linkage is cut there.

    It believes that all people vary equally. It is made for tracks, whose mean features vary little; single
    faces of one person seldom fit one ball, which tears people apart. O(T^2) memory for T tracks or faces,
    at most 20,000.

    plan: the training settings instead of its own
    seed: of everything random

    model_:      the network
    radius_:     of the balls, as a Euclidean distance of unit features
    validation_: mean of pairwise and BCubed F on tracks of identities held out
    looks_:      what training saw on the way
    geometry_:   of the features
    """

    model_: Any
    radius_: float
    validation_: float
    looks_: list[Any]
    geometry_: Geometry

    def __init__(self, plan: Plan | None = None, seed: int = 0) -> None:
        self.plan = plan
        self.seed = seed

    def fit(
        self,
        X: FaceSet | ArrayLike,
        y: ArrayLike | None = None,
        *,
        folder: Path | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Self:
        """Trains on X, a FaceSet or features (N, d), with the identities y, (N,) integers or names.

        y:        may be left out where X is a FaceSet with its truth
        folder:   where checkpoints and the log go; the same call goes on from there after an interrupt
        progress: called with steps done and steps in all

        InputError: labels that don't match, too few identities with two faces. MissingExtraError: torch.
        """
        need_torch()
        from personae.train.balls import learn_balls  # noqa: PLC0415  (needs torch)
        from personae.train.learned_from import learning_from  # noqa: PLC0415
        from personae.train.loop import generators_kept  # noqa: PLC0415

        faces = as_faces(X)
        truth = identities_of(faces, y)
        with generators_kept(self.plan), learning_from(settings_of(self), faces.features, truth):
            model, looks = learn_balls(faces, truth, self.plan, self.seed, folder=folder, progress=progress)
        self._hold(model, Geometry.of(faces), max(look.score for look in looks))
        self.looks_ = looks
        self._trained = {"faces": len(faces), "identities": len(np.unique(truth))}
        return self

    @predicting_copies_once
    def predict(self, X: FaceSet | ArrayLike, *, constraints: Constraints | None = None) -> NDArray[np.int32]:
        """(N,) int32, the person of each face, 0..C-1 in the order of the first faces.

        X:           a FaceSet or features (N, d): faces, or the mean features of tracks
        constraints: faces of a group are one track and stand for it by their mean; hard pairs are never joined

        InputError: another embedder's features, more than 20,000 tracks or faces, constraints of others.
        """
        faces = self._checked(X)
        tracks, apart, track = _few_tracks(faces, constraints)
        cut = Agglomeration(self.model_.tau, "complete")
        embedded = self.model_.embedded(tracks.features)
        return first_seen(cut.cluster_all_pairs(embedded, apart)[track])

    def fine_tuned(
        self,
        X: FaceSet | ArrayLike,
        *,
        constraints: Constraints,
        plan: Plan | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Self:
        """Another BallClusters, which went on learning from the tracks of one film, without anybody's name.

        Parts of a track are to lie in one ball, and tracks that are known to be two people in two; the radius
        stays as it is, for one track tells nothing of how a person varies.

        X:           a FaceSet or features (N, d), the faces of all frames
        constraints: the faces of a group are one track; hard pairs are tracks of two people
        plan:        the training settings instead of its own

        O(T^2) memory, as `predict`.

        InputError: another embedder's features, constraints of others, no track of two faces, more than 20,000
        tracks, of which each face in no group is one.
        """
        from personae.train.balls import tune_balls  # noqa: PLC0415  (needs torch)
        from personae.train.loop import generators_kept  # noqa: PLC0415

        faces = self._checked(X)
        held = constraints.held_by(len(faces))
        _few_tracks(faces, held)
        tuned = type(self)(**self.get_params())
        with generators_kept(plan):
            model = tune_balls(self.model_, faces, held, plan, self.seed, progress=progress)
        tuned._hold(model, self.geometry_, self.validation_)
        tuned.looks_, tuned._trained = self.looks_, self._trained
        return tuned

    def centroids(
        self, X: FaceSet | ArrayLike, labels: ArrayLike, *, constraints: Constraints | None = None
    ) -> NDArray[np.float32]:
        """(C, d) float32, unit: the middle of each person's ball, the normalised mean of the embedded tracks.

        labels: (N,) 0..C-1, as `predict` gives them for the same X and constraints; each track labelled
                below 0 is a person of its own

        InputError: not one label a face, and as `predict`.
        """
        faces = self._checked(X)
        tracks, _, track = tracks_of(faces, constraints)
        people = clusters_of(labels, len(faces))
        first = np.unique(track, return_index=True)[1]
        return mean_directions(self.model_.embedded(tracks.features), first_seen(people[first]))

    def save(self, path: Path | str) -> None:
        """Writes the trained model to a .safetensors file; `personae.load` reads it."""
        self._refuse_untrained()
        trained = {**self._trained, "validation_f": round(self.validation_, 4)}
        settings = {**self.get_params(), "plan": None}
        saved = Saved(NAME, settings, asdict(self.model_.config), {}, self.geometry_, trained)
        write_weights(saved, self.model_.module, Path(path))

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """The model of a file that `save` wrote. InputError: no such model there. MissingExtraError: torch."""
        need_torch()
        from personae.link.balls import BallConfig, BallModel  # noqa: PLC0415  (needs torch)

        saved, tensors = read_weights(Path(path))
        if saved.method != NAME:
            raise InputError(f"{path} holds a model of {saved.method}, not of {NAME}; use that method")
        method = cls(**saved.settings)
        model = BallModel(BallConfig(**saved.config))
        fill(model.module, tensors, Path(path))
        method._hold(model, saved.geometry, saved.trained["validation_f"])
        method.looks_, method._trained = [], saved.trained
        return method

    def _refuse_untrained(self) -> None:
        if not hasattr(self, "model_"):
            raise NotFittedError("this BallClusters is not trained; call fit, or personae.load a trained one")

    def _checked(self, X: FaceSet | ArrayLike) -> FaceSet:
        self._refuse_untrained()
        faces = as_faces(X)
        self.geometry_.check(faces)
        return faces

    def _hold(self, model: Any, geometry: Geometry, validation: float) -> None:
        self.model_, self.geometry_, self.validation_ = model, geometry, validation
        self.radius_ = model.squared_radius**0.5


def _few_tracks(
    faces: FaceSet, constraints: Constraints | None
) -> tuple[FaceSet, Constraints, NDArray[np.int32]]:
    """`tracks_of`. InputError: as of that, and more than `MOST`."""
    found = tracks_of(faces, constraints)
    refuse_crowds(found[0], MOST, "BallClusters", "Auto, or tracks instead of faces")
    return found
