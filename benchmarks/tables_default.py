"""The tables of the default method."""

from statistics import mean
from typing import Any

from benchmarks.figures import BOTH, pair_of, results, table

UNSEEN = ("lfw", "small faces")  # of people of whom `benchmarks.expected` knows next to none
ASKED, TOLD = ("groups", "lone faces", "strays"), ("right", "asked", "expected")


def default() -> str:
    """The default on every collection beside the oracles and the defaults of others, means over the seeds."""
    rows = results("default")["rows"]
    methods = list(dict.fromkeys(row["method"] for row in rows if "refused" not in row))
    lines = []
    for name in dict.fromkeys(row["collection"] for row in rows):
        here = [row for row in rows if row["collection"] == name]
        auto = [row for row in here if row["method"] == "auto"]
        cells = [pair_of([row for row in here if row["method"] == method]) for method in methods]
        told = mean(row["expected"]["bcubed"]["f"] for row in auto)
        lines.append([name, f"{auto[0]['faces']:,}", *cells, f"{told:.1f}"])
    together = [row for row in rows if not row["collection"].startswith("lone faces only")]
    for name, some in (("mean", rows), ("mean without lone faces only", together)):
        means = [pair_of([row for row in some if row["method"] == method]) for method in methods]
        lines.append([f"**{name}**", "", *means, ""])
    return table(["collection", "faces", *methods, "F_B expected"], lines)


def default_kept() -> str:
    """How often what the default expects of itself came true."""
    every = [row for row in results("default")["rows"] if row["method"] == "auto"]
    unseen = [row for row in every if any(people in row["collection"] for people in UNSEEN)]
    lines = []
    for people, rows in (("all", every), ("others than it was learned from", unseen)):
        for name in ("pairwise", "bcubed"):
            told = [(row[f"{name}_f"], row["expected"][name]) for row in rows]
            away = [abs(found - score["f"]) for found, score in told]
            inside = [score["interval"][0] <= found <= score["interval"][1] for found, score in told]
            shares = (f"{100 * mean(share):.0f} %" for share in ([a <= 2 for a in away], inside))
            lines.append([people, name, len(told), f"{mean(away):.1f}", *shares])
    return table(["people", "F", "runs", "mean error", "within 2", "in the interval"], lines)


def suggestions() -> str:
    """What is asked of somebody who knows the people: right of asked, and how many were expected to be."""
    rows = results("suggestions")["rows"]
    lines = [[name, f"{row['faces']:,}", *asked([row])] for name, row in rows.items()]
    head = ["collection", "faces", *ASKED, "answered", "F_B before", "F_B after"]
    return table(head, [*lines, ["**all**", "", *asked(list(rows.values()))]])


def asked(rows: list[dict[str, Any]]) -> list[Any]:
    """The cells of some rows of `suggestions`, sums and means."""
    cells = []
    for kind in ASKED:
        right, many, told = (sum(row["as asked"][kind][key] for row in rows) for key in TOLD)
        cells.append(f"{right} of {many} ({told:.0f})")
    fs = (f"{100 * mean(row[look]['f'] for row in rows):.1f}" for look in ("as asked", "answered"))
    return [*cells, sum(row["answered"]["questions"] for row in rows), *fs]


def ablation() -> str:
    """The default without each of its steps and with other settings, against the default as it comes."""
    rows = results("ablation")["rows"]
    lines = []
    for row in rows:
        cells = [pair_of([row]), *(f"{row[f] - rows[0][f]:+.1f}" for f in BOTH)]
        worst = [f"{row[f'worst_{f}']:+.1f} ({row[f'worst_{f}_on']})" if row != rows[0] else "" for f in BOTH]
        lines.append([row["variant"], *cells, *worst])
    return table(["variant", "mean F_P / F_B", "F_P", "F_B", "worst F_P", "worst F_B"], lines)


def families() -> str:
    """The default on albums of which one person has most pictures, beside the oracle."""
    lines = []
    for row in results("families")["rows"]:
        oracle = pair_of([{name: row[f"oracle_{name}"] for name in BOTH}])
        worst = f"{row['worst_bcubed_f']:.1f}"
        lines.append([row["embedder"], f"{100 * row['share']:.0f} %", pair_of([row]), oracle, worst])
    return table(["embedder", "of one person", "auto", "oracle", "worst F_B"], lines)


def bursts() -> str:
    """The default where each picture is there many times, beside the oracle and the pictures alone."""
    lines = []
    for row in results("bursts")["rows"]:
        oracle, once = (pair_of([{name: row[f"{of}_{name}"] for name in BOTH}]) for of in ("oracle", "once"))
        worst = f"{row['worst_bcubed_f']:.1f}"
        near = f"{100 * row['near']:.0f} %"
        lines.append([near, row["times"], row["embedder"], pair_of([row]), oracle, once, worst])
    return table(["as far as", "times", "embedder", "auto", "oracle", "once", "worst F_B"], lines)


def few_faces() -> str:
    """The default on a handful of faces, with and without strangers from elsewhere."""
    rows = results("few_faces")["rows"]
    methods = list(dict.fromkeys(row["method"] for row in rows))
    lines = []
    for about in dict.fromkeys((row["embedder"], row["collections"]) for row in rows):
        here = {row["method"]: row for row in rows if (row["embedder"], row["collections"]) == about}
        lines.append([*about, *(_few(here[method]) if method in here else "" for method in methods)])
    return table(["embedder", "faces", *methods], lines)


def _few(row: dict[str, Any]) -> str:
    told = f", {row['expected_within']:.0f} %" if "expected_within" in row else ""
    return f"{row['right']:.0f} %, {row['bcubed_f']:.1f}, {row['worst_bcubed_f']:.1f}{told}"
