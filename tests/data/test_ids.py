"""Faces keep what they are called, and the truth finds the labels of the same face."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personae.data import (
    FaceSet,
    Ids,
    faceset,
    formats_parquet,
    ids,
    read_faces,
    read_labels,
    read_truth_and_labels,
    write_faces,
    write_labels,
)
from personae.data.formats import read_labelled
from personae.data.names import Choice
from personae.errors import InputError, OutputError
from tests.data.small_faces import NAMES, refused, some_faces

WITH_IDS = (".npz", ".parquet", ".csv")
KINDS = {
    "integers": [901, -3, 2**62],
    "names": ["b7", 'a,"1"', "漢 字"],
    "zeros in front": ["007", "7", "07"],
    "of no text": ["a\udcff", "b\n", " c"],
    "beyond 64 bits": [str(2**70), str(2**70 + 1), "0"],
}


def three(called, name="face_id"):
    return FaceSet.of([[3, 4], [0, 2], [1, 0]], [1, 0, 1], ids=Ids.of(called, name))


@pytest.mark.parametrize("suffix", WITH_IDS)
@pytest.mark.parametrize("called", KINDS.values(), ids=KINDS)
def test_ids_come_back_as_they_were_under_the_same_name(tmp_path, suffix, called):
    for name in ("face_id", "id", "Face-ID"):
        write_faces(three(called, name), tmp_path / f"faces{suffix}")
        faces = read_faces(tmp_path / f"faces{suffix}")
        assert faces.features.shape == (3, 2)
        assert faces.ids.values.tolist() == called
        assert faces.ids.name == name
        write_labels([5, -1, 5], tmp_path / f"labels{suffix}", faces.ids)
        read = read_labelled(tmp_path / f"labels{suffix}", Choice(ids=True))
        assert read.labels.tolist() == [5, -1, 5]
        assert (read.ids.values.tolist(), read.ids.name) == (called, name)


@pytest.mark.parametrize("suffix", WITH_IDS)
def test_ids_in_many_blocks_and_on_disk_come_back_as_they_were(tmp_path, suffix, monkeypatch):
    for module in (ids, formats_parquet):
        monkeypatch.setattr(module, "BLOCK", 7)
    monkeypatch.setattr(formats_parquet, "MANY", 30)
    called = [f"face {'long ' * (i % 9)}{i}" for i in range(40)]
    faces = FaceSet.of(some_faces(40).features, ids=Ids.of(called))
    write_faces(faces, tmp_path / f"faces{suffix}")
    read = read_faces(tmp_path / f"faces{suffix}")
    assert read.ids.values.tolist() == called
    assert isinstance(read.ids.values, np.memmap) == (suffix == ".parquet")
    write_labels(np.arange(40), tmp_path / f"labels{suffix}", read.ids)
    assert read_labelled(tmp_path / f"labels{suffix}", Choice(ids=True)).ids.values.tolist() == called


def test_the_form_of_labels_with_ids(tmp_path):
    write_labels([5, 4], tmp_path / "labels.csv", Ids.of(["b", "a"], "id"))
    assert (tmp_path / "labels.csv").read_text() == 'id,cluster\n"b",5\n"a",4\n'
    write_labels([5, 4], tmp_path / "plain.csv")
    assert (tmp_path / "plain.csv").read_text() == "face,cluster\n0,5\n1,4\n"
    for suffix in (".npy", ".txt", ".meta"):  # the order alone
        write_labels([5, 4], tmp_path / f"labels{suffix}", Ids.of(["b", "a"]))
        assert read_labels(tmp_path / f"labels{suffix}").tolist() == [5, 4]


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ("face_id,id,f0", "face_id"),
        ("id,FACE ID,f0", "FACE ID"),
        ("id,image_id,f0", "id"),
        ("faceId,f0,id", "faceId"),
        ("image_id,index,f0", None),
    ],
)
def test_which_column_holds_the_ids(tmp_path, names, chosen):
    (tmp_path / "faces.csv").write_text(f"{names}\n1,2,3\n4,5,6\n")
    faces = read_faces(tmp_path / "faces.csv")
    assert faces.dimension == 1
    assert (faces.ids and faces.ids.name) == chosen


def test_ids_follow_their_faces():
    assert three([7, 8, 9]).take(np.array([2, 0])).ids.values.tolist() == [9, 7]
    assert three([7, 8, 9]).take(np.array([False, True, False])).ids.values.tolist() == [8]


def test_ids_of_archives_from_elsewhere(tmp_path):
    for called, read in (
        (np.array([3, 2**63], np.uint64), ["3", str(2**63)]),
        (np.array(["é", "b"], ">U3"), ["é", "b"]),
        (np.array([3.0, 4.0]), [3, 4]),
        (np.array([b"x", b"y"]), ["x", "y"]),
    ):
        np.savez(tmp_path / "faces.npz", X=np.eye(2), ids=called)
        assert read_faces(tmp_path / "faces.npz").ids.values.tolist() == read


@pytest.mark.parametrize(
    ("called", "said"),
    [
        ([7, 8, 7], r"face_id has 1 id more than once, such as 7 in rows 0, 2"),
        (["a", "b", "b"], r"face_id has 1 id more than once, such as 'b' in rows 1, 2"),
        (["a", "", "b"], "face_id, the ids of the faces: labels are empty in rows 1"),
        ([0.5, 1, 2], "face_id, the ids of the faces: labels are no whole numbers in rows 0"),
        ([7, 8], "3 faces but 2 ids in face_id"),
    ],
)
def test_bad_ids_are_refused_in_one_line(tmp_path, called, said):
    with pytest.raises(InputError, match=said):
        three(called)
    np.savez(tmp_path / "faces.npz", X=np.eye(3), face_id=np.array(called))
    refused(read_faces, tmp_path / "faces.npz", said)


def test_bad_ids_of_tables_are_refused_in_one_line(tmp_path):
    (tmp_path / "faces.csv").write_text("face_id,f0\na,1\n,2\n")
    refused(read_faces, tmp_path / "faces.csv", "column face_id, the ids of the faces: labels are empty")
    (tmp_path / "faces.csv").write_text("faceid,f0\na,1\na,2\n")
    refused(read_faces, tmp_path / "faces.csv", "faceid has 1 id more than once, such as 'a' in rows 0, 1")
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pa.table({"face_id": ["a", None], "f0": [1.0, 2.0]}), tmp_path / "faces.parquet")
    refused(read_faces, tmp_path / "faces.parquet", "row 1 of face_id is empty")
    with pytest.raises(InputError, match="2 labels but 3 ids"):
        write_labels([1, 2], tmp_path / "labels.csv", Ids.of([1, 2, 3]))
    with pytest.raises(InputError, match="not found again under 'photo'; call them one of face_id"):
        Ids.of([1, 2], "photo")


UNIQUE = st.lists(NAMES, min_size=1, max_size=9, unique=True) | st.lists(
    st.integers(0, 20), min_size=1, unique=True
)


@given(UNIQUE, UNIQUE, st.booleans())
def test_rows_are_found_by_id(own, others, colliding):
    with pytest.MonkeyPatch.context() as patch:
        if colliding:
            patch.setattr(ids, "ODD", np.uint64(0))  # one key for all names
        rows = Ids.of(own).rows_in(Ids.of(others))
    places = {str(called): row for row, called in enumerate(others)}
    assert rows.tolist() == [places.get(str(called), -1) for called in own]


@pytest.mark.parametrize("truth", WITH_IDS)
@pytest.mark.parametrize("labels", WITH_IDS)
@pytest.mark.parametrize("called", [[901, 902, 903], ["007", "7", "x"]], ids=["integers", "names"])
def test_truth_and_labels_in_any_order_are_joined_by_their_ids(tmp_path, truth, labels, called):
    write_faces(three(called, "id"), tmp_path / f"faces{truth}")
    write_labels([5, 6, 7], tmp_path / f"labels{labels}", Ids.of(called[::-1]))
    known, found = read_truth_and_labels(tmp_path / f"faces{truth}", tmp_path / f"labels{labels}")
    assert found.tolist() == [5, 6, 7]
    assert known.tolist() == [1, 0, 1][::-1]


def test_names_that_are_plain_integers_are_those_integers_and_007_is_none(tmp_path):
    write_labels([5, 6], tmp_path / "labels.npz", Ids.of(["8", "7"]))
    (tmp_path / "truth.csv").write_text("face_id,identity\n7,Ada\n8,Bo\n")
    assert read_truth_and_labels(tmp_path / "truth.csv", tmp_path / "labels.npz")[0].tolist() == ["Bo", "Ada"]
    (tmp_path / "truth.csv").write_text("face_id,identity\n007,Ada\n8,Bo\n")
    with pytest.raises(InputError, match=r"lacks 1 face, such as face_id '7', of the 2 in .*--ignore-unknown"):
        read_truth_and_labels(tmp_path / "truth.csv", tmp_path / "labels.npz")


def test_by_place_where_only_one_has_ids(tmp_path):
    write_labels([5, 6], tmp_path / "labels.csv", Ids.of(["b", "a"]))
    write_labels([0, 1], tmp_path / "truth.txt")
    known, found = read_truth_and_labels(tmp_path / "truth.txt", tmp_path / "labels.csv")
    assert (known.tolist(), found.tolist()) == ([0, 1], [5, 6])


def test_faces_of_one_file_alone_are_told(tmp_path):
    def told(truth, labels, **asked):
        write_labels([0] * len(truth), tmp_path / "truth.csv", Ids.of(truth))
        write_labels([0] * len(labels), tmp_path / "labels.csv", Ids.of(labels))
        with pytest.raises(InputError) as refusal:
            read_truth_and_labels(tmp_path / "truth.csv", tmp_path / "labels.csv", **asked)
        return str(refusal.value).replace(f"{tmp_path}/", "")

    assert "truth.csv lacks 2 faces, such as face_id 'b', of the 3 in labels.csv" in told(
        ["a"], ["a", "b", "c"]
    )
    lacks = "labels.csv lacks 1 face, such as face_id 3, of the 3 in truth.csv"
    assert lacks in told([1, 2, 3], [1, 2])
    assert lacks in told([1, 2, 3], [1, 2], ignore_unknown=True)
    assert "no face_id of labels.csv is among the ids in truth.csv, which begin with 4 and 'a'" in told(
        ["a"], [4]
    )
    (tmp_path / "labels.csv").write_text("face_id,cluster\n1,0\n1,0\n")
    with pytest.raises(
        InputError, match=r"labels\.csv: face_id has 1 id more than once, such as 1 in rows 0, 1"
    ):
        read_truth_and_labels(tmp_path / "truth.csv", tmp_path / "labels.csv")


GAPS = {
    "truth.csv": ("identity,x\nAda,1\n,2\nBo,3\n", ["Ada", "-1", "Bo"]),
    "numbers.csv": ("identity,x\n3.0,1\n,2\n5.0,3\n", [3, -1, 5]),
    "nan.csv": ("identity,x\n3,1\nnan,2\n5,3\n", [3, -1, 5]),
    "truth.txt": ("Ada\n\nBo\n", ["Ada", "-1", "Bo"]),
    "truth.meta": ("3\n\n5\n", [3, -1, 5]),
    "truth.npy": (np.array([3, np.nan, 5]), [3, -1, 5]),
    "names.npy": (np.array(["Ada", "", "Bo"]), ["Ada", "-1", "Bo"]),
    "truth.npz": (np.array([b"Ada", b"", b"Bo"]), ["Ada", "-1", "Bo"]),
    "truth.parquet": ([3, None, 5], [3, -1, 5]),
    "names.parquet": (["Ada", None, "Bo"], ["Ada", "-1", "Bo"]),
}


@pytest.mark.parametrize("name", GAPS)
def test_a_truth_with_gaps_is_refused_unless_they_are_ignored(tmp_path, name):
    held, read = GAPS[name]
    path = tmp_path / name
    if name.endswith(".npy"):
        np.save(path, held)
    elif name.endswith(".npz"):
        np.savez(path, y=held)
    elif name.endswith(".parquet"):
        pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        parquet.write_table(pa.table({"identity": held}), path)
    else:
        path.write_text(held)
    write_labels([0, 0, 1], tmp_path / "found.npy")
    refused(read_labels, path, "missing|empty|no whole numbers|nan in rows 1")
    with pytest.raises(InputError, match=r"knows no identity of 1 face \(1\); tell who .* --ignore-unknown"):
        read_truth_and_labels(path, tmp_path / "found.npy")
    known, _ = read_truth_and_labels(path, tmp_path / "found.npy", ignore_unknown=True)
    assert known.tolist() == read


def test_labels_of_faces_without_an_identity_are_left_without(tmp_path):
    (tmp_path / "truth.csv").write_text("id,identity\n3,Ada\n1,\n")
    (tmp_path / "labels.csv").write_text("id,cluster\n1,5\n2,6\n3,7\n")
    known, found = read_truth_and_labels(tmp_path / "truth.csv", tmp_path / "labels.csv", ignore_unknown=True)
    assert known.tolist() == ["-1", "-1", "Ada"]
    assert found.tolist() == [5, 6, 7]


def test_a_table_of_both_is_read_for_what_is_asked(tmp_path):
    (tmp_path / "both.csv").write_text("id,identity,cluster\n3,Ada,5\n1,Bo,6\n")
    known, found = read_truth_and_labels(tmp_path / "both.csv", tmp_path / "both.csv")
    assert known.tolist() == ["Ada", "Bo"]
    assert found.tolist() == [5, 6]


@pytest.mark.parametrize("suffix", [".npz", ".parquet", ".csv", ".npy", ".bin"])
def test_the_truth_of_every_file_of_faces_is_read(tmp_path, suffix):
    faces = some_faces(12)
    write_faces(faces, tmp_path / f"faces{suffix}")
    assert read_labels(tmp_path / f"faces{suffix}").tolist() == faces.truth.tolist()


def test_features_alone_hold_no_truth(tmp_path):
    np.ones((2, 2), np.float32).tofile(tmp_path / "faces.bin")
    refused(read_labels, tmp_path / "faces.bin", r"holds features alone and no faces\.meta is beside it")
    (tmp_path / "faces.meta").write_text("1\nx\n")
    refused(read_labels, tmp_path / "faces.bin", r"faces\.meta beside it: line 2: 'x' is no integer")


@pytest.mark.parametrize("suffix", [".npy", ".bin"])
def test_ids_of_features_alone_are_beside_them(tmp_path, suffix):
    path, called = tmp_path / f"faces{suffix}", tmp_path / "faces.face_id"
    write_faces(FaceSet.of(np.eye(3), ids=Ids.of(["b7", " a 1", "007"])), path)
    assert called.read_text() == "b7\n a 1\n007\n"
    write_labels([2, 1, 0], tmp_path / "truth.csv", Ids.of(["007", " a 1", "b7"]))
    again = read_faces(path, labels=tmp_path / "truth.csv", dimension=3)
    assert (again.ids.name, again.ids.values.tolist()) == ("face_id", ["b7", " a 1", "007"])
    assert again.truth.tolist() == [0, 1, 2]
    with pytest.raises(OutputError, match=r"faces\.face_id holds ids that .*move it away"):
        write_faces(FaceSet.of(np.eye(3)), path)
    called.write_text("5\n3\n")
    refused(read_faces, path, "3 faces but 2 ids in face_id", dimension=3)
    called.write_text("5\n3\n5\n")
    with pytest.raises(InputError, match="more than once, such as 5 in rows 0, 2"):
        read_faces(path, dimension=3)


def test_given_labels_find_their_faces_by_id(tmp_path):
    write_faces(three([7, 8, 9]), tmp_path / "faces.npz")
    (tmp_path / "labels.csv").write_text("face_id,person\n9,c\n7,a\n8,b\n")
    assert read_faces(tmp_path / "faces.npz", labels=tmp_path / "labels.csv").truth.tolist() == [0, 1, 2]
    (tmp_path / "labels.csv").write_text("face_id,person\n9,c\n7,a\n6,b\n")
    with pytest.raises(
        InputError, match=r"labels\.csv lacks 1 face, such as face_id 8, of the 3 in faces\.npz"
    ):
        read_faces(tmp_path / "faces.npz", labels=tmp_path / "labels.csv")


def test_large_ids_are_mapped(tmp_path, monkeypatch):
    write_faces(three(["b", "a", "c"]), tmp_path / "faces.npz")
    monkeypatch.setattr(faceset, "MAPPED_FROM", 1)
    faces = read_faces(tmp_path / "faces.npz")
    assert isinstance(faces.ids.values, np.memmap)
    write_labels([1, 2, 3], tmp_path / "labels.csv", faces.ids)
    assert (tmp_path / "labels.csv").read_text() == 'face_id,cluster\n"b",1\n"a",2\n"c",3\n'


LOOSE = {
    "twice.csv": ("id,f0,label\n7,1,4\n8,2,5\n7,3,4\n", "id has 1 id more than once, such as 7 in rows 0, 2"),
    "gap.csv": (
        "id,f0,label\na,1,4\n,2,5\nc,3,4\n",
        "column id, the ids of the faces: labels are empty in rows 1",
    ),
    "ids.npz": ([7, 8, 7], "ids has 1 id more than once"),
    "short.npz": ([7, 8], "3 faces but 2 ids in ids"),
    "square.npz": ([[7, 8], [8, 9], [9, 7]], "ids, the ids of the faces: labels have shape"),
    "one.npz": (7, "array ids is a single number"),
    "gap.parquet": (["a", None, "c"], "row 1 of ID is empty"),
}


@pytest.mark.parametrize("name", LOOSE)
def test_what_is_merely_called_id_is_set_aside_where_it_is_not_one_a_face(tmp_path, name):
    held, why = LOOSE[name]
    path = tmp_path / name
    if name.endswith(".npz"):
        np.savez(path, X=np.eye(3), y=[4, 5, 4], ids=held)
    elif name.endswith(".parquet"):
        pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        parquet.write_table(pa.table({"ID": held, "f0": [1.0, 2.0, 3.0], "label": [4, 5, 4]}), path)
    else:
        path.write_text(held)
    faces = read_faces(path)
    assert faces.ids is None
    assert faces.dimension == (3 if name.endswith(".npz") else 1)
    write_labels([5, 6, 7], tmp_path / "labels.csv", Ids.of(["c", "b", "a"]))
    said = []
    known, found = read_truth_and_labels(path, tmp_path / "labels.csv", by_order=said.append)
    assert (known.tolist(), found.tolist()) == ([4, 5, 4], [5, 6, 7])
    assert len(said) == 1
    assert said[0].startswith(f"faces are matched by their order: {path}: {why}")
    write_faces(three(["a", "b", "c"]), tmp_path / "named.csv")
    with pytest.raises(InputError, match=f"the ids in .*{name} find no faces: {why}"):
        read_faces(tmp_path / "named.csv", labels=path)
