import numpy as np
import pytest

from personae.graph import farthest_first as module
from personae.graph.farthest_first import canonical_rows, farthest_first


def by_definition(features, count):
    taken = [int(np.argmax(features @ features.mean(axis=0)))]
    while len(taken) < count:
        taken.append(int(np.argmin((features @ features[taken].T).max(axis=1))))
    return taken


@pytest.mark.parametrize("candidates", [4096, 50, 3])
def test_faces_are_taken_as_by_the_plain_rule(planted, candidates, monkeypatch):
    monkeypatch.setattr(module, "CANDIDATES", candidates)
    taken, nearest = farthest_first(planted.features, 120)
    assert taken.tolist() == by_definition(planted.features, 120)
    cosines = planted.features @ planted.features[taken].T
    assert (nearest.point == cosines.argmax(axis=1)).all()
    np.testing.assert_allclose(nearest.similarity, cosines.max(axis=1), atol=1e-6)


def test_lone_faces_and_people_get_one_each(planted):
    taken, _ = farthest_first(planted.features, planted.truth.max() + 1)
    assert len(set(planted.truth[taken])) > 0.9 * len(taken)


def test_a_face_is_not_taken_twice_under_another_number():
    faces = np.repeat(np.eye(3, dtype=np.float32), 5, axis=0)
    assert sorted(farthest_first(faces, 9)[0] // 5) == [0, 1, 2]


def test_canonical_rows_are_in_lexical_order_and_do_not_depend_on_where_they_stand():
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 2, (200, 12)).astype(np.float32)  # many equal in the first columns
    order = canonical_rows(rows)
    assert [tuple(row) for row in rows[order]] == sorted(tuple(row) for row in rows)
    moved = rng.permutation(200)
    assert (rows[moved][canonical_rows(rows[moved])] == rows[order]).all()
