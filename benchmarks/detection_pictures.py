"""Pictures of GCN-D's and GCN-S's figures, docs/images/gcn_*.png: `python -m benchmarks.detection_pictures`.

Made of the results of `benchmarks.detection` and `benchmarks.detection_ablation`.
"""

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.figures import results

IMAGES = Path(__file__).parent.parent / "docs" / "images"
BLUE, ORANGE, GREY = "#3b6ea5", "#d9822b", "#a5b1bd"
COLORS = (GREY, "#8fb8de", BLUE, "#1d3a5c", ORANGE, "#5f9e6e", "#b2504a")
MARKS = "osD^vPX"


def strategies() -> Figure:
    """How many proposals there are against both F, by predicted scores and by perfect ones."""
    found = results("detection")["results"]
    figure, axes = panels(found)
    for axis, (embedder, of) in zip(axes, found.items(), strict=True):
        for number, (name, one) in enumerate(of["strategies"].items()):
            at, look = one["proposals"], {"color": COLORS[number], "marker": MARKS[number], "ls": ""}
            axis.plot([at, at], [one["bcubed_f"], one["perfect"]["bcubed_f"]], color="#d5dce4", zorder=0)
            axis.plot(at, one["bcubed_f"], label=name, **look)
            axis.plot(at, one["perfect"]["bcubed_f"], fillstyle="none", **look)
        axis.set(title=embedder, xlabel="proposals", ylabel="BCubed F; hollow: by perfect scores")
    below(figure, axes[0])
    return figure


def refined() -> Figure:
    """Pairwise F of other methods before and after GCN-S."""
    found = results("detection")["results"]
    figure, axes = panels(found)
    for axis, (embedder, of) in zip(axes, found.items(), strict=True):
        names = list(of["refined"])[::-1]
        sides = [[of["refined"][name][side]["pairwise_f"] for name in names] for side in ("before", "after")]
        beside(axis, names, {"before": sides[0], "after GCN-S": sides[1]})
        axis.set(title=embedder, xlabel="pairwise F")
    below(figure, axes[0])
    return figure


def overlaps() -> Figure:
    """Time against BCubed F of what takes overlaps apart, at 13,233 faces."""
    found = results("detection")["results"]
    figure, axes = panels(found)
    for axis, (embedder, of) in zip(axes, found.items(), strict=True):
        for number, (name, one) in enumerate(of["overlaps"].items()):
            color = BLUE if name.startswith("DeOverlap") else ORANGE
            at = 1000 * one["seconds"], one["bcubed_f"]
            axis.plot(*at, color=color, marker=MARKS[number % 3], ls="", label=name)
        axis.set(title=embedder, xlabel="milliseconds", ylabel="BCubed F", xscale="log")
        axis.ticklabel_format(axis="y", useOffset=False)
    below(figure, axes[0])
    return figure


def ablation() -> Figure:
    """Both F in small trainings without each part."""
    found = results("detection_ablation")["results"]
    figure, axes = panels(found)
    for axis, (preset, of) in zip(axes, found.items(), strict=True):
        names = list(of)[::-1]
        fs = {f: [of[name][f"{f.lower()}_f"] for name in names] for f in ("Pairwise", "BCubed")}
        beside(axis, names, {f"{f} F": values for f, values in fs.items()})
        axis.set(title=preset, xlabel="F")
    below(figure, axes[0])
    return figure


def panels(sides: Any) -> tuple[Figure, Any]:
    figure = Figure(figsize=(9, 3.9), layout="constrained")
    return figure, figure.subplots(1, len(sides))


def beside(axis: Axes, names: list[str], values: dict[str, list[float]]) -> None:
    """Two bars a name."""
    for number, (label, row) in enumerate(values.items()):
        places = [place + 0.2 - 0.4 * number for place in range(len(names))]
        axis.barh(places, row, 0.38, label=label, color=BLUE if number else GREY)
    axis.set_yticks(range(len(names)), names, fontsize=7)


def below(figure: Figure, axis: Axes) -> None:
    """One legend for all panels."""
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=7)


def main() -> None:
    for draw in (strategies, refined, overlaps, ablation):
        draw().savefig(IMAGES / f"gcn_{draw.__name__}.png", dpi=110)


if __name__ == "__main__":
    main()
