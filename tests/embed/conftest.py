"""The sample album, and small folders made out of it."""

import csv
import shutil
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.embed.made_video import Actor, Shot, portraits, write_video

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


@pytest.fixture(scope="session")
def two_shots(tmp_path_factory):
    """A film of 2.4 seconds: two people, then one of them and a third at the places of the first two."""
    people = [(person, pictures[0]) for person, pictures in sorted(portraits(SAMPLE).items())[:3]]
    first = [standing(*people[0], 180), standing(*people[1], 460)]
    second = [standing(*people[2], 180), standing(*people[0], 460)]
    film = tmp_path_factory.mktemp("film")
    shots = [Shot(first, (200, 60, 30), 30), Shot(second, (20, 90, 200), 30)]
    write_video(film / "film.mp4", shots)
    return film, shots


def standing(person, picture, x):
    return Actor(person, picture, (x, 180, 170.0), (x, 180, 170.0))
