"""What many tests share: planted people, and the real embeddings where they are."""

from pathlib import Path

import pytest
from hypothesis import settings

from personae.data import FaceSet
from tests.planted import made_faces

settings.register_profile("steady", deadline=None, derandomize=True)  # compiled code is slow the first time
settings.load_profile("steady")

SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not SHARED.is_dir():
        for item in items:
            if item.get_closest_marker("data"):
                item.add_marker(pytest.mark.skip(reason="needs ../shared"))


@pytest.fixture(scope="session")
def planted() -> FaceSet:
    """280 faces: a few large people, many small ones, sixty lone faces."""
    return made_faces([40, 25, 20, *[10] * 8, *[5] * 11, *[1] * 60])


@pytest.fixture(scope="session")
def shared() -> Path:
    return SHARED
