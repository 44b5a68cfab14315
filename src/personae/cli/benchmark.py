"""`personae benchmark ms1m|ijbb|deepfashion --data DIR`: the papers' table on the papers' own data."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from personae.cli.compare import chosen_of, figures_place, hyphened
from personae.cli.learned import Preset
from personae.cli.progress import Progress, progress

if TYPE_CHECKING:
    from personae.papers import Line
    from personae.papers.published import Scores

HEAD = f"{'part':<18}{'method':<36}{'F_P / F_B / NMI':>20}{'published':>20}{'seconds':>10}  source"


def benchmark(
    data_set: Annotated[str, typer.Argument(metavar="ms1m|ijbb|deepfashion", help="Whose table.")],
    data: Annotated[Path, typer.Option(metavar="DIR", help="The published files: features, labels, knns.")],
    methods: Annotated[
        str | None, typer.Option(metavar="A,B,C", help="Which methods, by name; those of the table by default.")
    ] = None,
    preset: Annotated[
        Preset, typer.Option(help="Learned methods as published, or the variant for new people.")
    ] = Preset.PAPER,
    models: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where trained models are kept, and taken from when they are there."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="JSON", help="Where all the figures go, .json.", callback=figures_place),
    ] = None,
) -> None:
    """The papers' tables on their own data, beside the published.

    Trains on the part to learn from and clusters the others.
    """
    from contextlib import ExitStack

    from personae.methods import LEARNED, METHODS
    from personae.papers import DATA_SETS, refuse_unknown
    from personae.papers import benchmark as lines_of

    refuse_unknown(data_set, ())
    chosen = None if methods is None else chosen_of(methods, [*METHODS, *LEARNED])
    lines: list[Line] = []
    with ExitStack() as stack:

        def told(name: str) -> Progress:
            stack.close()  # that of the method before
            return stack.enter_context(progress(f"training {hyphened(name)}", "steps"))

        for line in lines_of(data_set, data, chosen, preset=preset.value, models=models, told=told):
            stack.close()
            if not lines:
                typer.echo(f"{DATA_SETS[data_set].title}, in percent\n{HEAD}")
            lines.append(line)
            typer.echo(row(line))
    if out is not None:
        keep(lines, data_set, preset, out)


def row(line: "Line") -> str:
    """One row of the table."""
    head = f"{line.part:<18}{line.title:<36}"
    if line.refused is not None:
        return f"{head}refused: {line.refused}"
    ours, seconds = "", ""
    if line.evaluation is not None:
        score = line.evaluation
        found = (score.pairwise.f, score.bcubed.f, score.information.nmi_geometric)
        ours, seconds = slashed(tuple(100 * value for value in found)), f"{line.seconds:,.1f}"
    published = slashed(line.published) if line.published else ""
    return f"{head}{ours:>20}{published:>20}{seconds:>10}  {line.source}".rstrip()


def slashed(scores: "Scores | tuple[float, ...]") -> str:
    """Percentages with slashes between, and a line where there is none."""
    return " / ".join("-" if score is None else f"{score:.1f}" for score in scores)


def keep(lines: "list[Line]", data_set: str, preset: Preset, out: Path) -> None:
    """Writes every figure as JSON."""
    from personae import __version__
    from personae.data.atomic import atomic_write

    whole = {
        "personae": __version__,
        "data_set": data_set,
        "preset": preset.value,
        "lines": [line.as_dict() for line in lines],
    }
    with atomic_write(out) as temporary:
        temporary.write_text(json.dumps(whole, indent=1) + "\n")
    typer.echo(f"figures: {out}")
