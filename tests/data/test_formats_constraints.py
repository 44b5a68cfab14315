import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from personae import Constraints, InputError
from personae.data import Ids, read_constraints, write_constraints


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(faces=st.integers(2, 20), seed=st.integers(0, 99))
def test_what_is_written_is_read_again(tmp_path, faces, seed):
    rng = np.random.default_rng(seed)
    groups = np.split(rng.permutation(faces), np.sort(rng.integers(0, faces + 1, 3)))
    group = Constraints.of(faces, groups).group
    pairs = rng.integers(0, faces, (faces, 2))
    pairs = pairs[group[pairs[:, 0]] != group[pairs[:, 1]]]
    held = Constraints.of(faces, groups, pairs, np.where(rng.random(len(pairs)) < 0.5, 1, 0.9))
    write_constraints(held, tmp_path / "held.csv")
    again = read_constraints(tmp_path / "held.csv", faces)
    assert (again.group == held.group).all()
    assert (again.apart == held.apart).all()
    assert (again.weight == held.weight).all()


def test_together_apart_and_likely_apart(tmp_path):
    (tmp_path / "held.csv").write_text("face,other,apart\n0,2,0\n1,2,1\n3,1,0.5\n")
    held = read_constraints(tmp_path / "held.csv", 4)
    assert held.group.tolist() == [0, 1, 0, 2]
    assert held.hard.tolist() == [[1, 2]]
    assert held.soft()[0].tolist() == [[1, 3]]


def test_a_table_of_a_spreadsheet_that_writes_decimal_commas(tmp_path):
    (tmp_path / "held.csv").write_text("face;other;apart\r\n0;1;0,5\r\n", encoding="utf-8-sig")
    assert read_constraints(tmp_path / "held.csv", 2).weight.tolist() == [0.5]
    (tmp_path / "held.csv").write_text('face,other,apart\n0,1,"0,5"\n')
    assert read_constraints(tmp_path / "held.csv", 2).weight.tolist() == [0.5]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n0,1\n", "needs the columns face,other,apart"),
        ("face,other,apart\n0,x,1\n", "line 2 is no pair of rows with a number: '0,x,1'"),
        ("face,other,apart\n0,1\n", "line 2 has 2 columns"),
        ("face;other;apart\n0;1;0,5,5\n", "line 2 is no pair of rows with a number"),
        ("face,other,apart\n0,9,1\n", "constraints name faces from 0 to 9; 3 faces are 0 to 2"),
        ("face,other,apart\n0,1,2\n", "weight outside 0 to 1"),
        ("face,other,apart\n0,1,0\n1,0,1\n", "faces 1 and 0 are to be both together and apart"),
    ],
)
def test_a_table_that_says_nothing_clear_is_refused(tmp_path, text, says):
    (tmp_path / "held.csv").write_text(text)
    with pytest.raises(InputError, match=says) as refusal:
        read_constraints(tmp_path / "held.csv", 3)
    assert str(refusal.value).startswith(str(tmp_path / "held.csv"))


def test_other_suffixes_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"known are \.csv"):
        write_constraints(Constraints.of(2), tmp_path / "held.txt")
    with pytest.raises(InputError, match="no such file"):
        read_constraints(tmp_path / "held.csv", 2)


def test_faces_are_told_by_what_they_are_called(tmp_path):
    path = tmp_path / "held.csv"
    path.write_text("Face ID,other,apart\na,b c,0\n7,0,1\n")
    held = read_constraints(path, 4, Ids.of(["a", "7", "0", "b c"]))
    assert held.group.tolist() == [0, 1, 2, 0]
    assert held.hard.tolist() == [[1, 2]]
    path.write_text("id;other;apart\n30;10;0,5\n")
    assert read_constraints(path, 3, Ids.of([10, 20, 30], "face_id")).soft()[0].tolist() == [[0, 2]]
    path.write_text("id,other,apart\n")
    assert len(read_constraints(path, 1, Ids.of(["a"])).apart) == 0


def test_rows_of_faces_that_have_ids_are_taken_where_they_are_no_ids_of_others(tmp_path):
    path = tmp_path / "held.csv"
    path.write_text("face,other,apart\n0,3,1\n0,1,1\n")
    for ids in ([10, 20, 30, 40], range(4), ["a", "b", "c", "d"]):
        assert read_constraints(path, 4, Ids.of(ids)).hard.tolist() == [[0, 1], [0, 3]]
    for ids in ([0, 2, 1, 3], ["0", "b", "1", "d"]):
        with pytest.raises(InputError, match="line 3: 1 is a row, and the face_id of another face; call"):
            read_constraints(path, 4, Ids.of(ids))
    path.write_text("row,other,apart\n0,3,1\n0,1,1\n")
    assert read_constraints(path, 4, Ids.of([0, 2, 1, 3])).hard.tolist() == [[0, 1], [0, 3]]


@pytest.mark.parametrize(
    ("line", "ids", "says"),
    [
        ("a,x,1", Ids.of(["a", "b"]), "line 2: no face has the face_id 'x'"),
        ("a,,1", Ids.of(["a", "b"]), "line 2 is no pair of ids with a number: 'a,,1'"),
        ("0,1,1", None, "tells faces by face_id, but these have no ids"),
    ],
)
def test_ids_that_no_face_has_are_refused(tmp_path, line, ids, says):
    (tmp_path / "held.csv").write_text(f"face_id,other,apart\n{line}\n")
    with pytest.raises(InputError, match=says):
        read_constraints(tmp_path / "held.csv", 2, ids)
