"""GCN-V and GCN-V+E as estimators."""

import numpy as np
import pytest

from personae import GCNV, FaceSet, InputError, evaluate
from personae.train.plan import Plan
from tests.learned import LEARN, trained


def test_the_space_of_the_links_can_be_chosen():
    plan = Plan(steps=1, validate_every=1)
    for space in ("raw", "hidden"):
        assert GCNV(k=10, plan=plan, space=space).fit(LEARN).model_.config.space == space
    with pytest.raises(InputError, match="space"):
        GCNV(space="other").fit(LEARN)


def test_general_links_go_to_the_better_of_two_clusterers():
    assert trained(GCNV, "paper").decision_.clusterer == "density_tree"
    assert trained(GCNV, "general").decision_.clusterer in ("density_tree", "map_equation")


@pytest.mark.slow
@pytest.mark.data
def test_people_nobody_learned_from_are_found_among_real_faces(shared):
    with np.load(shared / "data" / "train.sface.npz", allow_pickle=False) as file:
        faces = FaceSet.of(file["X"], file["y"])
    learned = faces.take(np.flatnonzero(faces.truth % 3 > 0))
    others = faces.take(np.flatnonzero(faces.truth % 3 == 0))
    plan = Plan(steps=120, validate_every=120, optimizer="adamw", learning_rate=3e-3, schedule="cosine")
    method = GCNV(preset="general", k=40, plan=plan).fit(learned.features, learned.truth)
    found = method.predict(others.features)
    assert evaluate(others.truth, found).bcubed.f > 0.93
