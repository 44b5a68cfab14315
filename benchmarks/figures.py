"""Figures read back, and how tables show them."""

import json
from collections.abc import Iterable
from statistics import mean
from typing import Any

from benchmarks.record import RESULTS

BOTH = ("pairwise_f", "bcubed_f")


def results(name: str) -> Any:
    return json.loads((RESULTS / f"{name}.json").read_text())


def table(head: list[str], rows: Iterable[list[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in lines)


def pair_of(rows: list[dict[str, Any]]) -> str:
    """Means of pairwise F / BCubed F."""
    there = [row for row in rows if "refused" not in row]
    return " / ".join(f"{mean(row[f] for row in there):.1f}" for f in BOTH) if there else "refused"


def both_fs(found: dict[str, Any]) -> str:
    """Pairwise F / BCubed F."""
    return " / ".join(f"{found[f]:.1f}" for f in BOTH)
