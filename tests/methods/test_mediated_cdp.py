import numpy as np
import pytest

from personae import CDP, InputError, MediatedCDP, evaluate
from personae.data import FaceSet
from personae.train.plan import Plan
from tests.planted import made_faces

PLAN = Plan(steps=120, optimizer="adamw", learning_rate=5e-3, validate_every=120)
LEARN = made_faces([8] * 40, d=32, spread=1.0, seed=1)
OTHERS = made_faces([8] * 30, d=32, spread=1.0, seed=2)


def seen_by_others(faces, count=2):
    """The same faces with errors of other models' own."""
    noise = np.random.default_rng(0).normal(size=(count, *faces.features.shape)) / 32**0.5
    return [FaceSet.of(faces.features + 0.6 * one) for one in noise]


@pytest.fixture(scope="module")
def mediated():
    return MediatedCDP(k=10, plan=PLAN).fit(LEARN, committee=seen_by_others(LEARN))


def test_it_weighs_what_a_vote_only_counts(mediated):
    committee = seen_by_others(OTHERS)
    weighed = evaluate(OTHERS.truth, mediated.predict(OTHERS, committee=committee)).bcubed.f
    taus = np.linspace(0.2, 0.8, 13)
    votes = (CDP(k=10, tau=tau).fit(OTHERS, committee=committee).labels_ for tau in taus)
    assert weighed > max(evaluate(OTHERS.truth, labels).bcubed.f for labels in votes)


def test_it_is_kept_with_the_size_of_its_committee(mediated, tmp_path):
    mediated.save(tmp_path / "model.safetensors")
    again = MediatedCDP.read(tmp_path / "model.safetensors")
    committee = seen_by_others(OTHERS)
    assert (again.predict(OTHERS, committee=committee) == mediated.predict(OTHERS, committee=committee)).all()
    with pytest.raises(InputError, match="a committee of 2 and there are 0"):
        again.predict(OTHERS)


def test_made_faces_have_no_committee():
    with pytest.raises(InputError, match="use preset paper"):
        MediatedCDP(preset="general").fit(LEARN, committee=[LEARN])
    with pytest.raises(InputError, match="320"):
        MediatedCDP().fit(LEARN, committee=[OTHERS])


def test_people_with_more_faces_than_a_list_holds_are_not_torn():
    few = made_faces([8] * 60, d=32, spread=0.7, seed=1)
    many = made_faces([90, 80, 60, *[8] * 20], d=32, spread=0.7, seed=2)
    method = MediatedCDP(k=10, clusterer="map_equation", plan=PLAN).fit(few)
    torn = evaluate(many.truth, method.decision_.people(method.links(many))).pairwise
    found = evaluate(many.truth, method.predict(many)).pairwise
    assert torn.recall < 0.8
    assert min(found.precision, found.recall) > 0.95


def test_another_committee_is_another_lesson(tmp_path):
    plan = Plan(steps=2, validate_every=2)
    a, b = seen_by_others(LEARN)
    first = MediatedCDP(k=10, plan=plan).fit(LEARN, committee=[a], folder=tmp_path)
    again = MediatedCDP(k=10, plan=plan).fit(LEARN, committee=[a], folder=tmp_path)
    assert again.looks_ == first.looks_
    with pytest.raises(InputError, match="other faces or settings"):
        MediatedCDP(k=10, plan=plan).fit(LEARN, committee=[b], folder=tmp_path)


def test_a_fit_that_fails_leaves_no_committee_behind():
    method = MediatedCDP()
    with pytest.raises(InputError, match="320"):
        method.fit(LEARN, committee=[OTHERS])
    assert "_committee" not in vars(method)
