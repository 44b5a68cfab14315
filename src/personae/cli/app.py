"""The commands put together, and what the shell is told when one of them fails."""

import errno
import os
import sys
from typing import Annotated, NoReturn

import typer

from personae import __version__
from personae.cli import cluster_features, cluster_linkage, cluster_neighborhood, tracks
from personae.cli.benchmark import benchmark
from personae.cli.cluster import cluster_commands
from personae.cli.compare import compare
from personae.cli.doctor import doctor
from personae.cli.embed import embed
from personae.cli.evaluate import evaluate
from personae.cli.export import export_commands
from personae.cli.knn import knn
from personae.cli.learned import train_commands
from personae.cli.people import people
from personae.cli.progress import on_terminal
from personae.cli.update import update
from personae.errors import OutputError, PersonaeError

METHOD_COMMANDS = (
    cluster_features,
    cluster_linkage,
    cluster_neighborhood,
    tracks,
)  # each registers its commands when it is imported
INTERRUPTED = 130
RESUMED, STAGED = ("people", "embed"), ("--workdir", "--folder")

app = typer.Typer(
    name="personae",
    help="Finds the people in a pile of faces: photos or face embeddings in, one group a person out.",
    epilog="Exit codes: 0 done, 1 a defect of personae, 2 wrong options, 3 bad input, 4 package missing, "
    "5 cannot write, 130 stopped.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"personae {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    pass


for command in (people, embed, knn, update, evaluate, compare, benchmark, doctor):
    app.command()(command)
app.add_typer(cluster_commands, name="cluster")
app.add_typer(train_commands, name="train")
app.add_typer(export_commands, name="export")


def main() -> NoReturn:
    """Runs the command line and leaves with its exit code."""
    try:
        with on_terminal():
            app()
    except PersonaeError as error:
        typer.echo(f"personae: {error}", err=True)
        sys.exit(error.exit_code)
    except SystemExit as left:  # an interrupt arrives as this
        if left.code == INTERRUPTED:
            resumes = sys.argv[1] in RESUMED or any(word.startswith(STAGED) for word in sys.argv)
            typer.echo(
                "personae: interrupted" + "; the same command goes on where it stopped" * resumes,
                err=True,
            )
        if not isinstance(left.__context__, BrokenPipeError):
            raise  # else whoever read the output has gone; what was to be written is
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        typer.echo(f"personae: cannot write to the standard output: {error.strerror}", err=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(OutputError.exit_code)
    sys.exit(0)
