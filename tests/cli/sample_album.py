"""The sample album, and the tables that `personae people` writes."""

import csv
from pathlib import Path

ALBUM = Path(__file__).resolve().parents[2] / "examples" / "sample_album"


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
