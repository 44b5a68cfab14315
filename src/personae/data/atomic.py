"""Files that are either the old ones or the new ones, never half of each."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
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
    digest = blake2b(os.fsencode(path.name), digest_size=8).hexdigest()  # no longer than a name may be
    temporary = path.parent / f"{PREFIX}{os.getpid()}-{digest}{path.suffix}"
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


def refuse_no_place(path: Path) -> None:
    """OutputError where no file can come to stand at `path`; to be asked before long work.

    The folder needs to be there, since a wrong letter in its name is likelier than a new one.
    """
    if path.is_dir():
        raise OutputError(f"cannot write {path}: it is a folder; give the name of a file")
    if not path.parent.is_dir():
        raise OutputError(f"cannot write {path}: there is no folder {path.parent}; make it first")
    if not os.access(path.parent, os.W_OK):
        raise OutputError(f"cannot write {path}: the folder {path.parent} is read-only; choose another place")


def sweep(folder: Path) -> None:
    """Removes what a killed run left half-written directly in `folder`."""
    for leftover in folder.glob(f"{PREFIX}*"):
        leftover.unlink(missing_ok=True)
