from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personae import Constraints, InputError
from personae.data import Sources


def sources_of(files, span=None):
    n = len(files)
    return Sources(
        tuple(f"{f}.jpg" for f in range(max(files) + 1)),
        np.array(files, np.int32),
        np.zeros((n, 4), np.float32),
        np.ones(n, np.float32),
        span,
    )


def test_groups_that_share_a_face_are_one_and_pairs_come_once():
    held = Constraints.of(6, [[0, 1], [4, 1], [5]], [[2, 3], [3, 2], [2, 0]], [0.5, 0.9, 1.0])
    assert held.group[0] == held.group[1] == held.group[4]
    assert len(set(held.group.tolist())) == 4
    assert held.apart.tolist() == [[0, 2], [2, 3]]
    assert held.weight.tolist() == pytest.approx([1.0, 0.9])
    assert held.hard.tolist() == [[0, 2]]
    assert held.soft()[0].tolist() == [[2, 3]]


def test_nothing_known_is_no_constraint():
    held = Constraints.of(3)
    assert len(held) == 3
    assert held.apart.shape == (0, 2)
    assert held.group.tolist() == [0, 1, 2]


def test_a_group_is_believed_before_a_soft_pair_and_contradicts_a_hard_one():
    assert len(Constraints.of(3, [[0, 1]], [[0, 1]], 0.5).apart) == 0
    with pytest.raises(InputError, match="faces 0 and 1 are to be both together and apart"):
        Constraints.of(3, [[0, 1]], [[0, 1]])


@pytest.mark.parametrize(
    ("given_", "says"),
    [
        ({"apart": [[0, 3]]}, "name faces from 0 to 3; 3 faces are 0 to 2"),
        ({"together": [[-1, 0]]}, "name faces from -1"),
        ({"apart": [[0, 1]], "weight": 0.0}, "weight outside 0 to 1"),
        ({"apart": [[0, 1]], "weight": np.nan}, "weight outside 0 to 1"),
    ],
)
def test_what_cannot_be_is_refused(given_, says):
    with pytest.raises(InputError, match=says):
        Constraints.of(3, **given_)


GROUPS, PAIRS = (
    f"{what} of rows, such as" for what in ("together is a list of groups", "apart is a list of pairs")
)


@pytest.mark.parametrize(
    ("given_", "says"),
    [
        ({"together": [0, 1]}, GROUPS),
        ({"together": np.array([0, 1])}, GROUPS),
        ({"together": 1}, GROUPS),
        ({"together": [[0, 1.7]]}, GROUPS),
        ({"together": [[0.0, 1.0]]}, GROUPS),
        ({"together": [[True, False, True]]}, GROUPS),
        ({"together": ["01"]}, GROUPS),
        ({"together": [[[0], [1, 2]]]}, GROUPS),
        ({"apart": [[0, 1.7]]}, PAIRS),
        ({"apart": [0, 1]}, PAIRS),
        ({"apart": [[0, 1, 2], [2, 1, 0]]}, PAIRS),
        ({"apart": [[0, 1], [2]]}, PAIRS),
        ({"apart": 1}, PAIRS),
    ],
)
def test_what_are_no_groups_or_pairs_of_rows_is_refused(given_, says):
    with pytest.raises(InputError, match=says):
        Constraints.of(3, **given_)


def test_groups_and_pairs_may_be_whatever_can_be_read_once():
    held = Constraints.of(6, (iter(group) for group in [[0, 1], [], {2}]), zip([2, 4], [3, 5], strict=True))
    assert held.group.tolist() == [0, 0, 1, 2, 3, 4]
    assert held.apart.tolist() == [[2, 3], [4, 5]]
    assert len(Constraints.of(3, np.empty((0, 2)), np.empty((0, 2))).apart) == 0


@given(files=st.lists(st.integers(0, 5), min_size=1, max_size=25))
def test_faces_of_one_photo_are_apart(files):
    held = Constraints.of_photos(sources_of(files))
    pairs = [(a, b) for a, b in combinations(range(len(files)), 2) if files[a] == files[b]]
    assert [tuple(pair) for pair in held.apart.tolist()] == pairs
    assert (held.weight < 1).all()


def test_tracks_of_a_video_are_no_faces_of_one_photo():
    span = np.array([[np.nan, np.nan], [np.nan, np.nan], [0, 1], [5, 6]])
    assert Constraints.of_photos(sources_of([0, 0, 1, 1], span)).apart.tolist() == [[0, 1]]


def test_tracks_hold_their_faces_together_and_those_they_meet_apart():
    track, moment = np.array([0, 1, 0, 1, 2, 2]), np.array([0, 0, 1, 1, 2, 3])
    of_faces = Constraints.of_moments(track, moment)
    assert of_faces.group.tolist() == [0, 1, 0, 1, 2, 2]
    assert of_faces.hard.tolist() == [[0, 1], [2, 3]]
    assert Constraints.of_moments(track, moment, 3).hard.tolist() == [[0, 1]]


def test_some_faces_alone_keep_what_is_known_of_them():
    known = Constraints.of(6, together=[[0, 4, 5]], apart=[[1, 4], [2, 3]], weight=[1, 0.5])
    found = known.take(np.array([4, 1, 0, 2]))
    expected = Constraints.of(4, together=[[0, 2]], apart=[[0, 1]])
    assert (found.group == expected.group).all()
    assert (found.apart == expected.apart).all()
    assert (found.weight == expected.weight).all()


@given(st.data())
def test_pairs_of_faces_left_out_speak_for_those_who_are_one_with_them(data):
    group = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=8))
    rows = data.draw(st.lists(st.integers(0, len(group) - 1), unique=True))
    people = sorted({*group})
    weights = {
        pair: data.draw(st.sampled_from([0.25, 0.5, 1.0]))
        for pair in combinations(people, 2)
        if data.draw(st.booleans())
    }
    faces = [[face for face, one in enumerate(group) if one == person] for person in people]
    apart = [[data.draw(st.sampled_from(faces[people.index(one)])) for one in pair] for pair in weights]
    found = Constraints.of(len(group), faces, apart, [*weights.values()]).take(np.array(rows, np.intp))
    who = [group[row] for row in rows]
    assert (found.group[:, None] == found.group).tolist() == [[a == b for b in who] for a in who]
    told = [tuple(sorted((who[a], who[b]))) for a, b in found.apart.tolist()]
    assert dict(zip(told, found.weight.tolist(), strict=True)) == {
        pair: weight for pair, weight in weights.items() if {*pair} <= {*who}
    }


def test_joined_constraints_say_what_either_says():
    one, other = Constraints.of(5, [[0, 1]], [[2, 3]], 0.5), Constraints.of(5, [[1, 4]], [[2, 3], [0, 2]])
    both = one | other
    assert both.group[0] == both.group[1] == both.group[4]
    assert both.hard.tolist() == [[0, 2], [2, 3]]
    with pytest.raises(InputError, match="together and apart"):
        Constraints.of(2, [[0, 1]]) | Constraints.of(2, apart=[[0, 1]])
    with pytest.raises(InputError, match="of 2 and of 3 faces"):
        Constraints.of(2) | Constraints.of(3)
