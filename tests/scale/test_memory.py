"""What the stages are told to take."""

import numpy as np
import pytest

from personae import Auto, FaceMap, StarFC, Threshold
from personae.scale.pipeline import memory_of
from personae.scale.recipes import (
    _links_a_face,
    auto_recipe,
    facemap_recipe,
    star_fc_recipe,
    threshold_recipe,
)

RECIPES = {
    "auto": lambda: auto_recipe(Auto()),
    "facemap": lambda: facemap_recipe(FaceMap(k=80)),
    "star_fc": lambda: star_fc_recipe(StarFC.pretrained("sface")),
    "threshold": lambda: threshold_recipe(Threshold(0.6)),
}


@pytest.mark.parametrize("method", RECIPES)
def test_a_million_faces_fit_in_four_gib_and_ten_in_22(method):
    if method == "star_fc":
        pytest.importorskip("torch")
    recipe = RECIPES[method]()
    for faces, most in ((10**6, 4 << 30), (10**7, 22 << 30)):
        needed = memory_of(faces, 256, recipe)
        assert max(needed.values()) <= most
        held = memory_of(faces, 256, recipe, on_disk=False)
        assert all(held[stage] >= needed[stage] for stage in needed)


def test_links_that_a_model_decides_against_take_no_memory():
    weights = np.array([[0.9, 0.5, 0.2], [0.8, 0.0, 0.0]], np.float32)
    assert _links_a_face(weights) == 2
    assert _links_a_face(weights, tau=float(np.float32(0.8))) == 1
