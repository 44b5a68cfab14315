"""Tables of README and docs, made from results/*.json: `python -m benchmarks.tables`.

A table stands between `<!-- table NAME -->` and `<!-- end -->`; NAME is a function below.
"""

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.record import RESULTS

ROOT = Path(__file__).parent.parent
SPOT = re.compile(r"(<!-- table (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def unlearned() -> str:
    """Every unlearned method on every set, pairwise F / BCubed F."""
    rows = results("unlearned")["rows"]
    sets = list(dict.fromkeys(row["set"] for row in rows))
    cells: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        parameters = re.sub(r"oracle.*", "best tau, chosen with the labels", row["parameters"])
        cells.setdefault((row["method"], parameters), {})[row["set"]] = (
            f"{row['pairwise_f']:.1f} / {row['bcubed_f']:.1f}"
        )
    return table(
        ["method", "parameters", *(f"`{name}`" for name in sets)],
        ([f"**{m}**" if m == "Auto" else m, p, *(of[name] for name in sets)] for (m, p), of in cells.items()),
    )


def embed() -> str:
    """Rates of the stages of embedding."""
    found = results("embed")
    return table(["stage", "faces a second"], ([name, f"{rate:,.0f}"] for name, rate in found["rates"].items()))


def knn() -> str:
    """Exact search beside its floor."""
    return table(
        ["faces", "d", "k", "seconds", "GFLOP/s", "times the floor"],
        (
            [f"{c['faces']:,}", c["d"], c["k"], f"{c['seconds']:.1f}", c["gflops"], f"{c['ratio']:.2f}"]
            for c in results("knn")["cases"]
        ),
    )


TABLES: dict[str, Callable[[], str]] = {"unlearned": unlearned, "embed": embed, "knn": knn}


def results(name: str) -> Any:
    return json.loads((RESULTS / f"{name}.json").read_text())


def table(head: list[str], rows: Iterable[list[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in lines)


def filled(text: str) -> str:
    """The text with every table made anew."""
    return SPOT.sub(lambda spot: spot[1] + TABLES[spot[2]]() + spot[3], text)


def pages() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def main() -> None:
    for page in pages():
        page.write_text(filled(page.read_text()))


if __name__ == "__main__":
    main()
