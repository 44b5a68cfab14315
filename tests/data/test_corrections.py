"""Corrections: a face is known again, and the last word on it holds."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personae import Constraints, InputError
from personae.data import Sources
from personae.data.corrections import COLUMNS, Correction, corrected, read_corrections, write_corrections

FILES = ("a.jpg", "b.jpg", "film.mp4")
FILE = [0, 0, 0, 1, 2, 2]
CONTENTS = ["aa", "aa", "aa", "bb", "c0", "c1"]


@pytest.fixture
def sources():
    """Three faces in one photo, one in another, two tracks at one place in a video."""
    box = [[0, 0, 10, 10], [20, 0, 10, 10], [40, 0, 10, 10], [0, 0, 10, 10], [5, 5, 10, 10], [5, 5, 10, 10]]
    span = np.full((6, 2), np.nan)
    span[4:] = [[1, 5], [40, 50]]
    return Sources(FILES, np.array(FILE, np.int32), np.float32(box), np.ones(6, np.float32), span)


def said(face, person="", other="", *, content=None, photo=None):
    """A line on one of the six faces."""
    box = (
        20.0 * face if FILE[face] == 0 else 5.0 if FILE[face] == 2 else 0.0,
        5.0 * (FILE[face] == 2),
        10.0,
        10.0,
    )
    begin = {4: 1.0, 5: 40.0}.get(face)
    content = CONTENTS[face] if content is None else content
    return Correction(photo or FILES[FILE[face]], box, begin, person, other, content)


def table(tmp_path, *lines):
    (tmp_path / "corrections.csv").write_text("\n".join([",".join(COLUMNS), *lines]), encoding="utf-8")
    return tmp_path / "corrections.csv"


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["Ada", "Bo", "Cy"]), st.booleans()), max_size=12))
def test_the_last_word_on_a_face_holds(words):
    span = np.full((6, 2), np.nan)
    box = [said(face).box for face in range(6)]
    sources = Sources(
        tuple(f"{face}.jpg" for face in range(6)), np.arange(6, dtype=np.int32), np.float32(box),
        np.ones(6, np.float32), span,
    )  # fmt: skip
    lines = [
        Correction(f"{face}.jpg", None, None, "" if refused else name, name if refused else "", "")
        for face, name, refused in words
    ]
    found = corrected(lines, sources, [f"of {face}" for face in range(6)])
    last = {(face, name): refused for face, name, refused in words}
    given_to = {}
    for face, name, refused in words:
        if not refused:
            given_to[face] = name
        elif given_to.get(face) == name:
            del given_to[face]
    assert found.people == given_to
    group, hard = found.constraints.group, {tuple(pair) for pair in found.constraints.hard.tolist()}
    for a in range(6):
        for b in range(a + 1, 6):
            one = a in given_to and given_to.get(b) == given_to[a]
            assert (group[a] == group[b]) == one
    apart = {frozenset(group[list(pair)].tolist()) for pair in hard}
    named = {name: group[face] for face, name in given_to.items()}
    expected = {frozenset((named[a], named[b])) for a in named for b in named if a < b}
    refusals = [pair for pair, refused in last.items() if refused and pair[1] in named]
    expected |= {frozenset((group[face], named[name])) for face, name in refusals}
    assert apart == expected
    assert not found.astray
    kept = corrected(found.lines, sources, [f"of {face}" for face in range(6)])
    assert kept.people == given_to
    assert (kept.constraints.group == group).all()
    assert kept.constraints.hard.tolist() == found.constraints.hard.tolist()


def test_what_is_said_of_a_face_twice_is_kept_once(sources):
    words = [(0, "Ada", ""), (1, "Ada", ""), (0, "ADA", ""), (0, "", "Cy"), (0, "", "Cy"), (0, "Bo", "")]
    lines = [said(*word) for word in words]
    for content in ("", "aa"):
        told = [replace(lines[0], content=content), *lines[1:]]
        assert corrected(told, sources, CONTENTS).lines == tuple(lines[1:])


def test_a_photo_is_known_by_its_content_or_else_by_its_path(sources):
    for line in (said(1, "Ada", photo="elsewhere.jpg"), said(1, "Ada", content="changed")):
        assert corrected([line], sources, CONTENTS).people == {1: "Ada"}
    gone = said(1, "Ada", content="changed", photo="elsewhere.jpg")
    found = corrected([gone], sources, CONTENTS)
    assert not found.people
    assert found.astray == (gone,)


def test_a_photo_that_was_found_is_known_by_what_it_holds_now(sources, tmp_path):
    lines = [
        said(1, "Ada", content=""),
        said(3, other="Bo", content="changed"),
        said(0, "C", content="", photo="x"),
    ]
    kept = corrected(lines, sources, CONTENTS).lines
    assert [line.content for line in kept] == ["aa", "bb", ""]
    write_corrections(kept, tmp_path / "kept.csv")
    assert [line.cells() for line in read_corrections(tmp_path / "kept.csv")] == [line.cells() for line in kept]


def test_a_copy_of_a_photo_is_corrected_with_it(sources):
    twins = corrected([said(0, "Ada")], sources, ["aa", "aa", "aa", "aa", "c0", "c1"])
    assert twins.people == {0: "Ada", 3: "Ada"}


def test_tracks_at_one_place_are_told_apart_by_time_and_faces_by_place(sources):
    assert corrected([said(5, "Ada", content="")], sources, CONTENTS).people == {5: "Ada"}
    assert corrected([said(2, "Ada")], sources, CONTENTS).people == {2: "Ada"}
    nowhere = Correction("a.jpg", (30.0, 30.0, 10.0, 10.0), None, "Ada", "", "")
    assert corrected([nowhere], sources, CONTENTS).astray
    unclear = Correction("a.jpg", None, None, "Ada", "", "")
    assert corrected([unclear], sources, CONTENTS).astray
    only = Correction("b.jpg", None, None, "Ada", "", "")
    assert corrected([only], sources, CONTENTS).people == {3: "Ada"}


def test_names_are_the_same_whatever_their_capitals(sources):
    found = corrected([said(0, "ada"), said(3, "Ada"), said(2, other="ADA")], sources, CONTENTS)
    assert found.people == {0: "Ada", 3: "Ada"}
    assert found.constraints.group[0] == found.constraints.group[3]


def test_what_somebody_said_goes_over_what_photos_and_tracks_tell(sources):
    known = Constraints.of(6, apart=[[0, 1], [1, 2]])
    held = corrected([said(0, "Ada"), said(1, "Ada")], sources, CONTENTS).over(known)
    assert held.group[0] == held.group[1]
    assert held.hard.tolist() == [[1, 2]]


def test_lines_are_read_as_written_and_lines_of_faces_will_do(tmp_path):
    lines = [said(4, "Ada Lovelace", "Bo"), said(0, 'C "y", <b>é')]
    path = tmp_path / "corrections.csv"
    quoted = [[f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in line.cells()] for line in lines]
    path.write_text("\n".join([",".join(COLUMNS), *map(",".join, quoted)]), encoding="utf-8-sig")
    assert [line.cells() for line in read_corrections(path)] == [line.cells() for line in lines]
    path.write_text("photo;person;quality\n./=a.jpg; Ada  L ;0.5\nb.jpg;;0.5\n")
    (only,) = read_corrections(path)
    assert (only.photo, only.person, only.box) == ("=a.jpg", "Ada L", None)


def test_a_table_of_a_spreadsheet_that_writes_decimal_commas(tmp_path):
    path = tmp_path / "corrections.csv"
    path.write_text(
        "photo;left;top;width;height;from;person\na.mp4;85,7;1;2,50;3;0,25;Ada\n", encoding="utf-8-sig"
    )
    (only,) = read_corrections(path)
    assert (only.box, only.begin) == ((85.7, 1, 2.5, 3), 0.25)
    path.write_text("photo;left;person\na.jpg;1,234,5;Ada\n")
    with pytest.raises(InputError, match="line 2, column left: '1,234,5' is no number"):
        read_corrections(path)


def test_a_name_is_one_name_however_its_letters_are_written(tmp_path):
    lines = ["a.jpg,,,,,,Zo\u00eb,,", "b.jpg,,,,,,Zoe\u0308,,", "c.jpg,,,,,,,Zoe\u0308,"]
    found = read_corrections(table(tmp_path, *lines))
    assert [line.person or line.other for line in found] == ["Zo\u00eb"] * 3


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (",1,2,3,4,,Ada,,", "line 2 names no photo"),
        ("a.jpg,1,x,3,4,,Ada,,", "line 2, column top: 'x' is no number"),
        ("a.jpg,1,nan,3,4,,Ada,,", "column top: 'nan' is no number"),
        ("a.jpg,,,,,,=Ada,,", "begins like a formula"),
        ("a.jpg,,", "line 2 has 3 columns"),
    ],
)
def test_a_line_that_says_nothing_clear_is_refused(tmp_path, line, says):
    with pytest.raises(InputError, match=says):
        read_corrections(table(tmp_path, line))


def test_other_tables_and_other_letters_are_refused(tmp_path):
    path = tmp_path / "corrections.csv"
    path.write_text("face,other,apart\n0,1,0\n")
    with pytest.raises(InputError, match="needs the columns photo and person"):
        read_corrections(path)
    path.write_bytes(b"photo,person\na.jpg,Andr\xe9\n")
    with pytest.raises(InputError, match="line 2 is not in UTF-8"):
        read_corrections(path)
