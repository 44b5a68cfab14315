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
