import numpy as np
import pytest

from personae import InputError
from personae.train.split import held_out

TRUTH = np.repeat(np.arange(40), 5).astype(np.int32)


def test_whole_identities_are_held_out_in_the_share_asked_for():
    held = held_out(TRUTH, 0.25, 0)
    sides = held.reshape(40, 5)
    assert (sides.all(axis=1) == sides.any(axis=1)).all()
    assert sides.all(axis=1).sum() == 10


def test_another_seed_draws_other_identities_and_the_same_seed_the_same():
    assert (held_out(TRUTH, 0.25, 0) == held_out(TRUTH, 0.25, 0)).all()
    assert (held_out(TRUTH, 0.25, 0) != held_out(TRUTH, 0.25, 1)).any()


@pytest.mark.parametrize("seed", range(10))
def test_both_sides_have_an_identity_with_two_faces(seed):
    truth = np.array([0, 0, 1, 1, *range(2, 30)], np.int32)
    held = held_out(truth, 0.1, seed)
    for side in (held, ~held):
        assert (np.bincount(truth[side]) > 1).any()


def test_one_identity_or_none_with_two_faces_is_refused():
    with pytest.raises(InputError, match="one identity only"):
        held_out(np.zeros(5, np.int32), 0.1, 0)
    with pytest.raises(InputError, match="0 of 5 identities have two faces"):
        held_out(np.arange(5, dtype=np.int32), 0.1, 0)
