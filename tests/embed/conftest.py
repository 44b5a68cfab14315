"""The sample album, and small folders made out of it."""

import csv
import shutil
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

SAMPLE = Path(__file__).resolve().parents[2] / "examples" / "sample_album"


@pytest.fixture(scope="session")
def sample() -> Path:
    return SAMPLE / "photos"


@pytest.fixture(scope="session")
def people_in() -> dict[str, list[str]]:
    """Who is in each photo of the sample album, from left to right."""
    shown = defaultdict(list)
    with (SAMPLE / "truth.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            shown[row["photo"]].append(row["person"])
    return dict(shown)


@pytest.fixture(scope="session")
def two_faces(people_in: dict[str, list[str]]) -> list[str]:
    """The photos of two people."""
    return sorted(photo for photo, people in people_in.items() if len(people) == 2)


@pytest.fixture(scope="session")
def portrait(sample: Path) -> Image.Image:
    """A photo of one person, wider than high, so that a turned one shows."""
    return next(
        picture
        for path in sorted(sample.iterdir())
        if (picture := Image.open(path).convert("RGB")).width > picture.height
    )


@pytest.fixture
def folder(tmp_path: Path, sample: Path) -> Callable[..., Path]:
    """Makes a folder with the named photos of the sample album, or its first few."""

    def make(*names: str, first: int = 0) -> Path:
        place = tmp_path / "photos"
        place.mkdir(exist_ok=True)
        for name in names or [path.name for path in sorted(sample.iterdir())[:first]]:
            shutil.copy(sample / name, place / name)
        return place

    return make
