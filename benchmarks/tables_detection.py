"""The tables of GCN-D and GCN-S."""

from typing import Any

from benchmarks.figures import both_fs, results, table


def detection_strategies() -> str:
    """GCN-D with few proposals and with many: how many, F by predicted and by perfect scores, correlation."""
    rows = []
    for name in next(iter(results("detection")["results"].values()))["strategies"]:
        row: list[Any] = [name]
        for of in results("detection")["results"].values():
            found = of["strategies"][name]
            row += [f"{found['proposals']:,}", *map(both_fs, (found, found["perfect"])), found["correlation"]]
        rows.append(row)
    head = [f"{what}, {e}" for e in results("detection")["results"] for what in ("sets", "F", "perfect", "r")]
    return table(["proposals", *head], rows)


def detection_overlaps() -> str:
    """De-overlapping beside suppression, on the same scores."""
    found = results("detection")["results"]
    names = next(iter(found.values()))["overlaps"]
    cells = ([(of["overlaps"][name]) for of in found.values()] for name in names)
    rows = (
        [f"`{name}`", *(f"{both_fs(cell)}, {1000 * cell['seconds']:.1f} ms" for cell in row)]
        for name, row in zip(names, cells, strict=True)
    )
    return table(["", *found], rows)


def detection_refined() -> str:
    """Clusters of other methods before and after GCN-S."""
    lines = []
    for embedder, of in results("detection")["results"].items():
        for name, sides in of["refined"].items():
            cells = []
            for side in ("before", "after"):
                precision, recall = (sides[side][f"pairwise_{part}"] for part in ("precision", "recall"))
                cells += [both_fs(sides[side]), f"{precision:.1f}, {recall:.1f}"]
            lines.append([embedder, name, *cells])
    return table(["features", "method", "F before", "P, R before", "F after", "P, R after"], lines)


def detection_ablation() -> str:
    """GCN-D without each of its parts, in small trainings."""
    found = results("detection_ablation")
    rows = [
        [preset, name, f"{one['correlation']:.2f}", both_fs(one), *precision_and_recall(one)]
        for preset, variants in found["results"].items()
        for name, one in variants.items()
    ]
    return table(["preset", "variant", "r", "F", "precision", "recall"], rows)


def detection_scale() -> str:
    """What 100,000 faces cost, packed and padded, and how well they are done."""
    rows = [
        [
            row["case"],
            *(f"{row[name]:,}" for name in ("people", "proposals", "members", "largest")),
            *(f"{row[name]:,.0f}" for name in ("seconds", "cpu_seconds")),
            f"{row['peak_mib']:,}",
            f"{row['padded_cpu_seconds_scaled']:,.0f}",
            f"{row['times_less_cpu']:.1f}",
            both_fs(row),
        ]
        for row in results("detection_scale")["rows"]
    ]
    head = ["faces", "people", "proposals", "members", "largest", "seconds", "processor seconds", "peak MiB"]
    return table([*head, "padded, processor seconds", "times packed", "F"], rows)


def detection_steps() -> str:
    """The share of each step in the processor's time at 100,000 faces, and what takes overlaps apart."""
    rows = results("detection_scale")["rows"]
    lines = []
    for name in rows[0]["steps"]:
        cells = ((row["steps"][name]["cpu_seconds"], row["cpu_seconds"]) for row in rows)
        lines.append([name, *(f"{of:.1f} s, {100 * of / whole:.0f} %" for of, whole in cells)])
    for name in rows[0]["overlaps"]:
        cells = (row["overlaps"][name] for row in rows)
        lines.append([f"`{name}`", *(f"{both_fs(of)}, {of['cpu_seconds']:.2f} s" for of in cells)])
    return table(["step", *(row["case"] for row in rows)], lines)


def precision_and_recall(found: dict[str, Any]) -> list[str]:
    """Of pairs."""
    return [f"{found[f'pairwise_{part}']:.1f}" for part in ("precision", "recall")]
