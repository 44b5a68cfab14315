import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from personae.embed.yunet import (
    COARSE,
    FINE,
    OVERLAP,
    STRIDES,
    SURE,
    Detections,
    apart,
    decode,
    looks,
    padded,
    within,
    yunet,
)


def made_outputs(height, width, seed):
    rng = np.random.default_rng(seed)
    outputs = {}
    for stride in STRIDES:
        cells = height // stride * (width // stride)
        for kind, size in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
            values = rng.random((1, cells, size)) if size == 1 else rng.normal(0, 1, (1, cells, size))
            outputs[f"{kind}_{stride}"] = values.astype(np.float32)
    return outputs


@pytest.mark.parametrize(("height", "width"), [(96, 160), (32, 32), (64, 32)])
def test_decoding_is_what_the_paper_says_cell_by_cell(height, width):
    outputs = made_outputs(height, width, seed=width)
    expected = []
    for stride in STRIDES:
        for row in range(height // stride):
            for column in range(width // stride):
                cell = row * (width // stride) + column
                sure, here, box, points = (
                    outputs[f"{k}_{stride}"][0, cell] for k in ("cls", "obj", "bbox", "kps")
                )
                score = math.sqrt(sure[0] * here[0])
                if score < SURE:
                    continue
                x, y = (column + box[0]) * stride, (row + box[1]) * stride
                w, h = math.exp(box[2]) * stride, math.exp(box[3]) * stride
                landmarks = [
                    ((points[2 * i] + column) * stride, (points[2 * i + 1] + row) * stride) for i in range(5)
                ]
                expected.append(([x - w / 2, y - h / 2, w, h], landmarks, score))
    found = decode(outputs, width)
    assert len(found) == len(expected)
    for row, (box, landmarks, score) in enumerate(expected):
        np.testing.assert_allclose(found.boxes[row], box, rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(found.landmarks[row], landmarks, rtol=1e-4, atol=1e-3)
        assert found.scores[row] == pytest.approx(score, rel=1e-5)


def overlap(a, b):
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


@given(
    st.lists(st.tuples(*[st.integers(0, 60)] * 2, *[st.integers(1, 40)] * 2, st.integers(70, 100)), max_size=25)
)
def test_each_face_is_kept_once(candidates):
    boxes = np.array([c[:4] for c in candidates], np.float32).reshape(-1, 4)
    scores = np.array([c[4] / 100 for c in candidates], np.float32)
    found = Detections(boxes, np.zeros((len(boxes), 5, 2), np.float32), scores).distinct()
    expected = []
    for row in sorted(range(len(boxes)), key=lambda row: -scores[row]):
        if all(overlap(boxes[row].tolist(), boxes[other].tolist()) <= OVERLAP for other in expected):
            expected.append(row)
    np.testing.assert_array_equal(found.boxes, boxes[expected])
    np.testing.assert_array_equal(found.scores, scores[expected])
    assert apart(found.boxes) == list(range(len(found)))


def test_the_detector_sees_blue_first_in_multiples_of_32():
    picture = Image.new("RGB", (50, 33), (10, 20, 30))
    pixels = padded(picture)
    assert pixels.shape == (1, 3, 64, 64)
    assert [band[:33, :50].mean() for band in pixels[0]] == [30, 20, 10]
    assert pixels[0, :, 33:].max() == pixels[0, :, :, 50:].max() == 0


@pytest.mark.parametrize("size", [(1, 1), (640, 480), (4000, 3000), (30_000, 400), (2, 20_000)])
def test_the_looks_are_of_bounded_size(size):
    shown = looks(Image.new("RGB", size))
    for look, most in zip(shown, (FINE, COARSE), strict=False):
        assert look.width * look.height <= 1.02 * most
    assert len(shown) == (2 if size[0] * size[1] > 400 * 400 else 1)
    if size[0] * size[1] <= FINE:
        assert shown[0].size == size


def test_boxes_end_with_the_picture():
    boxes = np.array([[-10, 5, 30, 10], [90, 90, 30, 30], [-30, 5, 40, 10], [10, 10, 5, 5]], np.float32)
    landmarks = np.random.default_rng(0).random((4, 5, 2)).astype(np.float32)
    landmarks[3] = 7
    found = within(Detections(boxes, landmarks, np.ones(4, np.float32)), (110, 120))
    np.testing.assert_array_equal(found.boxes, [[0, 5, 20, 10], [90, 90, 20, 30]])


def test_every_face_of_the_sample_album_is_found(sample, people_in):
    wrong = {}
    for photo, people in people_in.items():
        found = yunet().find(Image.open(sample / photo).convert("RGB"))
        if len(found) != len(people):
            wrong[photo] = len(found)
    assert not wrong
    assert sum(map(len, people_in.values())) == 177


@pytest.mark.parametrize("side", [64, 150, 1000, 3000])
def test_a_face_is_found_at_any_size(portrait, side):
    times = side / portrait.height
    resized = portrait.resize((round(portrait.width * times), side), Image.Resampling.BICUBIC)
    here, there = yunet().find(portrait), yunet().find(resized)
    assert len(here) == len(there) == 1
    assert overlap(here.boxes[0], there.boxes[0] / times) > 0.7


def test_an_empty_picture_has_no_face():
    found = yunet().find(Image.new("RGB", (1000, 700), "gray"))
    assert len(found) == 0
    assert found.boxes.shape == (0, 4)
    assert found.landmarks.shape == (0, 5, 2)
