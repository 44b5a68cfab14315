from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from personae.embed.thumbnail import MOST_BYTES, SIDE, thumbnail


def opened(jpeg):
    assert len(jpeg) <= MOST_BYTES
    picture = Image.open(BytesIO(jpeg))
    assert (picture.format, picture.size) == ("JPEG", (SIDE, SIDE))
    return np.asarray(picture).astype(int)


def box(*values):
    return np.array(values, np.float32)


def test_the_face_is_in_the_middle_with_something_around_it():
    picture = Image.new("RGB", (400, 300), "blue")
    picture.paste("red", (150, 100, 210, 180))
    shown = opened(thumbnail(picture, box(150, 100, 60, 80)))
    red = shown[:, :, 0] > 128
    rows, columns = np.flatnonzero(red.any(axis=1)), np.flatnonzero(red.any(axis=0))
    assert abs(rows.mean() - SIDE / 2) < 3
    assert abs(columns.mean() - SIDE / 2) < 3
    assert len(rows) == pytest.approx(SIDE * 80 / (1.5 * 80), abs=4)


@pytest.mark.parametrize(
    ("size", "face"),
    [
        ((50, 40), box(0, 0, 50, 40)),
        ((1000, 20), box(990, 0, 10, 20)),
        ((3000, 2000), box(5, 5, 1900, 1990)),
        ((60, 60), box(58, 59, 2, 1)),
        ((1, 1), box(0, 0, 1, 1)),
        ((300, 300), box(100, 100, 0, 0)),
    ],
)
def test_faces_at_the_edge_and_of_any_size_have_a_thumbnail(size, face):
    opened(thumbnail(Image.new("RGB", size, "green"), face))


def test_the_busiest_picture_stays_small():
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    opened(thumbnail(Image.fromarray(noise), box(50, 50, 80, 80)))
