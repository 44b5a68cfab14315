"""The tables of collections that grow, and of those that are large."""

from statistics import mean

from benchmarks.figures import both_fs, pair_of, results, table


def scale() -> str:
    """Every stage at every size."""
    lines = []
    for row in results("scale")["rows"]:
        rate = row["faces"] / max(row["seconds"], 0.01)
        quality = f"recall {row['near_recall']:.3f}" if "near_recall" in row else ""
        sizes = (f"{row[size]:,}" for size in ("peak_mib", "told_mib", "disk_mib"))
        about = [
            f"{row['faces']:,}",
            row["method"] if row["stage"] in ("links", "labels") else "",
            row["stage"],
        ]
        scores = f"F {both_fs(row)}" if "bcubed_f" in row else quality
        lines.append([*about, f"{row['seconds']:.1f}", f"{rate:,.0f}", *sizes, scores])
    head = [
        "faces",
        "method",
        "stage",
        "seconds",
        "faces a second",
        "peak MiB",
        "MiB told before",
        "MiB on disk",
    ]
    return table([*head, "quality"], lines)


def update() -> str:
    """Collections fed in batches, means over the seeds."""
    rows = results("update")["rows"]
    lines = []
    for key in dict.fromkeys((row["set"], row["way"]) for row in rows):
        here = [row for row in rows if (row["set"], row["way"]) == key]
        one, moved = ([row[name] for row in here if name in row] for name in ("median_seconds", "other_ids"))
        told = [f"{mean(one):.2f}", f"{mean(moved):.2f} %"] if one else ["", ""]
        lines.append([*key, pair_of(here), f"{mean(row['seconds'] for row in here):.1f}", *told])
    head = ["set", "way", "F_P / F_B", "seconds in all", "median of an update"]
    return table([*head, "old faces with another id, an update"], lines)


def update_scale() -> str:
    """One update of a large collection."""
    lines = []
    for row in results("update")["large"]:
        counts, times = (f"{row['faces']:,}", f"{row['new']:,}"), (row["full_seconds"], row["seconds"])
        scores = both_fs(row["before"]), both_fs(row["after"])
        lines.append([*counts, *(f"{seconds:.1f}" for seconds in times), *scores])
    return table(["faces", "new", "full run, seconds", "update, seconds", "F_P / F_B before", "after"], lines)
