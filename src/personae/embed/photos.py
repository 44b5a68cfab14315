"""Which files of a folder are photos."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from personae.errors import InputError

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".heic", ".heif")
FOLDERS_MANIFEST = ".personae-folders.json"  # lies in the folders of people that `personae people` makes


@dataclass(frozen=True)
class Skipped:
    """A photo that could not be used, and why.

    file: relative to the folder, "/" between parts
    """

    file: str
    reason: str


@dataclass(frozen=True)
class Photos:
    """The photos of a folder.

    folder:  where `files` start
    files:   relative paths in sorted order, "/" between parts, each a regular file or a link to one
    skipped: what could not even be listed
    """

    folder: Path
    files: tuple[str, ...]
    skipped: tuple[Skipped, ...]

    def path(self, file: str) -> Path:
        """Where a photo lies, from the root."""
        return Path.cwd() / self.folder / file


def photos_in(folder: Path) -> Photos:
    """All photos in a folder and below it, or the one photo that `folder` is.

    Names that start with a dot are left out. A link is followed, once, if what it leads to does not come by
    itself, so that no photo comes twice and no loop is entered.

    InputError: nothing there, or no photo; the message lists the endings looked for.
    """
    folder = Path(folder)
    if folder.is_file():
        if not is_photo(folder.name):
            raise InputError(f"{folder} is no photo by its name; photos end in {', '.join(ENDINGS)}")
        return Photos(folder.parent, (folder.name,), ())
    if not folder.is_dir():
        raise InputError(f"{folder} does not exist; give a folder of photos")
    skipped: list[Skipped] = []
    files: list[str] = []
    for path in walk(folder, skipped):
        file = path.relative_to(folder).as_posix()
        if not writable_as_text(file):
            skipped.append(Skipped(shown(file), "the name is not valid Unicode; rename the file"))
        elif path.is_file():
            files.append(file)
        elif path.is_symlink():
            skipped.append(Skipped(file, "a link to nothing"))
    if not files and not skipped:
        raise InputError(f"no photo in {folder} or below; photos end in {', '.join(ENDINGS)}")
    return Photos(folder, tuple(sorted(files)), tuple(skipped))


def walk(folder: Path, skipped: list[Skipped]) -> Iterator[Path]:
    """What is called like a photo in `folder` and below; folders that refuse are added to `skipped`."""
    roots = [Path(os.path.realpath(folder))]

    def refused(error: OSError) -> None:
        place = Path(error.filename).relative_to(folder).as_posix()
        skipped.append(Skipped(shown(place), f"the folder cannot be read: {error.strerror}"))

    def leads_on(path: Path) -> bool:
        if not path.is_symlink():
            return True
        target = Path(os.path.realpath(path))
        if any(root.is_relative_to(target) or comes_by_itself(target, root) for root in roots):
            return False
        if target.is_dir():
            roots.append(target)
        return True

    for place, folders, names in os.walk(folder, followlinks=True, onerror=refused):
        here = Path(place)
        if FOLDERS_MANIFEST in names and here != folder:
            folders.clear()  # the people of an earlier run: photos that are here already
            continue
        folders[:] = [name for name in sorted(folders) if name[0] != "." and leads_on(here / name)]
        yield from (here / name for name in sorted(names) if is_photo(name) and leads_on(here / name))


def comes_by_itself(target: Path, root: Path) -> bool:
    """Whether the walk from `root` meets this file or folder without any link."""
    if not target.is_relative_to(root) or not target.exists():
        return False
    hidden = any(part.startswith(".") for part in target.relative_to(root).parts)
    return not hidden and (target.is_dir() or is_photo(target.name))


def is_photo(name: str) -> bool:
    """Whether a file of this name is looked at."""
    return not name.startswith(".") and name.lower().endswith(ENDINGS)


def writable_as_text(name: str) -> bool:
    """Whether the name can be written to a text file; on Linux a name may be any bytes."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(name: str) -> str:
    """The name with what is not Unicode as escapes."""
    return name.encode(errors="backslashreplace").decode()
