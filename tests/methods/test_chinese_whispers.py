import numpy as np
import pytest

from personae import InputError, evaluate
from personae.methods.chinese_whispers import ChineseWhispers
from tests.planted import made_faces


def test_planted_people_are_found(planted):
    assert evaluate(planted.truth, ChineseWhispers(tau=0.4).fit_predict(planted)).bcubed.f > 0.97


def test_parameters_are_passed_on():
    crowded = made_faces([30, 12, *[5] * 10, *[1] * 30], spread=1.2, d=16)
    found = [
        ChineseWhispers(0.3, seed=seed, iterations=rounds).fit_predict(crowded).tolist()
        for seed, rounds in ((0, 20), (1, 20), (0, 1))
    ]
    assert found[0] != found[1]
    assert found[0] != found[2]


def test_bad_parameters_are_refused(planted):
    for words, says in (({"iterations": 0}, "iterations is 0"), ({"tau": -1.0, "k": 200}, "links below 0")):
        with pytest.raises(InputError, match=says):
            ChineseWhispers(**words).fit(planted)


@pytest.mark.data
@pytest.mark.parametrize(("embedder", "tau", "bcubed"), [("sface", 0.56, 0.97), ("dlib", 0.95, 0.92)])
def test_a_threshold_for_the_embedder_holds_on_a_long_tail(shared, embedder, tau, bcubed):
    with np.load(shared / "data" / f"lfw.{embedder}.npz", allow_pickle=False) as file:
        score = evaluate(file["y"], ChineseWhispers(tau).fit_predict(file["X"]))
    assert score.bcubed.f >= bcubed
    assert score.pairwise.f >= 0.95
