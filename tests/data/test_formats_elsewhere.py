"""Files that other programs wrote: other keys, other columns, no line of names."""

from pathlib import Path

import numpy as np
import pytest

from personae.data import read_faces, read_labels, write_faces, write_labels
from tests.data.small_faces import files_of, some_faces

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

FACES = np.array([[3, 4], [0, 2], [1, 0]], np.float32)
UNIT = np.array([[0.6, 0.8], [0, 1], [1, 0]], np.float32)


def assert_faces(path: Path, truth: list[int] | None = None, **asked: object) -> None:
    faces = read_faces(path, **asked)
    np.testing.assert_allclose(faces.features, UNIT, rtol=1e-6)
    assert (None if faces.truth is None else faces.truth.tolist()) == truth


@pytest.mark.parametrize(
    ("features", "labels"),
    [("X", "y"), ("features", "labels"), ("embeddings", "labels"), ("feats", "truth"), ("arr_0", "arr_1")],
)
def test_archives_by_their_keys(tmp_path, features, labels):
    np.savez(tmp_path / "faces.npz", **{features: FACES, labels: np.array([7, 5, 7]), "other": np.ones(1)})
    assert_faces(tmp_path / "faces.npz", [1, 0, 1])
    assert read_labels(tmp_path / "faces.npz").tolist() == [7, 5, 7]


def test_an_archive_of_features_alone(tmp_path):
    np.savez_compressed(tmp_path / "faces.npz", FACES)
    assert_faces(tmp_path / "faces.npz", None)


def test_names_in_an_archive(tmp_path):
    for names in (np.array(["Bo", "Ada", "Bo"]), np.array([b"Bo", b"Ada", b"Bo"])):
        np.savez(tmp_path / "faces.npz", X=FACES, y=names)
        assert_faces(tmp_path / "faces.npz", [1, 0, 1])
        assert read_labels(tmp_path / "faces.npz").tolist() == ["Bo", "Ada", "Bo"]


@pytest.mark.parametrize("dtype", ["float64", ">f4", "int32"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_any_number_and_order(tmp_path, dtype, order):
    np.save(tmp_path / "faces.npy", np.asarray(FACES, dtype, order=order))
    np.savez(tmp_path / "faces.npz", X=np.asarray(FACES, dtype, order=order))
    assert_faces(tmp_path / "faces.npy")
    assert_faces(tmp_path / "faces.npz")


def test_a_meta_beside_gives_dimension_and_truth(tmp_path):
    FACES.tofile(tmp_path / "faces.bin")
    (tmp_path / "faces.meta").write_text("12345678901\n-3\n12345678901\n")
    assert_faces(tmp_path / "faces.bin", [1, 0, 1])


def test_a_meta_with_the_line_ends_of_windows(tmp_path):
    FACES.tofile(tmp_path / "faces.bin")
    (tmp_path / "faces.meta").write_bytes(b"4\r\n3\r\n4\r\n")
    assert_faces(tmp_path / "faces.bin", [1, 0, 1])


def test_a_bin_with_its_dimension(tmp_path):
    FACES.tofile(tmp_path / "faces.bin")
    assert_faces(tmp_path / "faces.bin", None, dimension=2)


@pytest.mark.parametrize("name", ["names.txt", "names.npy", "names.csv", "names.npz", "names.parquet"])
def test_labels_that_are_given_go_before_those_in_the_file(tmp_path, name):
    np.savez(tmp_path / "faces.npz", X=FACES, y=np.array([0, 0, 0]))
    write_labels(["Bo", "Ada", "Bo"], tmp_path / name)
    assert_faces(tmp_path / "faces.npz", [1, 0, 1], labels=tmp_path / name)


def test_labels_that_are_given_go_before_those_beside(tmp_path):
    FACES.tofile(tmp_path / "faces.bin")
    (tmp_path / "faces.meta").write_text("no labels at all\n")
    write_labels([5, 4, 5], tmp_path / "labels.txt")
    assert_faces(tmp_path / "faces.bin", [1, 0, 1], labels=str(tmp_path / "labels.txt"))


TABLES = {
    "names": ("f0,f1\n3,4\n0,2\n1,0\n", None),
    "no names": ("3,4\n0,2\n1,0\n", None),
    "no last line end": ("3,4\n0,2\n1,0", None),
    "blank lines": ("3,4\n\n0,2\n1,0\n\n", None),
    "line ends of windows": ("f0,f1\r\n3,4\r\n0,2\r\n1,0\r\n", None),
    "semicolons": ("f0;f1;person\n3;4;b\n0;2;a\n1;0;b\n", [1, 0, 1]),
    "tabs": ("f0\tf1\n3\t4\n0\t2\n1\t0\n", None),
    "byte order mark": ("\ufeffperson,f0,f1\n9,3,4\n5,0,2\n9,1,0\n", [1, 0, 1]),
    "identity": ("f0,identity,f1\n3,x,4\n0,a,2\n1,x,0\n", [1, 0, 1]),
    "label in capitals": ("LABEL, f0, f1\n9, 3, 4\n5, 0, 2\n9, 1, 0\n", [1, 0, 1]),
    "integers in their order": ("truth,f0,f1\n10,3,4\n9,0,2\n10,1,0\n", [1, 0, 1]),
    "index of pandas": (",f0,f1\n0,3,4\n1,0,2\n2,1,0\n", None),
    "other columns": ("id,camera,f0,cluster,f1,file\n9,A,3,0,4,a\n8,B,0,0,2,b\n7,C,1,1,0,c\n", None),
    "numbers of pictures": ("image_id,f0,Photo ID,f1\n901,3,1,4\n800,0,1,2\n700,1,2,0\n", None),
    "exponents": ("3e0,4.0\n0,2E+00\n1e-0,0\n", None),
}


@pytest.mark.parametrize(("table", "truth"), TABLES.values(), ids=TABLES)
def test_tables_of_faces(tmp_path, table, truth):
    (tmp_path / "faces.csv").write_text(table, newline="")
    assert_faces(tmp_path / "faces.csv", truth)


def test_columns_named_by_number_are_names_and_no_face(tmp_path):
    names = ",".join(str(i) for i in range(10))
    row = ",".join(["1"] * 10)
    (tmp_path / "faces.csv").write_text(f"{names}\n{row}\n{row}\n")
    assert read_faces(tmp_path / "faces.csv").features.shape == (2, 10)
    (tmp_path / "faces.csv").write_text(f",{names},label\n0,{row},a\n1,{row},b\n")
    assert read_faces(tmp_path / "faces.csv").features.shape == (2, 10)


def test_the_form_of_our_table(tmp_path):
    faces = some_faces(2, 3)
    write_faces(faces, tmp_path / "faces.csv")
    first, second, third = (tmp_path / "faces.csv").read_text().splitlines()
    assert first == "identity,file,left,top,width,height,quality,f0,f1,f2"
    assert faces.sources is not None
    for line, file in zip((second, third), files_of(faces.sources), strict=True):
        assert line.startswith(f'0,"{file}",')


PARQUET = {
    "lists": ({"features": FACES.tolist(), "person": ["b", "a", "b"]}, [1, 0, 1]),
    "lists under another name": ({"embedding": FACES.tolist(), "note": ["x", "y", "z"]}, None),
    "one list of any name": ({"vec": FACES.tolist(), "age": [1, 2, 3], "label": [9, 5, 9]}, [1, 0, 1]),
    "lists of integers": ({"features": FACES.astype(int).tolist()}, None),
    "columns": (
        {"id": [9, 8, 7], "image_id": [3, 4, 5], "a": [3.0, 0, 1], "b": [4, 2, 0], "note": ["x", "y", "z"]},
        None,
    ),
    "categories": (
        {"a": FACES[:, 0], "b": FACES[:, 1], "identity": pa.array(["b", "a", "b"]).dictionary_encode()},
        [1, 0, 1],
    ),
}


@pytest.mark.parametrize(("table", "truth"), PARQUET.values(), ids=PARQUET)
def test_parquet_tables_of_faces(tmp_path, table, truth):
    parquet.write_table(pa.table(table), tmp_path / "faces.parquet", row_group_size=2)
    assert_faces(tmp_path / "faces.parquet", truth)


LABEL_FILES = {
    "a column by name": ("a,cluster\nx,3\ny,-1\nz,3\n", [3, -1, 3]),
    "the only column": ("3\n-1\n3\n", [3, -1, 3]),
    "the only column under a name": ("cluster\n3\n-1\n3\n", [3, -1, 3]),
    "the only column under a name we do not know": ("group\n3\n-1\n3\n", [3, -1, 3]),
    "the only column, of names": ("Bo\nAda\nBo\n", ["Bo", "Ada", "Bo"]),
    "whole floats": ("cluster,a\n3.0,1\n-1.0,1\n", [3, -1]),
    "names beside numbers": ("person,a\n3,1\nBo,1\n", ["3", "Bo"]),
    "numbers with zeros in front": ("person,a\n007,1\n7,1\n", ["007", "7"]),
    "rows out of order": ("cluster,face\n5,2\n4,0\n-1,1\n", [4, -1, 5]),
    "faces that are no numbers": ("face,cluster\nx.jpg,2\na.jpg,3\n", [2, 3]),
    "faces with their truth": ("identity,f0,f1\n8,1,2\n9,2,1\n", [8, 9]),
}


@pytest.mark.parametrize(("table", "labels"), LABEL_FILES.values(), ids=LABEL_FILES)
def test_tables_of_labels(tmp_path, table, labels):
    (tmp_path / "labels.csv").write_text(table)
    assert read_labels(tmp_path / "labels.csv").tolist() == labels


def test_parquet_labels_out_of_order(tmp_path):
    parquet.write_table(pa.table({"face": [2, 0, 1], "person": ["c", "a", "b"]}), tmp_path / "labels.parquet")
    assert read_labels(tmp_path / "labels.parquet").tolist() == ["a", "b", "c"]


def test_the_only_column_of_parquet(tmp_path):
    parquet.write_table(pa.table({"group": [2, -1]}), tmp_path / "labels.parquet")
    assert read_labels(tmp_path / "labels.parquet").tolist() == [2, -1]


@pytest.mark.parametrize("suffix", [".npz", ".csv", ".parquet"])
def test_faces_with_truth_are_a_file_of_labels_too(tmp_path, suffix):
    write_faces(some_faces(8), tmp_path / f"faces{suffix}")
    assert read_labels(tmp_path / f"faces{suffix}").tolist() == [0, 0, 0, 0, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ("labels", "read"),
    [
        (np.array([3, -1], np.int16), [3, -1]),
        (np.array([3.0, -1.0], np.float16), [3, -1]),
        (np.array([True, False]), [1, 0]),
        (np.array([2**64 - 1, 0], np.uint64), [str(2**64 - 1), "0"]),
        (np.array([2**63 - 1, 0], np.uint64), [2**63 - 1, 0]),
    ],
    ids=repr,
)
def test_arrays_of_labels_of_any_type(tmp_path, labels, read):
    np.save(tmp_path / "labels.npy", labels)
    assert read_labels(tmp_path / "labels.npy").tolist() == read


def test_integers_beyond_64_bits_are_told_apart(tmp_path):
    (tmp_path / "labels.meta").write_text(f"{2**70}\n{2**70 + 1}\n")
    assert read_labels(tmp_path / "labels.meta").tolist() == [str(2**70), str(2**70 + 1)]


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "faces", "people"), [("train.sface", 10_273, 1_286), ("lfw.dlib", 13_233, 5_749)]
)
def test_real_embeddings_are_read_as_they_are(shared, name, faces, people):
    path = shared / "data" / f"{name}.npz"
    read = read_faces(path, dimension=128)
    with np.load(path, allow_pickle=False) as arrays:
        features, truth = arrays["X"], arrays["y"]
    assert read.features.shape == (faces, 128)
    assert read.features.dtype == np.float32
    assert (read.features == features).all()
    assert read.truth is not None
    assert read.truth.max() == people - 1
    assert len({*zip(read.truth.tolist(), truth.tolist(), strict=True)}) == people
    assert (read_labels(path) == truth).all()
