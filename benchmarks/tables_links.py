"""The tables of what link models say."""

from typing import Any

from benchmarks.figures import pair_of, results, table


def mediator() -> str:
    """CDP's vote and its mediator, alone and with a committee: means over the seeds."""
    rows = results("mediator")["rows"]
    sets = list(dict.fromkeys((row["direction"], row["embedder"]) for row in rows))
    lines = []
    for method, committee in dict.fromkeys((row["method"], row["committee"]) for row in rows):
        of = {"method": method, "committee": committee}
        found = [those(rows, of | {"direction": there, "embedder": embedder}) for there, embedder in sets]
        lines.append([method, committee, *map(pair_of, found), len(found[0])])
    head = [f"{direction}, base {embedder}" for direction, embedder in sets]
    return table(["pairs by", "committee", *head, "seeds"], lines)


def those(rows: list[dict[str, Any]], key: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for row in rows if key.items() <= row.items()]


def links() -> str:
    """How long link models take, beside their floors and plain forms."""
    lines = []
    for row in results("links")["rows"]:
        plain = "plain_seconds_scaled" in row
        times = [f"{row[name]:,.1f}" for name in ("seconds", "cpu_seconds", "floor_cpu_seconds")]
        slow = (
            (f"{row['plain_cpu_seconds_scaled']:,.1f}", f"{row['times_less_cpu']:.1f}") if plain else ("", "")
        )
        lines.append([row["model"], f"{row['asked']:,}", *times, *slow, f"{row['peak_mib']:,}"])
    head = ["model", "faces asked", "seconds", "processor seconds", "floor", "plain, processor seconds"]
    return table([*head, "times less", "peak MiB"], lines)


def experiment(name: str) -> str:
    """One of the papers' comparisons."""
    rows = those(results("experiments")["rows"], {"experiment": name})
    more = {
        "auc": "AUC",
        "tpr_at_fpr_1e2": "TPR at FPR 1 %",
        "tpr_at_fpr_1e3": "at 0.1 %",
    }
    shown = [(column, title) for column, title in more.items() if column in rows[0]]
    lines = []
    for row in rows:
        both = (f"{row[f'pairwise_{part}']:.1f}" for part in ("precision", "recall"))
        rest = (f"{row[column]:.1f}" for column, _ in shown)
        lines.append([row["variant"], pair_of([row]), *both, f"{row['nmi']:.1f}", *rest])
    head = ["variant", "F_P / F_B", "precision", "recall", "NMI", *(title for _, title in shown)]
    return table(head, lines)


def albums() -> str:
    """The models that come along, and the default, on small collections: means over the draws."""
    rows = results("albums")["rows"]
    names = list(dict.fromkeys(row["method"] for row in rows))
    lines = []
    for source, embedder, people in dict.fromkeys((row["set"], row["embedder"], row["people"]) for row in rows):
        here = those(rows, {"set": source, "embedder": embedder, "people": people})
        found = (pair_of(those(here, {"method": name})) for name in names)
        lines.append([f"{source}, {embedder}", people, here[0]["faces"], *found])
    return table(["drawn from", "people", "faces", *names], lines)
