import numpy as np
import pytest

from personae.graph.exact import before, place_of, value_of
from personae.graph.sorting import sort_both


@pytest.mark.parametrize("count", [0, 1, 2, 3, 13, 40, 41, 1000])
def test_keys_rise_and_values_stay_with_them(count):
    rng = np.random.default_rng(count)
    asked = rng.integers(-count, count + 1, count)  # some are there twice
    keys, values = asked.copy(), np.arange(count, dtype=np.float32)
    sort_both(keys, values)
    assert (keys == np.sort(asked)).all()
    assert (asked[values.astype(int)] == keys).all()
    assert (np.sort(values) == np.arange(count)).all()


def test_numbers_of_values_and_places_stand_in_their_order_and_tell_them():
    values = np.float32([1, 0.5, 1e-30, 0, -0.25, -1]).repeat(3)
    places = np.tile([0, 7, 2**31 - 1], 6)
    keys = [before(value, place) for value, place in zip(values, places, strict=True)]
    assert keys == sorted(set(keys))
    assert [value_of(key) for key in keys] == values.tolist()
    assert [place_of(key) for key in keys] == places.tolist()
