"""What is written is read again, to the last bit that the format keeps."""

import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from personae.data import (
    FaceSet,
    Sources,
    faceset,
    formats_csv,
    formats_numpy,
    read_faces,
    read_labels,
    write_faces,
    write_labels,
)
from personae.errors import InputError, MissingExtraError, OutputError
from tests.data.small_faces import (
    NAMES,
    SUFFIXES,
    WITH_HALVES,
    WITH_SOURCES,
    face_sets,
    files_of,
    quick,
    room_for,
    some_faces,
)

LABEL_SUFFIXES = (".npz", ".parquet", ".csv", ".npy", ".txt", ".meta")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("faces")


def assert_same_faces(read: FaceSet, faces: FaceSet, suffix: str) -> None:
    wanted = faces.features if suffix in WITH_HALVES else faces.features.astype(np.float32)
    assert read.features.dtype == wanted.dtype
    assert (read.features == wanted).all()
    assert (read.truth is None) == (faces.truth is None)
    if faces.truth is not None:
        assert read.truth is not None
        assert (read.truth == faces.truth).all()
    if faces.sources is None or suffix not in WITH_SOURCES:
        assert read.sources is None
    else:
        assert read.sources is not None
        assert files_of(read.sources) == files_of(faces.sources)
        assert (read.sources.box == faces.sources.box).all()
        assert (read.sources.quality == faces.sources.quality).all()
        assert read.sources.box.dtype == read.sources.quality.dtype == np.float32
        assert read.sources.file.dtype == np.int32


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_faces_come_back_as_they_were(folder, suffix):
    @quick
    @given(face_sets())
    @example(some_faces(60))
    def comes_back(faces):
        path = folder / f"faces{suffix}"
        path.with_suffix(".meta").unlink(missing_ok=True)
        write_faces(faces, path)
        assert_same_faces(read_faces(path, dimension=faces.dimension), faces, suffix)

    comes_back()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_faces_in_many_blocks_come_back_as_they_were(folder, suffix, monkeypatch):
    for module in ("faceset", "formats_bin", "formats_numpy", "formats_parquet"):
        monkeypatch.setattr(f"personae.data.{module}.BLOCK", 7)
    monkeypatch.setattr("personae.data.formats_csv.ROWS", 7)
    faces = some_faces(40)
    write_faces(faces, folder / f"blocks{suffix}")
    assert_same_faces(read_faces(folder / f"blocks{suffix}"), faces, suffix)


@pytest.mark.parametrize("suffix", WITH_SOURCES)
def test_any_name_of_a_file_comes_back_as_it_was(tmp_path, suffix):
    names = (
        "a,b;c.jpg",
        'say "x".jpg',
        "two\nlines\r.jpg",
        " blank ",
        "漢字/é.jpg",
        "latin\udce9.jpg",
        "\ufeffa",
        "7",
    )
    n = len(names)
    random = np.random.default_rng(0).random((n, 4)).astype(np.float32)
    faces = FaceSet.of(
        np.ones((n, 2)), None, Sources(names, np.arange(n, dtype=np.int32)[::-1], random, random[:, 0])
    )
    write_faces(faces, tmp_path / f"faces{suffix}")
    assert_same_faces(read_faces(tmp_path / f"faces{suffix}"), faces, suffix)


def test_an_archive_keeps_files_without_a_face(tmp_path):
    faces = some_faces()
    assert faces.sources is not None
    only_second = faces.take(np.flatnonzero(faces.sources.file == 1))
    write_faces(only_second, tmp_path / "faces.npz")
    read = read_faces(tmp_path / "faces.npz").sources
    assert read is not None
    assert read.files == faces.sources.files


def test_an_archive_is_one_that_numpy_reads(tmp_path):
    faces = some_faces()
    write_faces(faces, tmp_path / "faces.npz")
    with np.load(tmp_path / "faces.npz", allow_pickle=False) as arrays:
        assert sorted(arrays) == ["box", "features", "file", "files", "quality", "truth"]
        assert (arrays["features"] == faces.features).all()


def test_bin_and_meta_are_raw_rows_and_a_label_a_line(tmp_path):
    faces = some_faces(8)
    write_faces(faces, tmp_path / "faces.bin")
    assert (np.fromfile(tmp_path / "faces.bin", "<f4") == faces.features.ravel()).all()
    assert (tmp_path / "faces.meta").read_text() == "0\n0\n0\n0\n1\n1\n1\n1\n"


@quick
@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_the_digits_of_a_table_are_float32_to_the_last_bit(value):
    assert np.float32(float(formats_csv.EXACT % value)) == np.float32(value)


@pytest.mark.parametrize("suffix", LABEL_SUFFIXES)
@quick
@given(labels=st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=9))
@example(labels=[-1])
@example(labels=[0, -1, -1, 7])
def test_integers_come_back_as_they_were(folder, suffix, labels):
    write_labels(labels, folder / f"labels{suffix}")
    read = read_labels(folder / f"labels{suffix}")
    assert read.dtype == np.int64
    assert read.tolist() == labels


@pytest.mark.parametrize("suffix", [".npz", ".parquet", ".csv", ".npy", ".txt"])
@quick
@given(labels=st.lists(NAMES, min_size=1, max_size=9))
@example(labels=["007", "7"])
@example(labels=['Ada, "Countess"', "漢字 ", " Bo", "-1"])
def test_names_come_back_as_they_were(folder, suffix, labels):
    path = folder / f"names{suffix}"
    try:
        write_labels(labels, path)
    except InputError:
        assert suffix == ".txt"
        assert any("\n" in name or "\r" in name or not name.strip() for name in labels)
        return
    read = read_labels(path)
    # Names that are all plain integers are integers in a file of text.
    assert [str(label) for label in read.tolist()] == labels or all(name.strip().isdigit() for name in labels)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_leaves_the_old_faces(tmp_path, suffix):
    old, new = some_faces(8), some_faces(400)
    path = tmp_path / f"faces{suffix}"
    write_faces(old, path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with room_for(20_000), pytest.raises(OutputError, match="cannot write"):
        write_faces(new, path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
    assert_same_faces(read_faces(path), old, suffix)


@pytest.mark.parametrize("suffix", [".npy", ".bin"])
def test_a_disk_with_room_for_the_features_but_not_the_truth_leaves_both_old(tmp_path, suffix):
    features = np.ones((20_000, 1), np.float32)  # 80 kB and 98 kB
    old, new = FaceSet.of(features[:3], [0, 1, 0]), FaceSet.of(features, np.arange(20_000) // 4)
    write_faces(old, tmp_path / f"faces{suffix}")
    with room_for(90_000), pytest.raises(OutputError, match="cannot write"):
        write_faces(new, tmp_path / f"faces{suffix}")
    assert_same_faces(read_faces(tmp_path / f"faces{suffix}"), old, suffix)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_no_room_for_a_map_while_reading_is_an_output_error(tmp_path, monkeypatch, suffix):
    write_faces(some_faces(), tmp_path / f"faces{suffix}")
    monkeypatch.setattr(faceset, "MAPPED_FROM", 1)
    with room_for(100), pytest.raises(OutputError, match="no room to keep features on disk"):
        read_faces(tmp_path / f"faces{suffix}")


@pytest.mark.parametrize("suffix", LABEL_SUFFIXES)
def test_a_full_disk_leaves_the_old_labels(tmp_path, suffix):
    path = tmp_path / f"labels{suffix}"
    write_labels([3, 4], path)
    random = np.random.default_rng(0).integers(0, 1 << 60, 5000)
    with room_for(10_000), pytest.raises(OutputError, match="cannot write"):
        write_labels(random, path)
    assert read_labels(path).tolist() == [3, 4]
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".txt"])
def test_a_place_that_cannot_be_written_is_an_output_error(tmp_path, suffix):
    (tmp_path / "file").write_text("here")
    with pytest.raises(OutputError, match="cannot write"):
        if suffix == ".txt":
            write_labels([1], tmp_path / "file" / f"labels{suffix}")
        else:
            write_faces(some_faces(4), tmp_path / "file" / f"faces{suffix}")


@pytest.mark.parametrize("suffix", [".npy", ".bin"])
def test_labels_of_other_faces_are_neither_lost_nor_taken_for_theirs(tmp_path, suffix):
    write_labels([1, 2, 3], tmp_path / "faces.meta")
    with pytest.raises(OutputError, match=r"faces\.meta holds labels.*move it away"):
        write_faces(some_faces(3, bare=True), tmp_path / f"faces{suffix}")
    assert [file.name for file in tmp_path.iterdir()] == ["faces.meta"]


@pytest.mark.parametrize("labels", [[[1, 2]], [], [1.5], ["", "a"], [None, "a"], [1j]], ids=repr)
def test_labels_that_are_none_are_not_written(tmp_path, labels):
    with pytest.raises(InputError, match="labels"):
        write_labels(labels, tmp_path / "labels.npy")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("labels", [["a\nb"], ["a\r"], [" "]], ids=repr)
def test_names_that_are_no_line_are_not_written_as_lines(tmp_path, labels):
    with pytest.raises(InputError, match=r"write them to a \.csv"):
        write_labels(labels, tmp_path / "labels.txt")
    assert not list(tmp_path.iterdir())


def test_names_are_not_written_as_meta(tmp_path):
    with pytest.raises(InputError, match=r"\.meta file holds integers"):
        write_labels(["Ada"], tmp_path / "labels.meta")


def test_unknown_suffixes_are_not_written(tmp_path):
    with pytest.raises(InputError, match=r"unknown suffix '.pkl'; known are .npz, .parquet, .csv, .npy, .bin"):
        write_faces(some_faces(4), tmp_path / "faces.pkl")
    with pytest.raises(InputError, match=r"unknown suffix '.bin'; known are .npz"):
        write_labels([1], tmp_path / "labels.bin")


def test_sources_outside_their_folder_are_not_written(tmp_path):
    faces = some_faces(1)
    assert faces.sources is not None
    for name in ("/etc/passwd", "../a.jpg", "a/../../b.jpg"):
        outside = FaceSet(faces.features, None, type(faces.sources)((name, "b"), *_arrays(faces)))
        with pytest.raises(InputError, match="outside the folder"):
            write_faces(outside, tmp_path / "faces.npz")


def _arrays(faces):
    return faces.sources.file, faces.sources.box, faces.sources.quality


def test_parquet_without_pyarrow_says_how_to_install_it(tmp_path, monkeypatch):
    write_faces(some_faces(4), tmp_path / "faces.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for needs_it in (
        lambda: read_faces(tmp_path / "faces.parquet"),
        lambda: write_faces(some_faces(4), tmp_path / "new.parquet"),
        lambda: read_labels(tmp_path / "faces.parquet"),
        lambda: write_labels([1], tmp_path / "new.parquet"),
    ):
        with pytest.raises(MissingExtraError, match=r"pip install 'personae\[parquet\]'"):
            needs_it()
    assert [file.name for file in tmp_path.iterdir()] == ["faces.parquet"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_large_features_are_mapped_and_the_same(tmp_path, suffix, monkeypatch):
    faces = some_faces(40)
    path = tmp_path / f"faces{suffix}"
    write_faces(faces, path)
    kept = sorted(file.name for file in tmp_path.iterdir())
    monkeypatch.setattr(faceset, "MAPPED_FROM", 1)
    read = read_faces(path)
    assert isinstance(read.features, np.memmap)
    assert_same_faces(read, faces, suffix)
    assert sorted(file.name for file in tmp_path.iterdir()) == kept
    if suffix in (".npz", ".npy", ".bin"):  # the rows as they lie in the file, aligned
        assert Path(read.features.filename) == path
        assert read.features.flags.aligned
    write_faces(read, path)  # over the file it is mapped from
    assert_same_faces(read_faces(path), faces, suffix)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("packed", [False, True])
def test_large_features_of_any_archive_are_mapped(tmp_path, monkeypatch, order, packed):
    faces = some_faces(40)
    save = np.savez_compressed if packed else np.savez
    save(tmp_path / "faces.npz", X=np.asarray(faces.features, order=order), y=faces.truth)
    np.save(tmp_path / "faces.npy", np.asarray(faces.features, order=order))
    monkeypatch.setattr(faceset, "MAPPED_FROM", 1)
    monkeypatch.setattr(formats_numpy, "BLOCK", 7)
    for name in ("faces.npz", "faces.npy"):
        read = read_faces(tmp_path / name)
        assert isinstance(read.features, np.memmap)
        assert read.features.flags.aligned
        assert (read.features == faces.features).all()


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".bin", ".parquet"])
def test_mapped_faces_are_read_and_written_in_little_memory(tmp_path, suffix, monkeypatch):
    write_faces(some_faces(4), tmp_path / "warm.parquet")  # what the import takes is not counted
    monkeypatch.setattr(faceset, "MAPPED_FROM", 1)
    for module in ("faceset", "formats_bin", "formats_parquet"):
        monkeypatch.setattr(f"personae.data.{module}.BLOCK", 1 << 10)
    rows = 1 << (16 if suffix == ".npz" else 14)  # NumPy copies to archives in blocks of 16 MB
    np.save(tmp_path / "faces.npy", np.broadcast_to(np.eye(1, 384, dtype=np.float32), (rows, 384)))
    tracemalloc.start()
    faces = read_faces(tmp_path / "faces.npy")
    write_faces(faces, tmp_path / f"again{suffix}")
    again = read_faces(tmp_path / f"again{suffix}", dimension=384)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert faces.features.nbytes == again.features.nbytes == rows * 384 * 4
    assert peak < faces.features.nbytes / 2


def test_the_times_of_tracks_are_kept(tmp_path):
    span = np.array([[np.nan, np.nan], [0.5, 2.2500000000000004]])
    sources = Sources(
        ("a.jpg", "b.mp4"),
        np.array([0, 1], np.int32),
        np.ones((2, 4), np.float32),
        np.ones(2, np.float32),
        span,
    )
    for suffix in WITH_SOURCES:
        write_faces(FaceSet.of(np.eye(2), sources=sources), tmp_path / f"faces{suffix}")
        np.testing.assert_array_equal(read_faces(tmp_path / f"faces{suffix}").sources.span, span)
        write_faces(FaceSet.of(np.eye(2), sources=replace(sources, span=None)), tmp_path / f"faces{suffix}")
        assert read_faces(tmp_path / f"faces{suffix}").sources.span is None
    write_faces(FaceSet.of(np.eye(2), sources=sources), tmp_path / "faces.npz")
    with np.load(tmp_path / "faces.npz") as arrays:
        formats_numpy.write_arrays({**arrays, "span": np.ones(2)}, tmp_path / "bad.npz")
    with pytest.raises(InputError, match="spans of shape"):
        read_faces(tmp_path / "bad.npz")
