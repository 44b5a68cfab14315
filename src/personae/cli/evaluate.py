"""`personae evaluate TRUTH LABELS`: how good the clusters are."""

import json as json_module
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Noise(StrEnum):
    """What a label of -1 means."""

    SINGLETONS = "singletons"
    DROP = "drop"
    CLUSTER = "cluster"


def evaluate(
    truth: Annotated[
        Path, typer.Argument(metavar="TRUTH", help="Identities: labels, or faces that hold them.")
    ],
    labels: Annotated[
        Path, typer.Argument(metavar="LABELS", help="Clusters found, with ids or in the same order.")
    ],
    noise: Annotated[Noise, typer.Option(help="What -1 in LABELS means.")] = Noise.SINGLETONS,
    ignore_unknown: Annotated[
        bool, typer.Option("--ignore-unknown", help="Leave out the faces that TRUTH does not know.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Score clusters against the truth: pairwise, BCubed, NMI, more."""
    from personae.data import read_truth_and_labels
    from personae.evaluation import evaluate as compare

    known, found = read_truth_and_labels(
        truth, labels, ignore_unknown=ignore_unknown, by_order=lambda line: typer.echo(line, err=True)
    )
    result = compare(known, found, noise=noise.value, ignore_unknown=ignore_unknown)
    typer.echo(json_module.dumps(result.as_dict(), indent=2) if json else result.table())
