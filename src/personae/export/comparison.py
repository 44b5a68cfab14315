"""A picture of methods side by side: quality against time, larger for more memory."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from personae.comparison import Compared
from personae.data.atomic import atomic_write
from personae.errors import InputError, MissingExtraError

PICTURES = (".png", ".svg", ".pdf")


def refuse_other_picture(path: Path) -> None:
    """What `draw` would refuse, to be asked before the runs that it shows.

    InputError: another suffix. MissingExtraError: matplotlib is not installed.
    """
    if path.suffix.lower() not in PICTURES:
        raise InputError(f"{path}: a picture is written as {', '.join(PICTURES)}; choose such a name")
    if find_spec("matplotlib") is None:
        raise MissingExtraError("a picture needs matplotlib; pip install 'personae[plots]'")


def draw(results: Sequence[Compared], path: Path) -> None:
    """Writes a picture, PNG, SVG or PDF by the suffix. Hollow marks were chosen with the labels.

    InputError: another suffix. MissingExtraError: matplotlib is not installed. OutputError: `path` cannot be
    written.
    """
    refuse_other_picture(path)
    from matplotlib.figure import Figure  # noqa: PLC0415  (optional)

    figure = Figure(figsize=(9, 5.5), layout="constrained")
    axes = figure.subplots(1, 2, sharex=True, sharey=True)
    for axis, name in zip(axes, ("pairwise F", "BCubed F"), strict=True):
        for result in results:
            if result.evaluation is None:
                continue
            score = result.evaluation.pairwise if name == "pairwise F" else result.evaluation.bcubed
            face = "none" if result.oracle else "tab:blue"
            at = max(result.seconds, 1e-3), 100 * score.f
            axis.scatter(*at, s=20 + result.peak_mib, facecolors=face, edgecolors="tab:blue", alpha=0.7)
            axis.annotate(result.method, at, xytext=(5, 4), textcoords="offset points", fontsize=8)
        axis.set_xscale("log")
        axis.margins(x=0.2)
        axis.set_xlabel("seconds after the kNN graph")
        axis.set_title(name)
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("%")
    figure.suptitle("hollow: parameters chosen with the labels; area: memory", fontsize=9)
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=150)
