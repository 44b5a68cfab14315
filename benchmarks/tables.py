"""Tables of README and docs, made from results/*.json: `python -m benchmarks.tables`.

A table stands between `<!-- table NAME -->` and `<!-- end -->`; NAME is a function below.
"""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from benchmarks.figures import BOTH, results, table
from benchmarks.learned import DIRECTIONS
from benchmarks.tables_default import ablation, bursts, default, default_kept, families, few_faces, suggestions
from benchmarks.tables_detection import (
    detection_ablation,
    detection_overlaps,
    detection_refined,
    detection_scale,
    detection_steps,
    detection_strategies,
)
from benchmarks.tables_links import albums, experiment, links, mediator
from benchmarks.tables_scale import (
    foreign,
    kills,
    one_by_one,
    plan,
    scale,
    scale_short,
    update,
    update_scale,
)
from personae.methods import METHODS

FS = ("pairwise", "bcubed")
OF_LINKS = ("curve", "bound")
EXPERIMENTS = ("bounds", "l_gcn", "ve_gcn", "star_fc", "facet")
SHOWN = (  # of the unlearned methods, and whether with parameters chosen with the labels
    ("auto", False),
    ("facemap", False),
    ("fces", False),
    ("aro", False),
    ("hdbscan", False),
    ("dbscan", False),
    ("threshold", False),
    ("threshold", True),
)
SETS = ("lfw.sface", "lfw.dlib", "train.sface", "train.dlib")
NAMES = {name: method.__name__ for name, method in METHODS.items()} | {"auto": "**Auto**"}
ROOT = Path(__file__).parent.parent
SPOT = re.compile(r"(<!-- table (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def unlearned() -> str:
    """A few unlearned methods on every set, pairwise F / BCubed F."""
    rows = [row for row in results("unlearned")["rows"] if (row["method"], row["oracle"]) in SHOWN]
    sets = list(dict.fromkeys(row["set"] for row in rows))
    cells: dict[tuple[str, bool], dict[str, str]] = {}
    for row in rows:
        cells.setdefault((row["method"], row["oracle"]), {})[row["set"]] = (
            f"{row['pairwise_f']:.1f} / {row['bcubed_f']:.1f}"
        )
    return table(
        ["method", "parameters", *(f"`{name}`" for name in sets)],
        (
            [NAMES[name], "best, chosen with the labels" if oracle else "defaults", *(of[s] for s in sets)]
            for name, oracle in SHOWN
            for of in [cells[name, oracle]]
        ),
    )


def unlearned_on(name: str) -> str:
    """Every unlearned method on one set, every figure."""
    head = ["method", "parameters", "F_P", "F_B", "NMI", "clusters", "R#I", "R#S", "seconds", "MiB"]
    return table(head, (line(row) for row in results("unlearned")["rows"] if row["set"] == name))


def line(row: dict[str, Any]) -> list[Any]:
    """The cells of a row of `unlearned_on`."""
    chosen = ", ".join(f"{name}={value}" for name, value in row["parameters"].items())
    about = [NAMES[row["method"]], f"oracle: {chosen}" if row["oracle"] else "defaults"]
    if row.get("refused"):
        return [*about, f"refused: {row['refused']}", *[""] * 7]
    fs = [f"{row[f'{f}_f']:.1f} ({' to '.join(map(str, row[f'{f}_f_interval']))})" for f in FS]
    ratios = [f"{row[ratio]:,.1f}" for ratio in ("cluster_ratio", "singleton_ratio")]
    return [
        *about,
        *fs,
        f"{row['nmi']:.1f}",
        f"{row['clusters']:,}",
        *ratios,
        f"{row['seconds']:.1f}",
        row["peak_mib"],
    ]


def at_scale() -> str:
    """Every unlearned method at 200,000 faces."""
    rows = []
    for row in results("at_scale")["rows"]:
        chosen = ", ".join(f"{name}={value}" for name, value in row["parameters"].items())
        about = [NAMES[row["method"]], chosen or "defaults"]
        if "refused" in row:
            rows.append([*about, f"refused: {row['refused']}", *[""] * 4])
            continue
        times = [f"{row['seconds']:.1f}", f"{row['cpu_seconds']:.1f}"]
        scores = f"{row['pairwise_f']:.1f}", f"{row['bcubed_f']:.1f}"
        rows.append([*about, *times, f"{row['peak_mib']:,}", *scores])
    return table(["method", "parameters", "seconds", "processor seconds", "peak MiB", "F_P", "F_B"], rows)


def learned() -> str:
    """The learned methods on people they have not seen: means over the seeds with their standard deviation,
    pairwise F / BCubed F.
    """
    rows = results("learned")["rows"]
    sets = list(dict.fromkeys((row["direction"], row["embedder"]) for row in rows))
    ends = list(dict.fromkeys(embedder for _, embedder in sets))
    lines = []
    for name, preset in dict.fromkeys((row["method"], row["preset"]) for row in rows):
        cells, seeds = [], set()
        for direction, embedder in sets:
            key = {"method": name, "preset": preset, "direction": direction, "embedder": embedder}
            found = [row for row in rows if key.items() <= row.items()]
            seeds.add(len(found))
            cells.append(" / ".join(with_spread([row[f] for row in found]) for f in BOTH) if found else "")
        of = {"method": name, "preset": preset}
        overall = [
            over_both([row for row in rows if (of | {"embedder": one}).items() <= row.items()]) for one in ends
        ]
        lines.append([name, preset, *cells, *overall, " or ".join(map(str, sorted(seeds - {0})))])
    names = [*(f"{there}, {embedder}" for there, embedder in sets), *(f"mean, {one}" for one in ends)]
    return table(["method", "preset", *names, "seeds"], lines)


def over_both(rows: list[dict[str, Any]]) -> str:
    """The mean of both F over the directions, if all are there."""
    directions = [[row[f] for f in BOTH for row in rows if row["direction"] == one] for one in DIRECTIONS]
    return f"{mean(map(mean, directions)):.1f}" if all(directions) else ""


def with_spread(values: list[float]) -> str:
    """The mean, and where there are several how far they lie apart."""
    return f"{mean(values):.1f}" + (f" ± {stdev(values):.1f}" if len(values) > 1 else "")


def machine(name: str) -> str:
    """What a benchmark ran on, in one line."""
    of = results(name)["machine"]
    return f"{of['cores']} cores, {of['architecture']}, Python {of['python']}, NumPy {of['numpy']}.\n"


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
        seconds = found.get("seconds", sum(found.get(f"seconds_for_the_{part}", 0) for part in OF_LINKS))
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


def approximate() -> str:
    """Graphs of large sets, beside other programs; ratios to ours by the processor's time."""
    rows = results("approximate")["rows"]
    own = {row["faces"]: row["cpu_seconds"] for row in rows if row["program"] == "personae"}
    head = ["faces", "program", "setting", "seconds", "processor seconds", "times ours"]
    head += ["recall, same identity", "recall, all k", "peak MiB"]
    return table(
        head,
        (
            [
                f"{row['faces']:,}",
                row["program"],
                row["setting"],
                f"{row['seconds']:.1f}",
                f"{row['cpu_seconds']:.1f}",
                f"{row['cpu_seconds'] / own[row['faces']]:.1f}",
                f"{row['same_identity_recall']:.4f}",
                f"{row['recall_at_k']:.3f}",
                f"{row['peak_mib']:,}",
            ]
            for row in rows
        ),
    )


def map_equation() -> str:
    """Programs that search the shortest description, on the same graphs."""
    head = ["graph", "program", "processor seconds", "bytes an edge", "codelength", "modules", "people"]
    columns = ("seconds", "bytes_an_edge", "codelength", "modules", "people")
    return table(
        head,
        (
            [graph, name, *(f"{of[column]:,}" for column in columns)]
            for graph, programs in results("map_equation")["results"].items()
            for name, of in programs.items()
        ),
    )


def video() -> str:
    """People found in made films, a row a film; clusters, with and without constraints."""
    rows: dict[int, list[Any]] = {}
    found = results("video")["people"]
    methods = list(dict.fromkeys((row["method"], row["constraints"]) for row in found))
    for row in found:
        rows.setdefault(row["seed"], [row["seed"], row["tracks"], row["people"]])
        rows[row["seed"]].append(f"{row['wcp']:.1f} / {row['clusters']}")
    names = [f"{name}{', constraints' if held else ''}" for name, held in methods]
    return table(["film", "tracks", "people", *names], rows.values())


def video_memory() -> str:
    """What the length of a film costs."""
    head = ["minutes", "tracks", "seconds", "peak MiB"]
    return table(
        head, ([row[name.replace(" MiB", "_mib")] for name in head] for row in results("video")["memory"])
    )


def balls() -> str:
    """Tracks of people that were not learned from: means over the seeds."""
    found = results("balls")["rows"]
    rows: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in found:
        rows.setdefault((f"{row['direction']}, {row['embedder']}", row["method"]), []).append(row)
    lines = []
    for about, of in rows.items():
        shares = (f"{mean(one[name] for one in of):.1f}" for name in (*BOTH, "nmi", "wcp"))
        counts = (f"{mean(one[name] for one in of):,.0f}" for name in ("clusters", "people"))
        lines.append([*about, *shares, *counts, len(of)])
    return table(["set", "method", "F_P", "F_B", "NMI", "WCP", "clusters", "people", "seeds"], lines)


def films(bad: bool) -> str:
    """Tracks with bad frames, or without: means over the seeds, the number of people unknown, and told."""
    found = [row for row in results("films")["rows"] if (row["bad"] > 0) == bad]
    lines = []
    for about in dict.fromkeys((row["direction"], row["embedder"], row["method"]) for row in found):
        key = dict(zip(("direction", "embedder", "method"), about, strict=True))
        cells, seeds = [], set()
        for told in (False, True):
            rows = [row for row in found if {**key, "number": told}.items() <= row.items()]
            for names in (BOTH, ("nmi", "wcp")):
                shares = [f"{mean(row[name] for row in rows):.1f}" for name in names if rows]
                cells.append(" / ".join(shares))
            seeds |= {row["seed"] for row in rows}
            if not told:
                counts = [f"{mean(row[name] for row in rows):,.0f}" for name in ("clusters", "people") if rows]
                cells.append(" / ".join(counts))
        lines.append([f"{about[0]}, {about[1]}", about[2], *cells, len(seeds)])
    head = ["film", "method", "F_P / F_B", "NMI / WCP", "clusters / people"]
    return table([*head, "F_P / F_B, number told", "NMI / WCP, number told", "seeds"], lines)


TABLES: dict[str, Callable[[], str]] = {
    **{
        made.__name__: made
        for made in (
            unlearned,
            at_scale,
            default,
            default_kept,
            suggestions,
            ablation,
            families,
            bursts,
            few_faces,
            learned,
            embed,
            evaluate,
            knn,
            approximate,
            map_equation,
            synthetic,
            video,
            video_memory,
            balls,
            detection_strategies,
            detection_overlaps,
            detection_refined,
            detection_ablation,
            detection_scale,
            detection_steps,
            albums,
            mediator,
            links,
            scale,
            scale_short,
            kills,
            plan,
            foreign,
            one_by_one,
            update,
            update_scale,
        )
    },
    **{f"experiment_{name}": partial(experiment, name) for name in EXPERIMENTS},
    "films": partial(films, True),
    "films_clean": partial(films, False),
    **{f"unlearned_{name.replace('.', '_')}": partial(unlearned_on, name) for name in SETS},
    **{f"{name}_machine": partial(machine, name) for name in ("unlearned", "at_scale")},
}


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
