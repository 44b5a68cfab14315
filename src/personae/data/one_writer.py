"""One writer at a time: of two programs that read, change and write the same, one would undo the other's work.

The lock is the system's own, on a small file beside what is changed, so it is gone with the program that holds
it, however that ends. Where a file system has no locks nobody is kept out.
"""

import errno
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from personae.errors import OutputError

LOCK = ".lock"
LOOK_EVERY = 0.2  # seconds
NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK}
Told = Callable[[str], None]

if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        os.lseek(file, 1 << 20, os.SEEK_SET)  # behind the text, which others may then read
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        os.lseek(file, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def one_writer_of(file: Path, waiting: Told | None = None) -> Iterator[None]:
    """Holds a file that is about to be read, changed and written.

    waiting: waits for whoever holds it, and is told so once; without it that is an OutputError

    OutputError: somebody holds it, or its folder cannot be written.
    """
    with _held(file.with_name(f".{file.name}{LOCK}"), file, waiting):
        yield


@contextmanager
def one_writer_in(folder: Path) -> Iterator[None]:
    """Holds a folder, which is made if it is missing, and does not stay if it is left empty then.

    OutputError: somebody holds it, or it cannot be written.
    """
    missing = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot work in {folder}: {error.strerror}; choose another place") from error
    try:
        with _held(folder / LOCK, folder, None):
            yield
    finally:
        if missing:
            with suppress(OSError):  # not empty
                folder.rmdir()


@contextmanager
def _held(lock: Path, what: Path, waiting: Told | None) -> Iterator[None]:
    try:
        file = _taken(lock)
        if file is None:
            line = f"{what} is in use by {_holder(lock)}"
            if waiting is None:
                raise OutputError(f"{line}; wait until that is done, or choose another place")
            waiting(f"{line}; waiting until that is done")
        while file is None:
            time.sleep(LOOK_EVERY)
            file = _taken(lock)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write {lock}: {error.strerror}; choose another place") from error
    try:
        yield
    finally:
        with suppress(OSError):  # Windows removes no open file
            lock.unlink()
        os.close(file)


def _taken(lock: Path) -> int | None:
    """The open file with the lock on it, and the holder's name in it; None if somebody else has it."""
    while True:
        file = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(file)
        except OSError as error:
            if error.errno not in NO_LOCKS:
                os.close(file)
                if error.errno in (errno.EAGAIN, errno.EACCES, errno.EDEADLK):
                    return None
                raise
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file), lock.stat()):
                _sign(file)
                return file
        os.close(file)  # its holder removed it in between


def _sign(file: int) -> None:
    with suppress(OSError):  # a full disk
        os.ftruncate(file, 0)
        os.write(file, f"process {os.getpid()} on {platform.node()}".encode())


def _holder(lock: Path) -> str:
    """Who has the lock, as far as the file tells."""
    with suppress(OSError):
        return lock.read_text() or "another program"
    return "another program"
