import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from personae.graph.merged_lists import merge

ENTRY = st.tuples(st.integers(0, 12), st.integers(0, 5))


def rows(entries, k):
    """One list, best first; the cosine of a face is the same wherever it is named."""
    best = sorted({(-(face * 7 % 5) / 5, face) for face, _ in entries})[:k]
    room = k - len(best)
    neighbors = np.array([[face for _, face in best] + [-1] * room], np.int32)
    return neighbors, np.array([[-cosine for cosine, _ in best] + [0] * room], np.float32)


@given(one=st.lists(ENTRY, max_size=9), other=st.lists(ENTRY, max_size=9), k=st.integers(1, 8))
def test_two_lists_become_the_best_of_both_and_nobody_is_there_twice(one, other, k):
    lists, more = rows(one, k), rows(other, k)
    merge(lists, more)
    expected = rows([(face, 0) for face in {*rows(one, k)[0][0], *more[0][0]} - {-1}], k)
    assert lists[0].tolist() == expected[0].tolist()
    np.testing.assert_allclose(lists[1], expected[1])
