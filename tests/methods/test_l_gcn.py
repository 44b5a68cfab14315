"""L-GCN as an estimator."""

import numpy as np
import pytest

from personae import LGCN, FaceSet, InputError
from personae.train.plan import Plan
from tests.learned import LEARN, OTHERS


def test_the_same_seed_gives_the_same_model():
    one, other = (
        LGCN(k=8, plan=Plan(steps=4, validate_every=4), training=(6, 2, 2), testing=(8, 2, 2)).fit(LEARN)
        for _ in range(2)
    )
    assert (one.links(OTHERS).graph.similarities == other.links(OTHERS).graph.similarities).all()


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"aggregation": "median"}, "aggregation"),
        ({"testing": (80, 5)}, "three"),
        ({"preset": "best"}, "preset"),
    ],
)
def test_bad_parameters_are_refused_in_one_line(parameters, says):
    with pytest.raises(InputError, match=says) as refusal:
        LGCN(**parameters).fit(LEARN)
    assert "\n" not in str(refusal.value)


def test_one_identity_and_lone_faces_are_refused():
    for truth in (np.zeros(len(LEARN), int), np.arange(len(LEARN))):
        with pytest.raises(InputError, match="identit"):
            LGCN().fit(FaceSet.of(LEARN.features), truth)
