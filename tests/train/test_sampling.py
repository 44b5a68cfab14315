"""SPSS: identities that lie close together, and all its randomness."""

import numpy as np
import pytest

from personae import InputError
from personae.train.sampling import Sampling

EVERY = {"share": 1.0, "keep_seed": True}


def on_a_circle(count):
    angle = 2 * np.pi * np.arange(count) / count
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_one_seed_draws_its_nearest_identities_itself_among_them():
    centres = on_a_circle(100)
    chosen = Sampling(seeds=1, nearest=11, drawn=11).identities(centres, rng())
    around = {(chosen[0] + step) % 100 for step in range(-10, 11)}
    assert len(chosen) == 11
    assert set(chosen.tolist()) <= around
    gaps = np.sort(np.diff(np.append(chosen, chosen[0] + 100)))
    assert gaps.tolist() == [1] * 10 + [90]  # one arc


def test_every_seed_has_an_arc_of_its_own():
    arcs = [
        Sampling(seeds=2, nearest=5, drawn=10).identities(on_a_circle(1000), rng(seed)) for seed in range(5)
    ]
    for chosen in arcs:
        assert (np.diff(np.append(chosen, chosen[0] + 1000)) > 1).sum() in (1, 2)
        assert 5 <= len(chosen) <= 10


def test_published_counts_hold_from_1500_identities_on():
    centres = on_a_circle(3000)
    sizes = [len(Sampling().identities(centres, rng(seed))) for seed in range(20)]
    assert max(sizes) == 1300
    assert all(size <= 1300 for size in sizes)


def test_counts_become_shares_where_there_are_fewer():
    sizes = [len(Sampling().identities(on_a_circle(300), rng(seed))) for seed in range(20)]
    assert all(130 <= size <= 260 for size in sizes)  # 13 of 15, of arcs of 150 that may overlap
    assert len(set(sizes)) > 3


def test_the_seeds_stay_if_they_are_to():
    for seed in range(30):
        expected = rng(seed).choice(300, 2, replace=False)
        chosen = Sampling(nearest=20, drawn=3, keep_seed=True).identities(on_a_circle(300), rng(seed))
        assert np.isin(expected, chosen).all()
    left = [
        np.isin(
            rng(seed).choice(300, 2, replace=False),
            Sampling(nearest=20, drawn=3).identities(on_a_circle(300), rng(seed)),
        )
        for seed in range(30)
    ]
    assert not np.all(left)


def test_a_share_of_the_faces_stays_in_order_and_without_repeats():
    truth = np.repeat(np.arange(40), 10).astype(np.int32)
    whole = Sampling(seeds=1, nearest=10, drawn=10, share=1.0).faces(on_a_circle(40), truth, rng(3))
    part = Sampling(seeds=1, nearest=10, drawn=10, share=0.9).faces(on_a_circle(40), truth, rng(3))
    assert len(whole) == 100
    assert len(part) == 90
    assert set(part) < set(whole)
    assert (np.diff(part) > 0).all()


def test_faces_drawn_anywhere_are_as_many_but_of_all_identities():
    truth = np.repeat(np.arange(40), 10).astype(np.int32)
    anywhere = Sampling("faces", seeds=1, nearest=10, drawn=10).faces(on_a_circle(40), truth, rng(3))
    assert len(np.unique(anywhere)) == 90
    assert len(np.unique(truth[anywhere])) > 30


def test_the_same_seed_draws_the_same_faces_and_another_does_not():
    truth = np.repeat(np.arange(40), 10).astype(np.int32)
    first, again, other = (Sampling().faces(on_a_circle(40), truth, rng(seed)) for seed in (1, 1, 2))
    assert (first == again).all()
    assert len(first) != len(other) or (first != other).any()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_identities_of_one_face_still_give_two_faces(count):
    found = Sampling().faces(on_a_circle(count), np.arange(count, dtype=np.int32), rng())
    assert len(found) == min(2, count) or len(found) == count


@pytest.mark.parametrize(
    "wrong", [{"seeds": 0}, {"nearest": 0}, {"drawn": 0}, {"drawn": 1501}, {"share": 0}, {"share": 1.1}]
)
def test_counts_that_cannot_be_drawn_are_refused(wrong):
    with pytest.raises(InputError):
        Sampling(**wrong)
