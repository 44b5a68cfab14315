"""The faces: what FaceSet.of accepts, scales and refuses."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as of_numpy

from personae.data import FaceSet, Sources, faceset
from personae.errors import InputError, OutputError
from tests.data.small_faces import quick, room_for, some_faces


@quick
@given(of_numpy.arrays(np.float32, (4, 5), elements=st.floats(width=32, allow_nan=False, allow_infinity=False)))
def test_rows_of_any_size_become_unit_and_keep_their_direction(features):
    features[:, 0] = np.where(features.any(axis=1), features[:, 0], 1)
    unit = FaceSet.of(features).features
    exact = features.astype(np.longdouble)
    exact /= np.sqrt((exact**2).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(unit, exact, atol=faceset.UNIT_TOLERANCE)
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1, atol=faceset.UNIT_TOLERANCE)


@pytest.mark.parametrize("scale", [1e-44, 1e-30, 1.0, 1e30, 1e38])
def test_tiny_and_huge_rows_are_scaled_without_loss(scale):
    features = np.array([[1, 1, 0], [0, -3, 0]], np.float32) * np.float32(scale)
    np.testing.assert_allclose(FaceSet.of(features).features, [[0.5**0.5, 0.5**0.5, 0], [0, -1, 0]], rtol=1e-6)


def test_unit_rows_are_the_same_array():
    features = np.eye(3, 4, dtype=np.float32)
    assert FaceSet.of(features).features is features


def test_scaling_does_not_touch_the_array_given():
    features = np.full((2, 2), 3, np.float32)
    FaceSet.of(features)
    assert (features == 3).all()


@pytest.mark.parametrize(
    "given_as", ["float32", "float64", "int8", "uint16", "bool", ">f4", ">f8", "longdouble"]
)
def test_every_number_becomes_native_float32(given_as):
    faces = FaceSet.of(np.array([[1, 0], [1, 1]]).astype(given_as))
    assert faces.features.dtype == np.float32
    assert faces.features.dtype.isnative
    np.testing.assert_allclose(faces.features, [[1, 0], [0.5**0.5, 0.5**0.5]], rtol=1e-6)


def test_float16_stays_float16_and_unit():
    faces = FaceSet.of(np.random.default_rng(0).standard_normal((50, 300)).astype(np.float16))
    assert faces.features.dtype == np.float16
    norms = np.linalg.norm(faces.features.astype(np.float64), axis=1)
    np.testing.assert_allclose(norms, 1, atol=faceset.UNIT_TOLERANCE)
    assert FaceSet.of(faces.features).features is faces.features


def test_names_are_numbered_in_sorted_order():
    faces = FaceSet.of(np.eye(4), ["Cy", "Ada", "Cy", "Bo"])
    assert faces.truth is not None
    assert faces.truth.tolist() == [2, 0, 2, 1]
    assert faces.truth.dtype == np.int32


@quick
@given(st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=20))
def test_integers_are_numbered_in_sorted_order(identities):
    faces = FaceSet.of(np.ones((len(identities), 2)), identities)
    order = sorted(set(identities))
    assert faces.truth is not None
    assert faces.truth.tolist() == [order.index(identity) for identity in identities]


def test_names_in_a_python_object_array_are_names():
    faces = FaceSet.of(np.eye(3), np.array(["Bo", "Ada", "Bo"], dtype=object))
    assert faces.truth is not None
    assert faces.truth.tolist() == [1, 0, 1]


@pytest.mark.parametrize("rows", [np.array([3, 0, 0]), np.arange(40) % 3 == 0], ids=["indices", "mask"])
def test_take_gives_these_faces_in_this_order(rows):
    faces = some_faces()
    taken = faces.take(rows)
    wanted = np.arange(40)[rows]
    assert taken.truth is not None and taken.sources is not None
    assert faces.truth is not None and faces.sources is not None
    assert (taken.features == faces.features[wanted]).all()
    assert (taken.truth == faces.truth[wanted]).all()
    assert (taken.sources.file == faces.sources.file[wanted]).all()
    assert (taken.sources.box == faces.sources.box[wanted]).all()
    assert (taken.sources.quality == faces.sources.quality[wanted]).all()
    assert taken.sources.files == faces.sources.files


def test_take_of_bare_features_has_neither_truth_nor_sources():
    taken = some_faces(bare=True).take(np.array([1]))
    assert (len(taken), taken.dimension, taken.truth, taken.sources) == (1, 16, None, None)


BAD_FEATURES = {
    "one dimension": ([1.0, 2.0], r"shape \(2,\).*two dimensions"),
    "three dimensions": (np.ones((2, 2, 2)), "two dimensions"),
    "no face": (np.ones((0, 4)), "no face"),
    "no dimension": (np.ones((4, 0)), r"0 feature\(s\)"),
    "text": ([["a", "b"]], "need to be numbers"),
    "complex": (np.ones((2, 2), complex), "need to be numbers"),
    "objects": (np.array([[None, 1.0]], dtype=object), "need to be numbers"),
    "ragged": ([[1.0, 2.0], [3.0]], "rows differ in length"),
    "NaN": ([[1.0, np.nan], [1, 1], [np.nan, 0]], r"NaN or infinity in 2 rows \(0, 2\)"),
    "infinite": ([[1.0, 1.0], [-np.inf, 1]], r"NaN or infinity in 1 row \(1\)"),
    "too large for float32": ([[1.0, 1e300]], r"NaN or infinity in 1 row \(0\)"),
    "zero rows": ([[1.0, 1.0], [0, 0]], r"all zero in 1 row \(1\)"),
}


@pytest.mark.parametrize(("features", "said"), BAD_FEATURES.values(), ids=BAD_FEATURES)
def test_bad_features_are_refused_in_one_line(features, said):
    with pytest.raises(InputError, match=said) as refusal:
        FaceSet.of(features)
    assert "\n" not in str(refusal.value)


def test_a_signalling_nan_is_a_nan():
    features = np.ones((2, 2), np.float32)
    features.view(np.uint32)[1, 0] = 0x7FA00000
    with pytest.raises(InputError, match=r"NaN or infinity in 1 row \(1\)"):
        FaceSet.of(features)


def test_bad_rows_are_found_in_every_block(monkeypatch):
    monkeypatch.setattr(faceset, "BLOCK", 3)
    features = np.ones((11, 2), np.float32)
    features[[2, 3, 10]] = np.nan
    with pytest.raises(InputError, match=r"3 rows \(2, 3, 10\)"):
        FaceSet.of(features)
    features[[2, 3, 10]] = 0
    with pytest.raises(InputError, match=r"zero in 3 rows \(2, 3, 10\)"):
        FaceSet.of(features)


def test_many_bad_rows_are_named_in_part():
    with pytest.raises(InputError, match=r"9 rows \(0, 1, 2, 3, 4 and 4 more\)"):
        FaceSet.of(np.full((9, 2), np.inf))


BAD_TRUTH = {
    "too few": ([1, 2], "3 faces but 2 labels"),
    "too many": ([1, 2, 3, 4], "3 faces but 4 labels"),
    "two-dimensional": ([[1], [2], [3]], "one dimension"),
    "NaN": ([1.0, np.nan, 2.0], "NaN"),
    "ragged": ([[1], [2, 3], [4]], "rows differ in length"),
}


@pytest.mark.parametrize(("truth", "said"), BAD_TRUTH.values(), ids=BAD_TRUTH)
def test_labels_that_do_not_match_are_refused(truth, said):
    with pytest.raises(InputError, match=said):
        FaceSet.of(np.ones((3, 2)), truth)


def placed(n: int = 2, files: tuple[str, ...] = ("a", "b"), **changed: np.ndarray) -> Sources:
    whole = {
        "file": np.zeros(n, np.int32),
        "box": np.zeros((n, 4), np.float32),
        "quality": np.ones(n, np.float32),
    }
    return Sources(files, **(whole | changed))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"file": np.array([0, 2])}, "name file 2, but there are 2"),
        ({"file": np.array([0, -1])}, "name file -1"),
        ({"box": np.zeros((2, 3))}, "sources disagree"),
        ({"quality": np.zeros(3)}, "sources disagree"),
        ({"box": np.full((2, 4), np.nan)}, "NaN or infinity in box"),
        ({"quality": np.array([np.inf, 0])}, "NaN or infinity in box or quality"),
    ],
)
def test_sources_that_disagree_are_refused(changed, said):
    with pytest.raises(InputError, match=said):
        placed(**changed)


def test_as_many_sources_as_faces_are_wanted():
    with pytest.raises(InputError, match="3 faces but 2 sources"):
        FaceSet.of(np.ones((3, 2)), sources=placed(2))


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64"])
def test_large_features_are_scaled_on_disk_to_the_same_values(monkeypatch, tmp_path, dtype):
    features = np.random.default_rng(1).standard_normal((50, 6)).astype(dtype)
    np.save(tmp_path / "large.npy", features)
    in_memory = FaceSet.of(features)
    monkeypatch.setattr(faceset, "MAPPED_FROM", 1)
    monkeypatch.setattr(faceset, "BLOCK", 7)
    on_disk = FaceSet.of(np.load(tmp_path / "large.npy", mmap_mode="r"))
    assert isinstance(on_disk.features, np.memmap)
    assert on_disk.features.dtype == in_memory.features.dtype
    assert (on_disk.features == in_memory.features).all()
    assert [path.name for path in tmp_path.iterdir()] == ["large.npy"]


def test_large_unit_features_stay_the_map_they_are(monkeypatch, tmp_path):
    np.save(tmp_path / "unit.npy", np.eye(4, dtype=np.float32))
    monkeypatch.setattr(faceset, "MAPPED_FROM", 1)
    features = np.load(tmp_path / "unit.npy", mmap_mode="r")
    assert FaceSet.of(features).features is features


def test_a_full_disk_while_scaling_is_an_output_error(monkeypatch):
    monkeypatch.setattr(faceset, "MAPPED_FROM", 1)
    with room_for(100), pytest.raises(OutputError, match=r"no room to keep features on disk.*TMPDIR"):
        FaceSet.of(np.full((50, 6), 2, np.float32))


def test_features_beside_which_nothing_can_be_written_are_scaled_elsewhere(monkeypatch, tmp_path):
    monkeypatch.setattr(faceset, "MAPPED_FROM", 1)
    gone = tmp_path / "no such folder"
    made = faceset.filled((2, 1), np.dtype(np.float32), [np.ones((2, 1))], Path(gone))
    assert isinstance(made, np.memmap)
    assert made.tolist() == [[1], [1]]


def test_features_go_where_tmpdir_says_before_they_go_beside_others(monkeypatch, tmp_path):
    tried, opened = [], tempfile.TemporaryFile
    monkeypatch.setattr("tempfile.TemporaryFile", lambda **told: tried.append(told["dir"]) or opened(**told))
    monkeypatch.setattr(faceset, "MAPPED_FROM", 1)
    beside, roomy, gone = (tmp_path / name for name in ("beside", "roomy", "no such folder"))
    beside.mkdir()
    roomy.mkdir()
    for place in (roomy, gone):
        monkeypatch.setenv("TMPDIR", str(place))
        assert faceset.filled((1, 1), np.dtype(np.float32), [np.ones((1, 1))], beside).tolist() == [[1]]
    assert tried == [roomy, gone, beside]


def test_fewer_rows_than_announced_are_refused():
    with pytest.raises(InputError, match="3 rows are announced but 2 are there"):
        faceset.filled((3, 1), np.dtype(np.float32), [np.ones((2, 1))], None)


@pytest.mark.parametrize(
    "truth",
    [
        [-1, 3],
        ["-1", "a"],
        [b"-1", b"a"],
        np.array([-1.0, 2.0]),
        np.array([-1, 3], object),
        np.array([-1.0, "a"], object),
    ],
)
def test_faces_that_nobody_knows_are_no_person(truth):
    with pytest.raises(InputError, match="the truth is -1 for 1 face"):
        FaceSet.of(np.eye(2), truth=truth)


@pytest.mark.parametrize("truth", [["", "a"], [None, "a"], [float("nan"), "a"]])
def test_names_that_are_missing_are_no_person(truth):
    with pytest.raises(InputError, match="missing or empty"):
        FaceSet.of(np.eye(2), truth=np.array(truth, dtype=object))


@pytest.mark.parametrize(
    "truth",
    [
        [3, -1, 2],
        [3.0, np.nan, 2.0],
        ["b", "", "a"],
        ["b", "-1", "a"],
        [b"b", b"", b"a"],
        np.array(["b", None, "a"], object),
        np.array([3, -1, 2], object),
        np.array([3.0, -1.0, 2.0], object),
        np.array([3.0, np.nan, 2.0], object),
    ],
)
def test_faces_may_be_left_unknown_where_that_is_asked_for(truth):
    assert FaceSet.of(np.eye(3), truth, gaps=True).truth.tolist() == [1, -1, 0]
    with pytest.raises(InputError, match=r"truth is -1|NaN|missing"):
        FaceSet.of(np.eye(3), truth)


def test_masked_values_are_refused_in_one_line():
    with pytest.raises(InputError, match="masked array; leave out"):
        FaceSet.of(np.ma.masked_array(np.eye(3, dtype=np.float32)))


def test_a_face_set_is_shown_in_a_line():
    assert repr(FaceSet.of(np.eye(3))) == "FaceSet(3 faces of 3 values, no truth)"
    assert repr(FaceSet.of(np.eye(2), [1, -1], gaps=True)) == "FaceSet(2 faces of 2 values, 1 with a truth)"
