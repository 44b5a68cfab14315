"""Files that are either the old ones or the new ones, never half of each."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from personae.errors import OutputError

PREFIX = ".writing-"


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside `path`; what is written there replaces `path` when the block ends well.

    After an error or a kill `path` is what it was before. The temporary name keeps the suffix, since some
    writers choose the format by it.

    OutputError: the folder cannot be written, or the disk is full.
    """
    path = Path(path)
    temporary = path.with_name(f"{PREFIX}{os.getpid()}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except OutputError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"cannot write {path}: {reason}; make room or choose another place") from error
    finally:
        temporary.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Removes what a killed run left half-written directly in `folder`."""
    for leftover in folder.glob(f"{PREFIX}*"):
        leftover.unlink(missing_ok=True)
