"""Files that are either the old ones or the new ones, never half of each."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from personae.errors import OutputError

PREFIX = ".writing-"


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside `path`; what is written there replaces `path` when the block ends well.

    After an error or a kill `path` is what it was before. The temporary name keeps the suffix, since some
    writers choose the format by it.

    OutputError: the folder cannot be written, the disk is full, or a folder or device has that name.
    """
    path = Path(path)
    temporary = path.parent / f"{PREFIX}{os.getpid()}-{path.name}"
    try:
        if path.exists() and not path.is_file():
            raise OutputError(f"cannot write {path}: it is a folder or device; choose another name")
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
        with suppress(OSError):  # not there, or under a path that is no folder
            temporary.unlink()


def sweep(folder: Path) -> None:
    """Removes what a killed run left half-written directly in `folder`."""
    for leftover in folder.glob(f"{PREFIX}*"):
        leftover.unlink(missing_ok=True)
