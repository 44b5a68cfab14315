import pytest

from personae.graph import search, tables
from personae.scale import cells_stage, search_stages


@pytest.fixture
def in_parts(monkeypatch):
    """Sets of any size are searched by cells of three tables, a few of them at a time."""
    monkeypatch.setattr(search, "SMALL", 0)
    monkeypatch.setattr(cells_stage, "SMALL", 0)
    monkeypatch.setattr(search_stages, "FACES", 70)
    monkeypatch.setattr(tables, "TABLES", 3)
    monkeypatch.setattr(tables.Tables, "cost", lambda of, _: -len(of.cells))
