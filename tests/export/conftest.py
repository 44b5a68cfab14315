"""People made up from labels, with photos that exist."""

from collections.abc import Callable
from pathlib import Path

import pytest

from personae.export import People
from tests.export.made_people import HOSTILE, made_people


@pytest.fixture
def people_of() -> Callable[..., People]:
    return made_people


@pytest.fixture
def hostile() -> tuple[str, ...]:
    return HOSTILE


@pytest.fixture
def photos(tmp_path: Path) -> Callable[[People], Path]:
    """Writes a small file for each photo and returns the folder."""

    def write(people: People) -> Path:
        for file in people.sources.files:
            path = tmp_path / "photos" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"photo {file!r}".encode())
        return tmp_path / "photos"

    return write
