"""The tables of collections that grow, and of those that are large."""

from statistics import mean

from benchmarks.figures import both_fs, pair_of, results, table
from personae import Auto
from personae.scale.cells_stage import LOOKED_UP, look_up_memory
from personae.scale.memory import of_auto_shard
from personae.scale.pipeline import disk_of, memory_of
from personae.scale.recipes import auto_recipe
from personae.scale.search_stages import run_size, shard_memory
from personae.scale.shards import ROWS

GROWTH = {"cells": 1.25, "knn": 1.5, "links": 1}  # powers of N
PASSES = 3  # of links over all faces, at least
RECALLS = ("same_identity_recall", "recall_at_k")


def scale() -> str:
    """Every stage at every size, and all of Auto's together."""
    lines, rows = [], results("scale")["rows"]
    for row in rows:
        quality = f"recall {row['near_recall']:.3f}" if "near_recall" in row else ""
        sizes = (f"{row[size]:,}" for size in ("peak_mib", "told_mib", "disk_mib"))
        about = [
            f"{row['faces']:,}",
            row["method"] if row["stage"] in ("links", "labels") else "",
            row["stage"],
        ]
        scores = f"F {both_fs(row)}" if "bcubed_f" in row else quality
        busy = row.get("cpu_seconds")
        rates = (f"{busy:.1f}", f"{row['faces'] / busy:,.0f}") if busy else ("", "")
        lines.append([*about, f"{row['seconds']:.1f}", *rates, *sizes, scores])
        if (row["method"], row["stage"]) == ("auto", "labels"):
            stages = [one for one in rows if one["method"] == "auto" and one["faces"] == row["faces"]]
            whole, both = (sum(stage[name] for stage in stages) for name in ("seconds", "cpu_seconds"))
            rates = f"{whole:.1f}", f"{both:.1f}", f"{row['faces'] / both:,.0f}"
            lines.append([about[0], "auto", "all four", *rates, "", "", "", ""])
    head = [
        "faces",
        "method",
        "stage",
        "seconds",
        "processor seconds",
        "faces a processor second",
        "peak MiB",
        "MiB told before",
        "MiB on disk",
    ]
    return table([*head, "quality"], lines)


def scale_short() -> str:
    """All stages of the default, for a first look."""
    rows = [row for row in results("scale")["rows"] if row["method"] == "auto"]
    lines = []
    for faces in dict.fromkeys(row["faces"] for row in rows):
        stages = [row for row in rows if row["faces"] == faces]
        minutes, peak = sum(row["seconds"] for row in stages) / 60, max(row["peak_mib"] for row in stages)
        lines.append([f"{faces:,}", f"{minutes:.1f}", f"{peak / 1024:.1f}", both_fs(stages[-1])])
    return table(["faces", "minutes", "peak GiB", "pairwise F / BCubed F"], lines)


def kills() -> str:
    """A run that was killed in every stage."""
    lines = []
    for row in results("kills")["rows"]:
        told = f"{row['takes']:.1f}", f"{row['killed_after']:.1f}"
        kept = "yes" if row["done_again"] else "no", "the same" if row["same_labels"] else "others"
        lines.append([f"{row['faces']:,}", row["stage"], *told, *kept])
    head = ["faces", "stage", "seconds in one piece", "killed after", "done again once finished"]
    return table([*head, "labels in the end"], lines)


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


def foreign() -> str:
    """How often sets of faces are refused as another embedder's, percent."""
    rows = results("foreign")["rows"]
    judges = [name for name in rows[0] if name == "model" or name.startswith("gallery")]
    lines = [
        [
            row["of"],
            row["faces"],
            row["kind"],
            row["n"],
            *(f"{100 * row[name] / row['sets']:.1f}" for name in judges),
        ]
        for row in rows
        if row["sets"]
    ]
    return table(["model or gallery of", "faces of", "they are", "n", *judges], lines)


def one_by_one() -> str:
    """Few new faces in a large gallery, beside HNSW."""
    lines = []
    for row in results("one_by_one")["rows"]:
        about = [f"{row['new']:,}", *(f"{row[name]:.3f}" for name in ("update", "grown", "hnsw_add"))]
        for beam in row["beams"]:
            recalls = (f"{beam[name]:.3f}" if name in beam else "" for name in RECALLS)
            lines.append([*about, beam["beam"], f"{beam['search']:.3f}", *recalls])
    head = ["new", "an update", "its search", "HNSW, add", "beam", "HNSW, search"]
    return table([*head, "recall, same identity", "recall, all k"], lines)


def plan() -> str:
    """Far more faces than were tried: formulas, and the rates of the largest sets that were measured."""
    measured, k = results("scale"), 80
    d = measured["d"]
    rows = sorted(measured["rows"], key=lambda row: int(row["faces"]))
    of = {row["stage"]: row for row in rows if row["method"] == "auto"}
    counts, lines = of["cells"]["counts"], []
    for n in (10**7, 10**8, 10**9):
        cells, probes = round(counts["cells"] * (n / counts["faces"]) ** 0.5), counts["probes"]
        runs = -(-n // run_size(n))
        shards = {
            "cells": counts["tables"] * -(-n // LOOKED_UP),
            "knn": (counts["tables"] + 1) * runs,
            "links": PASSES * -(-n // ROWS),
        }
        shard = {"cells": look_up_memory(d, cells, probes), "knn": shard_memory(n, d, k, probes)}
        shard["links"], whole = of_auto_shard(n, d), memory_of(n, d, auto_recipe(Auto(k)))["links"]
        disk = disk_of(n, k)
        for stage, count in shards.items():
            hours = of[stage]["cpu_seconds"] * (n / of[stage]["faces"]) ** GROWTH[stage] / 3600
            sizes = (f"{shard[stage] / 2**30:,.1f}", f"{disk[stage] / 2**40:,.2f}")
            lines.append([f"{n:,}", stage, f"{count:,}", f"{hours:,.1f}", *sizes])
        lines.append([f"{n:,}", "links, map equation", "1", "", f"{whole / 2**30:,.1f}", ""])
        lines.append([f"{n:,}", "features", "", "", "", f"{4 * n * d / 2**40:,.2f}"])
    return table(["faces", "stage", "shards", "core hours", "GiB a shard", "TiB on disk"], lines)
