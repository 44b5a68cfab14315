import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personae.evaluation import bcubed, pairwise
from personae.evaluation.within import scores_within

SMALL = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=20)


def renumbered(pairs):
    columns = zip(*pairs, strict=True)
    return [np.unique(column, return_inverse=True)[1].astype(np.int32) for column in columns]


@given(SMALL)
def test_of_all_faces_they_are_the_usual_scores(pairs):
    truth, labels = renumbered(pairs)
    pair, face = scores_within(truth, labels, np.ones(len(truth), bool))
    for found, usual in ((pair, pairwise(truth, labels)), (face, bcubed(truth, labels))):
        assert (found.precision, found.recall) == pytest.approx((usual.precision, usual.recall))


@given(SMALL, st.integers(0, 2**20))
def test_they_count_the_pairs_that_start_at_a_chosen_face(pairs, bits):
    truth, labels = renumbered(pairs)
    n = len(truth)
    chosen = np.array([bits >> face & 1 == 1 for face in range(n)])
    chosen[0] = True
    rows = np.flatnonzero(chosen)
    ordered = [(a, b) for a in rows for b in range(n) if a != b]
    found = sum(labels[a] == labels[b] for a, b in ordered)
    true = sum(truth[a] == truth[b] for a, b in ordered)
    both = sum(labels[a] == labels[b] and truth[a] == truth[b] for a, b in ordered)
    pair, _ = scores_within(truth, labels, chosen)
    assert pair.precision == pytest.approx(both / found if found else 1)
    assert pair.recall == pytest.approx(both / true if true else 1)
