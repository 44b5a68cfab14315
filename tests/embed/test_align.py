import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from personae.embed.align import SIDE, TEMPLATE, crop_face, similarity_transforms, source_pixels


def umeyama(source, target):
    """Equations 40 to 42 of the paper, written out."""
    to_source, to_target = source - source.mean(axis=0), target - target.mean(axis=0)
    u, singular, v = np.linalg.svd(to_target.T @ to_source / len(source))
    keep = np.diag([1.0, np.sign(np.linalg.det(u) * np.linalg.det(v))])
    rotation = u @ keep @ v
    scale = (singular * np.diag(keep)).sum() / to_source.var(axis=0).sum()
    return np.column_stack([scale * rotation, target.mean(axis=0) - scale * rotation @ source.mean(axis=0)])


def bilinear(picture, transform):
    """Each pixel of the crop looked up in the picture, one after the other."""
    inverse = np.linalg.inv(np.vstack([transform, [0, 0, 1]]))
    height, width, _ = picture.shape
    crop = np.zeros((SIDE, SIDE, 3))
    for v in range(SIDE):
        for u in range(SIDE):
            x, y, _ = inverse @ [u, v, 1]
            if not (0 <= x <= width - 1 and 0 <= y <= height - 1):
                continue
            left, top = min(int(x), width - 2), min(int(y), height - 2)
            across, down = x - left, y - top
            upper = picture[top, left] * (1 - across) + picture[top, left + 1] * across
            lower = picture[top + 1, left] * (1 - across) + picture[top + 1, left + 1] * across
            crop[v, u] = upper * (1 - down) + lower * down
    return crop


def similarity(scale, degrees, x, y):
    turn = scale * np.exp(1j * np.radians(degrees))
    return np.array([[turn.real, -turn.imag, x], [turn.imag, turn.real, y]])


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(0, 256, (200, 240, 3), dtype=np.uint8)


@given(arrays.arrays(np.float64, (5, 2), elements=st.floats(-1e3, 1e3, width=16)))
def test_the_transform_is_the_one_of_umeyama(landmarks):
    covariance = (TEMPLATE - TEMPLATE.mean(axis=0)).T @ (landmarks - landmarks.mean(axis=0))
    singular = np.linalg.svd(covariance)[1]
    assume(singular[0] + np.sign(np.linalg.det(covariance)) * singular[1] > 1)  # else any direction fits alike
    np.testing.assert_allclose(
        similarity_transforms(landmarks[None])[0], umeyama(landmarks, TEMPLATE), rtol=1e-6, atol=1e-6
    )


def test_many_faces_give_the_transforms_of_each():
    landmarks = np.random.default_rng(1).normal(100, 30, (7, 5, 2))
    together = similarity_transforms(landmarks)
    assert together.shape == (7, 2, 3)
    for face in range(7):
        np.testing.assert_allclose(together[face], similarity_transforms(landmarks[face : face + 1])[0])


def test_no_faces_give_no_transforms():
    assert similarity_transforms(np.empty((0, 5, 2))).shape == (0, 2, 3)


def test_landmarks_moved_by_a_similarity_are_moved_back():
    moved = TEMPLATE @ similarity(2.5, 30, 400, 100)[:, :2].T + [400, 100]
    transform = similarity_transforms(moved[None])
    np.testing.assert_allclose(np.column_stack([moved, np.ones(5)]) @ transform[0].T, TEMPLATE, atol=1e-9)
    np.testing.assert_allclose(source_pixels(transform), [2.5])


def test_a_mirrored_face_is_not_mirrored_back():
    mirrored = TEMPLATE * [-1, 1]
    assert np.linalg.det(similarity_transforms(mirrored[None])[0, :, :2]) > 0


@pytest.mark.parametrize("turned", [0, 17, -90, 180])
@pytest.mark.parametrize("scale", [0.8, 1, 1.7])
def test_the_crop_is_the_picture_between_its_pixels(noise, scale, turned):
    middle = similarity(scale, turned, 0, 0)[:, :2] @ [120, 100]
    transform = similarity(scale, turned, 56 - middle[0], 56 - middle[1])
    expected = bilinear(noise.astype(float), transform)
    inside = expected.any(axis=2)
    assert inside.mean() > 0.9
    got = crop_face(Image.fromarray(noise), transform).astype(float)
    assert np.abs(got - expected)[inside].max() < 1.001  # whole numbers, rounded down


@pytest.mark.parametrize("factor", [2, 3, 8])
def test_a_large_face_is_averaged_down(factor):
    picture = np.random.default_rng(2).integers(0, 256, (SIDE * factor, SIDE * factor, 3), dtype=np.uint8)
    shift = (1 / factor - 1) / 2  # the middle of the first block of pixels goes to the first pixel
    transform = np.array([[1 / factor, 0, shift], [0, 1 / factor, shift]])
    blocks = picture.reshape(SIDE, factor, SIDE, factor, 3).mean(axis=(1, 3))
    got = crop_face(Image.fromarray(picture), transform)
    assert np.abs(got - blocks).max() <= 1


def test_the_crop_is_black_where_the_picture_ends():
    white = Image.new("RGB", (50, 50), "white")
    crop = crop_face(white, similarity(1, 0, 0, 0))
    assert crop[10:40, 10:40].min() == 255
    assert crop[60:].max() == 0
    assert crop_face(white, similarity(0.1, 0, 900, 900)).max() == 0
