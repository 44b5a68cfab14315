import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from personae import InputError, knn_graph
from personae.data import FaceSet
from personae.graph import first_seen
from personae.methods.gcn_v import GCNV
from personae.methods.gcn_ve import GCNVE
from personae.train.plan import Plan
from tests.planted import made_faces

SHORT = Plan(steps=20, validate_every=20, optimizer="adamw", learning_rate=3e-3)
MADE = [(method, preset) for method in (GCNV, GCNVE) for preset in ("paper", "general")]


@pytest.fixture(scope="module")
def trained():
    faces = made_faces([12] * 15 + [4] * 15, d=24)
    return {(method, preset): method(preset=preset, k=15, plan=SHORT).fit(faces) for method, preset in MADE}


@pytest.fixture(scope="module")
def strangers():
    return made_faces([12] * 8 + [4] * 6 + [1] * 10, d=24, seed=7)


every = pytest.mark.parametrize("which", MADE, ids=lambda which: f"{which[0].__name__}-{which[1]}")


@every
def test_planted_people_are_found(which, trained, strangers):
    labels = trained[which].predict(strangers)
    assert adjusted_rand_score(strangers.truth, labels) > 0.85
    assert labels.dtype == np.int32
    assert (first_seen(labels) == labels).all()


@every
def test_a_permutation_of_the_faces_permutes_the_labels(which, trained, strangers):
    order = np.random.default_rng(0).permutation(len(strangers))
    labels = trained[which].predict(strangers)
    assert (first_seen(trained[which].predict(strangers.take(order))) == first_seen(labels[order])).all()


@every
def test_a_saved_model_finds_the_same_people(which, trained, strangers, tmp_path):
    trained[which].save(tmp_path / "model.safetensors")
    again = which[0].read(tmp_path / "model.safetensors")
    assert again.get_params() == {**trained[which].get_params(), "plan": None}
    assert (again.predict(strangers) == trained[which].predict(strangers)).all()


@every
def test_few_faces_and_equal_ones_are_no_trouble(which, trained, strangers):
    assert trained[which].predict(strangers.take(np.array([3]))).tolist() == [0]
    assert len(trained[which].predict(strangers.take(np.array([3, 4])))) == 2
    assert not trained[which].predict(strangers.take(np.full(40, 3))).any()


@every
def test_a_graph_that_is_there_already_gives_the_same_labels(which, trained, strangers):
    labels = trained[which].predict(strangers, graph=knn_graph(strangers, 20))
    assert (labels == trained[which].predict(strangers)).all()


def test_the_space_of_the_links_can_be_chosen(strangers):
    plan = Plan(steps=1, validate_every=1)
    for space in ("raw", "hidden"):
        assert GCNV(k=10, plan=plan, space=space).fit(strangers).model_.config.space == space
    with pytest.raises(InputError, match="space"):
        GCNV(space="other").fit(strangers)


def test_general_links_go_to_the_better_of_two_clusterers(trained):
    assert trained[GCNV, "paper"].decision_.clusterer == "density_tree"
    assert trained[GCNV, "general"].decision_.clusterer in ("density_tree", "map_equation")


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
    from personae import evaluate

    assert evaluate(others.truth, found).bcubed.f > 0.93
