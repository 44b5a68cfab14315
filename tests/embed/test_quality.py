import numpy as np
import pytest
from PIL import Image, ImageFilter

from personae.embed.quality import quality, sharpness


@pytest.fixture
def face(portrait):
    return portrait.resize((112, 112))


def crop(picture):
    return np.asarray(picture)


def test_sharpness_is_the_spread_of_the_laplacian_over_the_spread_of_the_values(face):
    green = crop(face)[16:104, 16:96, 1].astype(float)
    laplacian = [
        green[y, x - 1] + green[y, x + 1] + green[y - 1, x] + green[y + 1, x] - 4 * green[y, x]
        for y in range(1, green.shape[0] - 1)
        for x in range(1, green.shape[1] - 1)
    ]
    assert sharpness(crop(face)) == pytest.approx(np.std(laplacian) / np.std(green), rel=1e-4)


def test_quality_is_the_geometric_mean_of_its_parts(face):
    sharp = sharpness(crop(face))
    parts = (0.85 - 0.6) / 0.35, 0.5 / 0.7, sharp / (sharp + 0.1)
    assert quality(0.85, 0.5, crop(face)) == pytest.approx(np.prod(parts) ** (1 / 3), rel=1e-5)


def test_a_blurred_a_small_and_an_unsure_face_are_worse(face):
    best = quality(0.93, 1.5, crop(face))
    for radius in (1, 2, 4):
        worse = quality(0.93, 1.5, crop(face.filter(ImageFilter.GaussianBlur(radius))))
        assert worse < best
        best = worse
    assert quality(0.93, 0.3, crop(face)) < quality(0.93, 1.5, crop(face))
    assert quality(0.75, 1.5, crop(face)) < quality(0.93, 1.5, crop(face))


def test_a_dark_face_is_not_called_blurred(face):
    dark = face.point(lambda value: value // 4)
    assert sharpness(crop(dark)) == pytest.approx(sharpness(crop(face)), rel=0.2)


def test_quality_stays_between_0_and_1(face):
    noise = np.random.default_rng(0).integers(0, 256, (112, 112, 3), dtype=np.uint8)
    for shown in (crop(face), noise, np.zeros((112, 112, 3), np.uint8)):
        for score in (0.5, 0.7, 1.0):
            for size in (1e-3, 1, 1e3):
                assert 0 <= quality(score, size, shown) <= 1
    assert quality(0.9, 1, crop(Image.new("RGB", (112, 112), "gray"))) == 0
