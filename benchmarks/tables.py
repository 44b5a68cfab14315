"""Tables of README and docs, made from results/*.json: `python -m benchmarks.tables`.

A table stands between `<!-- table NAME -->` and `<!-- end -->`; NAME is a function below.
"""

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.record import RESULTS

FS = ("pairwise", "bcubed")
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
    """Rates of the stages of embedding, and of the whole."""
    found = results("embed")["results"]
    rates = found["faces_per_second_of_one_thread"]
    rows = [[f"{stage}, one thread", f"{rate:,.0f}"] for stage, rate in rates.items()]
    rows.append([f"all of it, {found['workers']} threads", f"{found['faces_per_second']:,.0f}"])
    rows.append(["the two networks alone, as many threads", f"{found['faces'] / found['floor_seconds']:,.0f}"])
    return table(["stage", "faces a second"], rows)


def evaluate() -> str:
    """Time and memory of the metrics."""
    rows = []
    for found in results("evaluate")["results"].values():
        seconds = found.get("seconds", round(found.get("seconds_for_the_curve", 0), 2))
        peak = f"{found['peak_mib']:,} MiB" if "peak_mib" in found else "-"
        rows.append([found["case"], f"{seconds:.2f} s", peak])
    return table(["case", "time", "peak memory, input included"], rows)


def synthetic() -> str:
    """Methods on real sets and on made ones, pairwise F / BCubed F."""
    found = results("synthetic")["results"]
    methods = list(next(iter(found.values()))["real"]["methods"])
    rows = []
    for name, sides in found.items():
        for side in ("real", "synthetic"):
            cells = [sides[side]["methods"][method] for method in methods]
            values = [tuple(cell[f]["mean"] if side == "synthetic" else cell[f] for f in FS) for cell in cells]
            rows.append(
                [name, "made" if side == "synthetic" else side, *(f"{p:.1f} / {b:.1f}" for p, b in values)]
            )
    return table(["set", "faces", *methods], rows)


def knn() -> str:
    """Exact search beside its floor."""
    return table(
        ["faces", "d", "k", "seconds", "GFLOP/s", "times the floor"],
        (
            [f"{c['faces']:,}", c["d"], c["k"], f"{c['seconds']:.1f}", c["gflops"], f"{c['ratio']:.2f}"]
            for c in results("knn")["cases"]
        ),
    )


def map_equation() -> str:
    """Programs that search the shortest description, on one graph."""
    found = results("map_equation")["results"]
    head = ["program", "seconds", "bytes an edge", "codelength", "modules", "people"]
    columns = ("seconds", "bytes_an_edge", "codelength", "modules", "people")
    return table(head, ([name, *(f"{of[column]:,}" for column in columns)] for name, of in found.items()))


TABLES: dict[str, Callable[[], str]] = {
    made.__name__: made for made in (unlearned, embed, evaluate, knn, map_equation, synthetic)
}


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
