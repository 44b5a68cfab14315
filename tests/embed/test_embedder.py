from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from personae.embed.align import crop_face, similarity_transforms
from personae.embed.embedder import Embedder, Preprocessing, sface
from personae.embed.session import WEIGHTS, open_session
from personae.embed.yunet import yunet
from personae.errors import InputError

PLAIN = Preprocessing(mean=0, scale=1, color="rgb")


@pytest.fixture(scope="module")
def crops(sample):
    """(12, 112, 112, 3), faces of the sample album."""
    faces = []
    for path in sorted(sample.iterdir())[:12]:
        picture = Image.open(path).convert("RGB")
        landmarks = yunet().find(picture).landmarks[:1]
        faces.append(crop_face(picture, similarity_transforms(landmarks)[0]))
    return np.stack(faces)


def test_a_feature_is_unit_and_always_the_same(crops):
    feature = sface().embed(crops[0])
    assert feature.shape == (sface().dimension,) == (128,)
    assert feature.dtype == np.float32
    assert np.linalg.norm(feature) == pytest.approx(1, abs=1e-6)
    np.testing.assert_array_equal(feature, sface().embed(crops[0]))


def test_a_feature_is_the_output_for_the_stated_input(crops):
    session = open_session((WEIGHTS / "sface.onnx").read_bytes())
    values = crops[0].astype(np.float32).transpose(2, 0, 1)[None]
    (plain,) = session.run(None, {session.get_inputs()[0].name: values})
    np.testing.assert_allclose(sface().embed(crops[0]), plain[0] / np.linalg.norm(plain[0]), atol=1e-6)


def test_a_model_by_path_is_that_model(crops, tmp_path):
    copy = tmp_path / "mine.onnx"
    copy.write_bytes((WEIGHTS / "sface.onnx").read_bytes())
    mine = Embedder.load(copy, PLAIN)
    assert (mine.name, mine.dimension) == ("mine.onnx", 128)
    assert mine.fingerprint == sface().fingerprint
    np.testing.assert_array_equal(mine.embed(crops[1]), sface().embed(crops[1]))


def test_mean_scale_and_colour_order_reach_the_model(crops):
    crop = crops[0]
    assert Embedder.load(WEIGHTS / "sface.onnx").preprocessing == Preprocessing(127.5, 1 / 127.5, "rgb")
    other = Embedder.load(WEIGHTS / "sface.onnx", Preprocessing(mean=10, scale=0.5, color="bgr"))
    expected = ((crop[:, :, ::-1].astype(np.float32) - 10) * 0.5).transpose(2, 0, 1)[None]
    np.testing.assert_allclose(other.inputs(crop), expected)
    turned = Embedder.load(WEIGHTS / "sface.onnx", Preprocessing(0, 1, "bgr"))
    np.testing.assert_array_equal(turned.embed(crop[:, :, ::-1]), sface().embed(crop))
    assert np.dot(turned.embed(crop), sface().embed(crop)) < 0.99


def test_every_setting_has_a_fingerprint_of_its_own():
    settings = [PLAIN, Preprocessing(1, 1), Preprocessing(0, 2), Preprocessing(0, 1, "bgr")]
    assert len({Embedder.load(WEIGHTS / "sface.onnx", setting).fingerprint for setting in settings}) == 4


def test_other_files_are_refused_in_one_line(tmp_path):
    text = tmp_path / "model.onnx"
    text.write_text("not a model")
    wrong = {
        WEIGHTS / "yunet.onnx": r"yunet\.onnx has 1 inputs and 12 outputs; .*\(N, 3, 112, 112\)",
        text: "is not a model that ONNX Runtime can load",
        tmp_path / "missing.onnx": "cannot read the model .*missing.onnx: No such file",
        tmp_path: "cannot read the model",
    }
    for path, message in wrong.items():
        with pytest.raises(InputError, match=message) as caught:
            Embedder.load(path)
        assert "\n" not in str(caught.value)


def test_models_of_another_shape_are_refused(tmp_path):
    onnx = pytest.importorskip("onnx")

    def model(source, result, kind=onnx.TensorProto.FLOAT, op="Flatten"):
        graph = onnx.helper.make_graph(
            [onnx.helper.make_node(op, ["x"], ["y"])],
            "made",
            [onnx.helper.make_tensor_value_info("x", kind, source)],
            [onnx.helper.make_tensor_value_info("y", kind, result)],
        )
        path = tmp_path / "made.onnx"
        opset = [onnx.helper.make_opsetid("", 13)]
        path.write_bytes(onnx.helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString())
        return path

    d = 3 * 112 * 112
    assert Embedder.load(model(["n", 3, 112, 112], ["n", d])).dimension == d
    assert Embedder.load(model([1, 3, "h", "w"], [1, "d"])).dimension == d
    for path in (
        lambda: model(["n", 3, 160, 160], ["n", 3 * 160 * 160]),
        lambda: model(["n", 112, 112, 3], ["n", d]),
        lambda: model(["n", d], ["n", d]),
        lambda: model([8, 3, 112, 112], [8, d]),
        lambda: model(["n", 3, 112, 112], ["n", d], kind=onnx.TensorProto.DOUBLE),
        lambda: model(["n", 3, 112, 112], ["n", 3, 112, 112], op="Relu"),
    ):
        with pytest.raises(InputError, match=r"made\.onnx"):
            Embedder.load(path())
    zeros = Embedder.load(model(["n", 3, 112, 112], ["n", d]), PLAIN)
    with pytest.raises(InputError, match="no finite feature"):
        zeros.embed(np.zeros((112, 112, 3), np.uint8))


@pytest.mark.data
def test_the_packed_embedder_is_the_original_one(crops, shared: Path):
    original = Embedder.load(shared / "models" / "face_recognition_sface_2021dec.onnx", PLAIN)
    cosines = [float(original.embed(crop) @ sface().embed(crop)) for crop in crops]
    assert min(cosines) > 0.99999


@pytest.mark.data
def test_the_packed_detector_is_the_original_one(shared: Path, sample):
    original = open_session((shared / "models" / "face_detection_yunet_2023mar.onnx").read_bytes())
    picture = np.zeros((1, 3, 640, 640), np.float32)
    pixels = np.asarray(Image.open(sorted(sample.iterdir())[0]).convert("RGB"))[:, :, ::-1]
    picture[0, :, : pixels.shape[0], : pixels.shape[1]] = pixels.transpose(2, 0, 1)
    names = [output.name for output in original.get_outputs()]
    for one, other in zip(
        original.run(names, {"input": picture}), yunet().session.run(names, {"input": picture}), strict=True
    ):
        np.testing.assert_array_equal(one, other)
