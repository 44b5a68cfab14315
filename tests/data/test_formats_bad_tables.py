"""A bad table gets one line that names the file, and the line, the row or the column."""

import pytest

from personae.data import read_faces, read_labels
from tests.data.small_faces import refused

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("f0,f1\n1,2\n3,x\n", "line 3, column f1: 'x' is no number"),
        ("f0,f1\n1,2\n3,\n", "line 3, column f1: '' is no number"),
        ("f0,f1\n1,2\n3\n", "line 3 has 1 columns where the first has 2"),
        ("f0,f1\n1,2\n3,4,5\n", "line 3 has 3 columns where the first has 2"),
        ("1,2\n3,4\n5,six\n", "line 3, column 2: 'six' is no number"),
        ("Ada,1,2\nBo,3,4\n", "line 1 holds text .'Ada'.*name the columns"),
        ("f0,f1\n", "a line of names but no face"),
        ("\n\n\n", "nothing but blank lines"),
        ("identity,file\n1,a.jpg\n", r"holds no embeddings; none of its columns \(identity, file\) is a value"),
        ("photo,confidence,from,to\na.jpg,0.9,,\n", "holds no embeddings"),
        ("person,faces,photos,confidence,best_photo\nAda,9,8,0.9,a.jpg\n", "holds no embeddings"),
        ("face,other,apart\n0,1,1\n", "holds no embeddings"),
        ("file,age,score\na.jpg,40,0.9\n", "holds no embeddings"),
        ("0,5;0,7\n0,1;0,2\n", r"columns \(0,5, 0,7\) is a value .*as in 0.5"),
        ("x" * 99 + "|y\n1|2\n", rf"columns \({'x' * 40}\)"),
        ("identity,person,f0\n1,1,1\n", "identity and person could each be meant"),
        ("identity,f0\n1,1\n,2\n", "line 3, column identity: the label is missing"),
        ("f0,f1\n1,2\n1,nan\n", r"NaN or infinity in 1 row \(1\)"),
        ("f0,f1\n1,2\n1,1e99\n", r"NaN or infinity in 1 row \(1\)"),
        ("f0,f1\n1,2\n0,0\n", r"all zero in 1 row \(1\)"),
        ("f0,f1\n?,2\n1,3\n", "column f0 begins with text but holds a number in line 3"),
        ("file,left,top,width,height,quality,f0\n../a,0,0,1,1,1,1\n", "outside the folder"),
        ("file,left,top,width,height,quality,f0\na,0,0,wide,1,1,1\n", "line 2, column width: 'wide'"),
        ("file,left,top,width,height,quality,from,to,f0\na,0,0,1,1,1,2,,1\n", "line 2, column to: '' is no"),
    ],
)
def test_bad_tables_of_faces_name_the_line(tmp_path, table, said):
    (tmp_path / "faces.csv").write_text(table)
    refused(read_faces, tmp_path / "faces.csv", said)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("a,b\n1,2\n", "no column of labels among a, b; name it one of identity"),
        ("identity,cluster\n1,2\n", "identity and cluster could each be meant"),
        ("face,cluster\n0,2\n0,3\n", r"does not hold each of 0\.\.1 once"),
        ("face,cluster\n0,2\n2,3\n", r"does not hold each of 0\.\.1 once"),
        ("face,cluster\n0,2\n1,\n", "line 3, column cluster: the label is missing"),
        ("cluster\n", "no label"),
        ("cluster,a\n1\n", "line 2 has 1 columns"),
    ],
)
def test_bad_tables_of_labels_name_the_line(tmp_path, table, said):
    (tmp_path / "labels.csv").write_text(table)
    refused(read_labels, tmp_path / "labels.csv", said)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"a": ["x"]}, r"no features among its columns \(a\)"),
        ({"features": [[1.0, 2.0], [1.0]]}, "row 1 of features has 1 numbers where the first has 2"),
        ({"features": [[1.0, 2.0], None]}, "row 1 of features is empty"),
        ({"features": [[1.0, 2.0], [None, 1.0]]}, "1 gaps, not numbers"),
        ({"features": [["a"], ["b"]]}, "holds string and 0 gaps, not numbers"),
        ({"features": [[1.0], [float("nan")]]}, r"NaN or infinity in 1 row \(1\)"),
        ({"features": [[1.0], [1e300]]}, r"NaN or infinity in 1 row \(1\)"),
        ({"f0": [1.0, None], "f1": [1.0, 2.0]}, "row 1 of f0 is empty"),
        ({"features": [[1.0]], "identity": [1], "label": [1]}, "identity and label could each be meant"),
        ({"features": [[1.0], [1.0]], "identity": ["a", None]}, "row 1 of identity is empty"),
        ({"features": [[1.0], [1.0]], "identity": [[1], [2]]}, "column identity holds list"),
        ({"features": [[1.0], [1.0]], "identity": [0.5, 1.0]}, "no whole numbers in rows 0"),
        ({"features": pa.array([], pa.list_(pa.float32()))}, "no face"),
        ({"a": [[1.0]], "b": [[1.0]]}, "no features among its columns"),
        ({"features": [[1.0]], "feats": [[1.0]]}, "features and feats could each be meant"),
    ],
)
def test_bad_parquet_tables_name_the_row_or_the_column(tmp_path, table, said):
    parquet.write_table(pa.table(table), tmp_path / "faces.parquet")
    refused(read_faces, tmp_path / "faces.parquet", said)


def test_rows_of_later_blocks_are_named_by_their_number_in_the_table(tmp_path, monkeypatch):
    monkeypatch.setattr("personae.data.formats_parquet.BLOCK", 2)
    for features, said in (
        ([[1.0]] * 3 + [None], "row 3 of features is empty"),
        ([[1.0]] * 4 + [[1.0, 2.0]], "row 4 of features has 2 numbers where the first has 1"),
    ):
        parquet.write_table(pa.table({"features": features}), tmp_path / "faces.parquet")
        refused(read_faces, tmp_path / "faces.parquet", said)


def test_bad_parquet_labels(tmp_path):
    parquet.write_table(pa.table({"a": [1], "b": [2]}), tmp_path / "labels.parquet")
    refused(read_labels, tmp_path / "labels.parquet", "no column of labels among a, b")
    parquet.write_table(pa.table({"face": [0, 0], "cluster": [2, 2]}), tmp_path / "labels.parquet")
    refused(read_labels, tmp_path / "labels.parquet", r"each of 0\.\.1 once")
