"""Floors on real embeddings: no labels used, the same settings for both embedders."""

import numpy as np
import pytest

from personae import Auto, FaceMap, Threshold, evaluate, knn_graph, read_faces
from personae.clustering.map_equation import MapEquation
from personae.graph import first_seen
from personae.methods import auto

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def faces_of(shared):
    def read(name):
        return read_faces(shared / "data" / f"{name}.npz")

    return read


def halves(faces):
    """Two disjoint halves of the identities, the same in every run."""
    chosen = np.random.default_rng(0).permutation(faces.truth.max() + 1) % 2 == 0
    return faces.take(chosen[faces.truth]), faces.take(~chosen[faces.truth])


@pytest.mark.parametrize(("embedder", "pairwise", "bcubed"), [("sface", 0.99, 0.98), ("dlib", 0.96, 0.93)])
def test_the_default_holds_on_a_long_tail(faces_of, embedder, pairwise, bcubed):
    faces = faces_of(f"lfw.{embedder}")
    score = evaluate(faces.truth, Auto().fit_predict(faces))
    assert score.pairwise.f >= pairwise
    assert score.bcubed.f >= bcubed


@pytest.mark.parametrize("half", [0, 1])
@pytest.mark.parametrize(("embedder", "bcubed"), [("sface", 0.93), ("dlib", 0.90)])
def test_the_default_holds_on_balanced_people(faces_of, embedder, bcubed, half):
    faces = halves(faces_of(f"train.{embedder}"))[half]
    assert evaluate(faces.truth, Auto().fit_predict(faces)).bcubed.f >= bcubed


@pytest.mark.parametrize("method", [Auto(), FaceMap(), Threshold(0.55)], ids=lambda m: type(m).__name__)
def test_a_permutation_of_real_faces_permutes_the_labels(faces_of, method):
    faces = halves(faces_of("train.sface"))[0]
    order = np.random.default_rng(3).permutation(len(faces))
    labels = method.fit_predict(faces)
    assert (first_seen(method.fit_predict(faces.take(order))) == first_seen(labels[order])).all()


def test_facemap_on_lone_faces_is_as_weak_as_its_specification_says(faces_of):
    faces = faces_of("lfw.sface")
    score = evaluate(faces.truth, FaceMap().fit_predict(faces))
    assert score.pairwise.f == pytest.approx(0.798, abs=0.02)
    assert score.bcubed.f == pytest.approx(0.563, abs=0.02)


def test_components_at_the_best_threshold_reach_the_reference(faces_of):
    faces = faces_of("lfw.sface")
    graph = knn_graph(faces)
    scores = [evaluate(faces.truth, Threshold(tau).fit_predict(graph)) for tau in np.arange(0.5, 0.65, 0.01)]
    assert max(score.pairwise.f for score in scores) == pytest.approx(0.987, abs=0.005)


@pytest.mark.parametrize(
    ("embedder", "tau", "pairwise", "bcubed"), [("sface", 0.55, 0.997, 0.986), ("dlib", 0.95, 0.976, 0.941)]
)
def test_the_map_equation_at_the_best_threshold_reaches_the_reference(
    faces_of, embedder, tau, pairwise, bcubed
):
    faces = faces_of(f"lfw.{embedder}")
    score = evaluate(faces.truth, MapEquation().cluster(knn_graph(faces).at_least(tau)))
    assert score.pairwise.f == pytest.approx(pairwise, abs=0.005)
    assert score.bcubed.f == pytest.approx(bcubed, abs=0.005)


def test_widths_that_have_grown_are_not_compared(faces_of, monkeypatch):
    """Distances of features cut off at zero are no bell curve; the widths of the second look are narrow."""
    half = halves(faces_of("lfw.dlib"))[0]
    turned = np.linalg.qr(np.random.default_rng(3).standard_normal((128, 128)))[0]
    rows = np.maximum((half.features - half.features.mean(axis=0)) @ turned, 0)
    found = evaluate(half.truth, Auto().fit_predict(rows))
    monkeypatch.setattr(auto, "WIDER", 1e9)
    assert found.bcubed.f > evaluate(half.truth, Auto().fit_predict(rows)).bcubed.f + 0.01
