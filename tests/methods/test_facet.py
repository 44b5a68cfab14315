"""FaceT as an estimator: people it never saw, saved and read again, bad input in one line."""

from functools import cache

import numpy as np
import pytest

from personae import FaceSet, InputError, evaluate
from personae.graph import first_seen
from personae.methods.facet import FaceT
from personae.train.plan import Plan
from tests.planted import made_faces

LEARN = made_faces([2, 3, 4, 5, 6, 7, 8, 9] * 3, d=32, spread=0.7, seed=1)
NEW = made_faces([1, 1, 4, 9, 16, 2, 30], d=32, spread=0.7, seed=2)
SHORT = Plan(40, "adamw", learning_rate=3e-3, schedule="cosine", warmup=5, validate_every=40)
PRESETS = ("paper", "general")


@cache
def fitted(preset):
    return FaceT(preset=preset, k=20, plan=SHORT).fit(LEARN)


@pytest.fixture(params=PRESETS)
def trained(request):
    return fitted(request.param)


def test_people_it_never_saw_are_found():
    assert evaluate(NEW.truth, fitted("general").predict(NEW)).pairwise.f > 0.9


def test_links_are_probabilities_on_the_neighbors(trained):
    links = trained.links(NEW)
    assert links.graph.neighbors.shape == (len(NEW), 20)
    assert ((links.graph.similarities >= 0) & (links.graph.similarities <= 1)).all()
    assert links.density.shape == (len(NEW),)


def test_what_is_saved_finds_the_same_people_when_read(trained, tmp_path):
    trained.save(tmp_path / "facet.safetensors")
    again = FaceT.read(tmp_path / "facet.safetensors")
    assert again.get_params() == {**trained.get_params(), "plan": None}
    assert (again.predict(NEW) == trained.predict(NEW)).all()


def test_a_permutation_of_the_faces_permutes_the_labels(trained):
    order = np.random.default_rng(0).permutation(len(NEW))
    labels = trained.predict(NEW)
    assert (first_seen(labels[order]) == first_seen(trained.predict(NEW.take(order)))).all()


def test_one_face_two_faces_and_equal_faces_are_no_trouble(trained):
    for faces in (NEW.take(np.arange(1)), NEW.take(np.arange(2)), FaceSet.of(np.ones((30, 32)))):
        assert len(trained.predict(faces)) == len(faces)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_same_seed_gives_the_same_model(preset):
    plan = Plan(4, "adamw", learning_rate=1e-3, warmup=1, validate_every=2)
    a, b = (FaceT(preset=preset, k=10, plan=plan).fit(LEARN).links(NEW).graph for _ in range(2))
    assert (a.similarities == b.similarities).all()


def test_the_clusterer_of_the_paper_is_chains_of_links():
    plan = Plan(2, "adamw", validate_every=1)
    assert FaceT(k=10, plan=plan).fit(LEARN).decision_.clusterer == "components"
    assert FaceT(k=10, plan=plan, clusterer="map_equation").fit(LEARN).decision_.clusterer == "map_equation"


@pytest.mark.parametrize("bad", [np.full((3, 32), np.nan), np.ones((3, 8))])
def test_bad_faces_are_refused_in_one_line(trained, bad):
    with pytest.raises(InputError) as refusal:
        trained.predict(bad)
    assert "\n" not in str(refusal.value)
