import numpy as np
import pytest

from personae import InputError, evaluate
from personae.data import FaceSet
from personae.graph import first_seen
from personae.methods.l_gcn import LGCN
from personae.train.plan import Plan
from tests.planted import made_faces

PLANS = {
    "paper": Plan(steps=8, validate_every=8),
    "general": Plan(steps=80, optimizer="adamw", learning_rate=5e-3, schedule="cosine", validate_every=80),
}
LEARN = made_faces([14, 11, 9, *[5] * 25, *[1] * 25], d=32, seed=1)
OTHERS = made_faces([12, 9, *[4] * 14, *[1] * 20], d=32, seed=2)


@pytest.fixture(scope="module", params=PLANS)
def fitted(request):
    plan = PLANS[request.param]
    return LGCN(request.param, k=16, plan=plan, training=(12, 3, 3), testing=(16, 3, 3)).fit(LEARN)


def test_people_never_seen_are_found(fitted):
    score = evaluate(OTHERS.truth, fitted.predict(OTHERS))
    if fitted.preset == "general":
        assert score.pairwise.f > 0.7
    else:  # the published network wants more than eight steps and 60 people
        assert score.bcubed.f > 0.5


def test_a_permutation_of_the_faces_permutes_the_labels(fitted):
    order = np.random.default_rng(3).permutation(len(OTHERS))
    labels = fitted.predict(OTHERS)
    assert labels.dtype == np.int32
    assert (first_seen(labels) == labels).all()
    assert (fitted.predict(OTHERS.take(order)) == first_seen(labels[order])).all()


def test_a_saved_model_is_the_same_model(fitted, tmp_path):
    fitted.save(tmp_path / "model.safetensors")
    read = LGCN.read(tmp_path / "model.safetensors")
    assert read.model_.config == fitted.model_.config
    assert (read.predict(OTHERS) == fitted.predict(OTHERS)).all()


def test_one_two_and_equal_faces_are_no_trouble(fitted):
    assert fitted.predict(np.ones((1, 32))).tolist() == [0]
    assert len(fitted.predict(np.eye(2, 32))) == 2
    assert len(fitted.predict(np.ones((30, 32)))) == 30
    assert len(fitted.predict(-np.eye(5, 32))) == 5


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
