"""Work in stages on disk: what is done stays done, whatever happens to the run."""

import errno
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from personae import __version__
from personae.data.atomic import atomic_write, sweep
from personae.errors import InputError, OutputError
from personae.heard import Told
from personae.link.weights import plain
from personae.scale.shards import HERE, Workplace, refuse_more_than_room
from personae.scale.sizes import shown

PART = ".part"  # the folder of a stage that is not done
READ = 1 << 24
PACKAGES = ("numpy", "scipy", "numba")


class Desk(NamedTuple):
    """Where a stage works.

    folder: its own; what is left in it after a kill is of the same stage with the same parameters
    of:     the folders of the stages before
    memory: bytes that may be held
    told:   to be called with how much is done, of how much, and of which part of the stage
    place:  where its shards are worked on
    """

    folder: Path
    of: Mapping[str, Path]
    memory: int
    place: Workplace
    told: "Part"

    def refuse_more_than_memory(self, needed: int) -> None:
        """InputError if more bytes are needed than may be held."""
        _refuse_more(self.folder.parent.name.removesuffix(PART), needed, self.memory)


class Part(Protocol):
    """Called with how many faces are done, of how many; `part` says of what, where a stage has several."""

    def __call__(self, done: int, total: int, part: str = "") -> None: ...


class Ran(NamedTuple):
    """A stage that is done.

    fresh: whether it was worked on now
    """

    folder: Path
    record: Mapping[str, Any]
    fresh: bool


@dataclass(frozen=True)
class Stage:
    """A step that reads the stages in `after` and writes files into its folder.

    parameters: all that the files depend on besides the stages in `after`; JSON
    work:       returns counts, JSON
    memory:     bytes that the process holds at most meanwhile
    disk:       bytes in the folder at most
    """

    name: str
    parameters: Mapping[str, Any]
    after: Sequence[str]
    work: Callable[[Desk], Mapping[str, Any]]
    memory: int
    disk: int


class Run(NamedTuple):
    """How stages are worked on.

    memory: bytes that a process may hold
    told:   called with how far a stage is
    place:  where shards are worked on
    """

    memory: int
    told: Told
    place: Workplace = HERE


GoesOn = Callable[[Mapping[str, Ran]], bool]


def run_stages(
    stages: Sequence[Stage], workdir: Path, run: Run, goes_on: GoesOn = lambda _: True
) -> dict[str, Ran]:
    """All stages by name, each done; only those are worked on that are missing, or depend on what changed.

    goes_on: asked before each, with those that are done; the rest is left out where it says no

    A stage is done if its JSON tells the same parameters and the same checksums of the stages before it, and
    its files have the checksum that it tells. Memory and disk are checked before anything is done, of the first
    stage that is not done and of those behind it.

    InputError: a stage needs more memory. OutputError: no room on the disk, before or meanwhile; what is
    done stays, and the same call goes on from there. Two runs in one folder at once would undo each other's.
    """
    workdir = workdir.absolute()
    try:
        workdir.mkdir(parents=True, exist_ok=True)
        return _ran(stages, workdir, run, goes_on)
    except OSError as error:
        reason = error
        if isinstance(error, OutputError):
            if not isinstance(error.__cause__, OSError):
                raise
            reason = error.__cause__
        full = reason.errno in (None, errno.ENOSPC, errno.EDQUOT)  # numpy's own tells no number
        mend = "make room and give the same command again" if full else "choose another place"
        raise OutputError(f"cannot write in {workdir}: {reason.strerror or reason}; {mend}") from error


def _ran(stages: Sequence[Stage], workdir: Path, run: Run, goes_on: GoesOn) -> dict[str, Ran]:
    ran = _done_before(stages, workdir, goes_on)
    left = stages[len(ran) :] if goes_on(ran) else []
    if left:
        over = max(left, key=lambda stage: stage.memory)
        _refuse_more(over.name, over.memory, run.memory)
        _refuse_full_disk(left, workdir)
    for stage in left:
        if not goes_on(ran):
            break
        about = _about(stage, ran)
        record = done(workdir, about)
        folders = {name: ran[name].folder for name in stage.after}
        ran[stage.name] = Ran(
            workdir / stage.name,
            record or _worked(stage, about, workdir, folders, run),
            fresh=record is None,
        )
    for stage in stages:
        shutil.rmtree(workdir / (stage.name + PART), ignore_errors=True)
    return ran


def _done_before(stages: Sequence[Stage], workdir: Path, goes_on: GoesOn) -> dict[str, Ran]:
    """The stages up to the first that is not done, or that is left out."""
    ran: dict[str, Ran] = {}
    for stage in stages:
        record = done(workdir, _about(stage, ran)) if goes_on(ran) else None
        if record is None:
            break
        ran[stage.name] = Ran(workdir / stage.name, record, fresh=False)
    return ran


def _about(stage: Stage, ran: Mapping[str, Ran]) -> dict[str, Any]:
    """All that the files of a stage depend on, by the stages before it."""
    return {
        "stage": stage.name,
        "parameters": dict(stage.parameters),
        "after": {name: ran[name].record["checksum"] for name in stage.after},
        "personae": __version__,
    }


def done(workdir: Path, about: Mapping[str, Any]) -> dict[str, Any] | None:
    """The record of a stage that is done as `about` says, or None."""
    folder = workdir / about["stage"]
    try:
        record: dict[str, Any] = json.loads((workdir / f"{about['stage']}.json").read_text())
        same = all(record[name] == value for name, value in _plain(about).items())
        return record if same and record["checksum"] == checksum_of(folder) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def checksum_of(folder: Path) -> str:
    """Of the names and the bytes of all files in a folder, BLAKE2b."""
    total = hashlib.blake2b(digest_size=16)
    for file in sorted(folder.iterdir()):
        total.update(f"{file.name}\0{file.stat().st_size}\0".encode())
        with file.open("rb") as opened:
            while block := opened.read(READ):
                total.update(block)
    return total.hexdigest()


def _worked(
    stage: Stage, about: Mapping[str, Any], workdir: Path, folders: Mapping[str, Path], run: Run
) -> dict[str, Any]:
    """The record of a stage, done now; what a killed run of the same left is gone on with.

    What the work tells is written as soon as it is done, so that a kill behind that costs a checksum alone.
    """
    part, folder, file = workdir / (stage.name + PART), workdir / stage.name, workdir / f"{stage.name}.json"
    begun, own, worked = part / "begun.json", part / "files", part / "worked.json"
    if not begun.is_file() or json.loads(begun.read_text()) != _plain(about):
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        _write(begun, about)
    if not worked.is_file() or not (own.is_dir() or folder.is_dir()):
        own.mkdir(exist_ok=True)
        sweep(own)
        began, busy = time.monotonic(), time.process_time()
        counts = stage.work(
            Desk(
                own,
                folders,
                run.memory,
                run.place,
                lambda count, total, part="": run.told(stage.name + part, count, total),
            )
        )
        sweep(own)  # of shards whose worker was lost
        seconds = {
            "seconds": round(time.monotonic() - began, 2),
            "processor_seconds": round(time.process_time() - busy, 2),
        }
        _write(worked, {"counts": dict(counts), **seconds})
    if own.is_dir():
        file.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        own.rename(folder)
    record = {
        **about,
        "versions": {package: version(package) for package in PACKAGES},
        **json.loads(worked.read_text()),
        "bytes": sum(path.stat().st_size for path in folder.iterdir()),
        "checksum": checksum_of(folder),
    }
    _write(file, record)
    begun.unlink()
    return record


def _write(file: Path, record: Mapping[str, Any]) -> None:
    with atomic_write(file) as temporary:
        temporary.write_text(json.dumps(record, indent=1, default=plain) + "\n")


def _refuse_more(name: str, needed: int, memory: int) -> None:
    if needed > memory:
        raise InputError(
            f"the stage {name} needs {shown(needed, up=True)} of memory and {shown(memory)} may be held; "
            f"give --memory {shown(needed, up=True)} where there is as much"
        )


def _refuse_full_disk(stages: Sequence[Stage], workdir: Path) -> None:
    """OutputError if there is less room than all stages need, less what a killed run has of them."""
    files = (path for stage in stages for path in (workdir / (stage.name + PART)).rglob("*") if path.is_file())
    there = sum(path.stat().st_size for path in files)
    refuse_more_than_room(sum(stage.disk for stage in stages) - there, workdir)


def _plain(value: Mapping[str, Any]) -> dict[str, Any]:
    """As it reads back from JSON."""
    read: dict[str, Any] = json.loads(json.dumps(value, default=plain))
    return read
