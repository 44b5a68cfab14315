"""The commands put together, and what the shell is told when one of them fails."""

import errno
import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from personae import __version__
from personae.cli import cluster_features, cluster_linkage, cluster_neighborhood, tracks
from personae.cli.benchmark import benchmark
from personae.cli.cluster import cluster_commands
from personae.cli.compare import compare
from personae.cli.doctor import doctor
from personae.cli.embed import embed
from personae.cli.evaluate import evaluate
from personae.cli.export import export_commands, xmp
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
WRITTEN = ("out", "plot", "constraints_out")  # what options of files to write are called; others are read
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


def sparing(command: Callable[..., None]) -> Callable[..., None]:
    """The command, that before any work refuses to write over what it reads or what else it writes."""

    @wraps(command)
    def checked(**told: Any) -> None:
        from personae.data.formats import refuse_overwriting

        read = [told[name] for name in told if name not in WRITTEN]
        files = [one for value in read for one in (value if isinstance(value, list) else [value])]
        if command is xmp and told["photos"].is_dir():
            files.remove(told["photos"])  # sidecars may lie among the photos
        results: list[Path] = []
        for result in (told[name] for name in WRITTEN if told.get(name) is not None):
            refuse_overwriting(result, [file for file in files if isinstance(file, Path)])
            if result.resolve() in results:
                raise OutputError(f"cannot write two results to {result}; choose another name for one")
            results.append(result.resolve())
        command(**told)

    return checked


for command in (people, embed, knn, update, evaluate, compare, benchmark, doctor):
    app.command()(command)
app.add_typer(cluster_commands, name="cluster")
app.add_typer(train_commands, name="train")
app.add_typer(export_commands, name="export")
for group in (app, cluster_commands, train_commands, export_commands):
    for each in group.registered_commands:
        assert each.callback is not None  # every command is a function
        each.callback = sparing(each.callback)


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
