"""FaceT as an estimator."""

import json

import numpy as np
import pytest
import torch

from personae import FaceT, InputError
from personae.train.loop import CHECKPOINT
from personae.train.plan import Plan
from tests.learned import LEARN, OTHERS, trained

PRESETS = ("paper", "general")


@pytest.mark.parametrize(("preset", "asked"), [("paper", 20), ("general", 10)])
def test_links_are_probabilities_on_the_neighbors_in_reach(preset, asked):
    links = trained(FaceT, preset).links(OTHERS)
    assert links.graph.neighbors.shape == (len(OTHERS), asked)
    assert ((links.graph.similarities >= 0) & (links.graph.similarities <= 1)).all()
    assert links.density.shape == (len(OTHERS),)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_same_seed_gives_the_same_model(preset):
    plan = Plan(4, "adamw", learning_rate=1e-3, warmup=1, validate_every=2)
    a, b = (FaceT(preset=preset, k=10, plan=plan).fit(LEARN).links(OTHERS).graph for _ in range(2))
    assert (a.similarities == b.similarities).all()


def test_the_clusterer_of_the_paper_is_chains_of_links():
    plan = Plan(2, "adamw", validate_every=1)
    assert FaceT(k=10, plan=plan).fit(LEARN).decision_.clusterer == "components"
    assert FaceT(k=10, plan=plan, clusterer="map_equation").fit(LEARN).decision_.clusterer == "map_equation"


@pytest.mark.parametrize("bad", [np.full((3, 24), np.nan), np.ones((3, 8))])
def test_bad_faces_are_refused_in_one_line(bad):
    with pytest.raises(InputError) as refusal:
        trained(FaceT, "paper").predict(bad)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_seed_is_that_of_the_method_beside_a_plan(preset, tmp_path):
    plan = Plan(2, "adamw", learning_rate=1e-3, validate_every=2)
    FaceT(preset=preset, k=10, plan=plan, seed=3).fit(LEARN, folder=tmp_path)
    assert json.loads(torch.load(tmp_path / CHECKPOINT)["plan"])["seed"] == 3
