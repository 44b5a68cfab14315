"""Bad input gets one line that names the file and what to do."""

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personae.data import read_faces, read_labels, write_faces, write_labels
from personae.data.formats_numpy import write_arrays
from personae.errors import InputError, PersonaeError
from tests.data.small_faces import SUFFIXES, quick, refused, some_faces

READERS = pytest.mark.parametrize("read", [read_faces, read_labels])


@READERS
def test_a_missing_file(tmp_path, read):
    refused(read, tmp_path / "faces.npy", "no such file")


@READERS
def test_a_folder(tmp_path, read):
    (tmp_path / "faces.npy").mkdir()
    refused(read, tmp_path / "faces.npy", "is a folder")


@READERS
def test_a_device(read):
    refused(read, "/dev/null", "no regular file")


@READERS
@pytest.mark.parametrize("suffix", [".npy", ".npz", ".csv", ".parquet"])
def test_an_empty_file(tmp_path, read, suffix):
    (tmp_path / f"faces{suffix}").touch()
    refused(read, tmp_path / f"faces{suffix}", "is empty")


@pytest.mark.parametrize("name", ["faces.pkl", "faces", "faces.npy.gz"])
def test_an_unknown_suffix_lists_those_known(tmp_path, name):
    (tmp_path / name).write_text("x")
    refused(read_faces, tmp_path / name, r"unknown suffix.*known are .npz, .parquet, .csv, .npy, .bin$")
    refused(read_labels, tmp_path / name, r"known are .npz, .parquet, .csv, .npy, .bin, .meta, .txt, .ids$")


def test_suffixes_in_capitals_are_known(tmp_path):
    write_faces(some_faces(4), tmp_path / "FACES.NPZ")
    assert len(read_faces(tmp_path / "FACES.NPZ")) == 4


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_another_dimension_than_asked(tmp_path, suffix):
    write_faces(some_faces(5, 16), tmp_path / f"faces{suffix}")
    said = "do not make rows of dimension 33" if suffix == ".bin" else "dimension 16, but 33 was asked for"
    refused(read_faces, tmp_path / f"faces{suffix}", said, dimension=33)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_labels_that_do_not_match_give_both_counts(tmp_path, suffix):
    write_faces(some_faces(5, 16, bare=True), tmp_path / f"faces{suffix}")
    write_labels([1, 2, 3], tmp_path / "other.meta")
    said = r"5 faces but 3 labels in .*other\.meta"
    refused(read_faces, tmp_path / f"faces{suffix}", said, labels=tmp_path / "other.meta", dimension=16)


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (np.nan, "features hold NaN or infinity in 1 row"),
        (np.inf, "NaN or infinity"),
        (0, "features are all zero"),
    ],
)
def test_bad_rows_name_the_file(tmp_path, suffix, bad, said):
    features = np.ones((3, 2), np.float32)
    features[1] = bad
    path = tmp_path / f"faces{suffix}"
    np.save(path, features) if suffix == ".npy" else np.savez(path, X=features)
    assert refused(read_faces, path, said).startswith(f"{path}: features ")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_any_cut_is_refused_or_seen_in_the_number_of_faces(tmp_path_factory, suffix):
    folder = tmp_path_factory.mktemp("cut")
    faces = some_faces(12, 16)
    write_faces(faces, folder / f"faces{suffix}")
    whole = (folder / f"faces{suffix}").read_bytes()

    @quick
    @given(st.integers(1, len(whole) - 1))
    def is_refused(length):
        path = folder / f"cut{suffix}"
        path.write_bytes(whole[:length])
        try:
            read = read_faces(path, dimension=16)
        except InputError as error:
            assert str(error).startswith(f"{path}: ")
            assert "\n" not in str(error)
        else:
            assert suffix in (".bin", ".csv")  # they say nothing of their length
            assert len(read) < 12 or length >= len(whole) - 12

    is_refused()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_any_damage_is_refused_in_one_line(tmp_path_factory, suffix):
    folder = tmp_path_factory.mktemp("damage")
    write_faces(some_faces(12, 16), folder / f"faces{suffix}")
    whole = (folder / f"faces{suffix}").read_bytes()

    @quick
    @given(st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)), min_size=1, max_size=5))
    def is_refused_if_seen(changes):
        damaged = bytearray(whole)
        for at, byte in changes:
            damaged[at] = byte
        path = folder / f"damaged{suffix}"
        path.write_bytes(damaged)
        for read in (read_faces, read_labels):
            try:
                read(path)
            except PersonaeError as error:
                assert "\n" not in str(error)

    is_refused_if_seen()


# .npy and .npz


def test_a_cut_npy_says_how_many_bytes_there_are(tmp_path):
    np.save(tmp_path / "faces.npy", np.ones((10, 4), np.float32))
    whole = (tmp_path / "faces.npy").read_bytes()
    (tmp_path / "faces.npy").write_bytes(whole[:-60])
    refused(read_faces, tmp_path / "faces.npy", r"cut off: \(10, 4\) float32 takes 160 bytes but 100 are there")


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04", b"hello world, no array", b"\x93NUMPY", b"\x93NUMPY\x01\x00v\x00{"]
)
def test_another_kind_of_file(tmp_path, content):
    for suffix in (".npy", ".npz", ".parquet"):
        (tmp_path / f"faces{suffix}").write_bytes(content)
        refused(read_faces, tmp_path / f"faces{suffix}", "another kind of file|no .parquet file")


class Bomb:
    def __reduce__(self):
        return (exec, ("raise AssertionError('unpickled')",))


@READERS
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_objects_are_never_unpickled(tmp_path, read, suffix):
    path = tmp_path / f"faces{suffix}"
    bomb = np.array([Bomb(), Bomb()], dtype=object)
    np.save(path, bomb) if suffix == ".npy" else np.savez(path, labels=bomb, features=bomb)
    refused(read, path, r"Python objects \(a pickle\), which are never loaded")


def test_an_archive_without_features_lists_its_keys(tmp_path):
    np.savez(tmp_path / "faces.npz", first=np.ones(3), second=np.ones(3))
    refused(
        read_faces,
        tmp_path / "faces.npz",
        r"no features among its arrays \(first, second\); name them features",
    )
    refused(
        read_labels, tmp_path / "faces.npz", r"no labels among its arrays \(first, second\); name them labels"
    )


def test_an_archive_with_two_features(tmp_path):
    np.savez(tmp_path / "faces.npz", X=np.ones((2, 2)), embeddings=np.ones((2, 2)))
    refused(read_faces, tmp_path / "faces.npz", "X and embeddings could each be meant")


def test_an_archive_without_arrays(tmp_path):
    with zipfile.ZipFile(tmp_path / "faces.npz", "w") as archive:
        archive.writestr("readme.txt", "hello")
    refused(read_faces, tmp_path / "faces.npz", "holds no arrays")


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 4)}", "cut off"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 1000000000)}", "cut off"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (-2, -8)}", "cut off"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': 4}", "no .npy head"),
        ("{'descr': 'nonsense', 'fortran_order': False, 'shape': (4,)}", "no .npy head"),
        ("__import__('os').getcwd()", "no .npy head"),
        ("(" * 5000, "no .npy head"),
    ],
)
def test_hostile_heads(tmp_path, head, said):
    text = head.encode() + b"\n"
    whole = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(64)
    (tmp_path / "faces.npy").write_bytes(whole)
    refused(read_faces, tmp_path / "faces.npy", said)
    with zipfile.ZipFile(tmp_path / "faces.npz", "w") as archive:
        archive.writestr("X.npy", whole)
    refused(read_faces, tmp_path / "faces.npz", f"array X .*{said}")


def test_a_number_in_place_of_an_array(tmp_path):
    np.savez(tmp_path / "faces.npz", X=np.float32(3))
    refused(read_faces, tmp_path / "faces.npz", "array X is a single number")


@pytest.mark.parametrize(
    "features", [np.array([["a", "b"]]), np.ones(3), np.ones((0, 3)), np.ones((3, 0))], ids=repr
)
def test_arrays_that_are_no_features(tmp_path, features):
    np.save(tmp_path / "faces.npy", features)
    np.savez(tmp_path / "faces.npz", features=features)
    for name in ("faces.npy", "faces.npz"):
        refused(read_faces, tmp_path / name, "features|feature|no face")


def archive_with(path, **changed):
    n = 2
    arrays = {
        "features": np.ones((n, 3)),
        "files": np.array(["a.jpg", "b.jpg"]),
        "file": np.zeros(n, np.int32),
        "box": np.zeros((n, 4)),
        "quality": np.ones(n),
    }
    write_arrays({name: np.asarray(array) for name, array in (arrays | changed).items()}, path)
    return path


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"files": np.array(["../a.jpg", "b.jpg"])}, r"outside the folder of the pictures: '\.\./a\.jpg'"),
        ({"files": np.array(["/etc/passwd", "b.jpg"])}, "outside the folder"),
        ({"files": np.array([["a.jpg", "b.jpg"]])}, "needs to be names"),
        ({"files": np.arange(2)}, "needs to be names"),
        ({"file": np.array([0, 2])}, "name file 2"),
        ({"file": np.array([0.0, 1.0])}, "file is of type float64"),
        ({"file": np.int32(0)}, "array file is a single number"),
        ({"file": np.zeros(3, np.int32)}, "sources disagree"),
        ({"box": np.array([["a"] * 4] * 2)}, "box is of type"),
        ({"box": np.full((2, 4), np.nan)}, "NaN or infinity in box"),
    ],
)
def test_sources_that_cannot_be_trusted(tmp_path, changed, said):
    assert read_faces(archive_with(tmp_path / "whole.npz")).sources is not None
    refused(read_faces, archive_with(tmp_path / "faces.npz", **changed), said)


# .bin and .meta


def test_a_bin_without_labels_says_which_dimensions_fit(tmp_path):
    np.ones(64 * 3 * 5, np.float32).tofile(tmp_path / "faces.bin")
    refused(
        read_faces,
        tmp_path / "faces.bin",
        r"as in --dimension 512 or dimension=512 \(possible: 64, 96, 160, 192, 320\)",
    )


def test_a_bin_that_does_not_divide_among_its_labels(tmp_path):
    np.ones(64 * 5, np.float32).tofile(tmp_path / "faces.bin")
    write_labels(np.arange(7), tmp_path / "faces.meta")
    refused(read_faces, tmp_path / "faces.bin", "320 numbers do not divide among 7 labels")


def test_a_bin_cut_within_a_number(tmp_path):
    (tmp_path / "faces.bin").write_bytes(bytes(1023))
    refused(read_faces, tmp_path / "faces.bin", "1,023 bytes are no whole number of float32", dimension=4)


@pytest.mark.parametrize("dimension", [0, -4, 7])
def test_a_bin_of_no_such_dimension(tmp_path, dimension):
    np.ones(16, np.float32).tofile(tmp_path / "faces.bin")
    refused(read_faces, tmp_path / "faces.bin", f"rows of dimension {dimension}", dimension=dimension)


def test_text_in_a_meta_names_the_line_and_the_meta(tmp_path):
    write_faces(some_faces(4), tmp_path / "faces.bin")
    (tmp_path / "faces.meta").write_text("1\n2\nthree\n4\n")
    with pytest.raises(InputError, match=r"faces\.meta: line 3: 'three' is no integer"):
        read_faces(tmp_path / "faces.bin")


@pytest.mark.parametrize("suffix", [".meta", ".txt"])
def test_an_empty_line_among_labels(tmp_path, suffix):
    (tmp_path / f"labels{suffix}").write_text("1\n\n4\n")
    refused(read_labels, tmp_path / f"labels{suffix}", "line 2 is empty")


# labels


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (np.ones((3, 2)), r"shape \(3, 2\); they need one dimension"),
        (np.array([1.5, 2.0]), "no whole numbers in rows 0"),
        (np.array([1.0, np.nan]), "no whole numbers in rows 1"),
        (np.array(["a", ""]), "empty in rows 1"),
        (np.array([], int), "found no labels"),
        (np.array([1j]), "of type complex128"),
    ],
    ids=repr,
)
def test_arrays_that_are_no_labels(tmp_path, labels, said):
    np.save(tmp_path / "labels.npy", labels)
    np.savez(tmp_path / "labels.npz", y=labels)
    for name in ("labels.npy", "labels.npz"):
        refused(read_labels, tmp_path / name, said)


@pytest.mark.parametrize("n", [4, 400])
def test_a_flipped_bit_in_an_archive_is_seen_by_its_sum(tmp_path, n):
    write_faces(some_faces(n), tmp_path / "faces.npz")
    whole = bytearray((tmp_path / "faces.npz").read_bytes())
    array = io.BytesIO()
    np.save(array, some_faces(n).features)
    at = bytes(whole).index(array.getvalue()[-64:])
    whole[at] ^= 1
    (tmp_path / "faces.npz").write_bytes(whole)
    refused(read_faces, tmp_path / "faces.npz", "Bad CRC-32")
