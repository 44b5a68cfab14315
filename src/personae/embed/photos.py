"""Which files of a folder are photos, and which are videos."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from personae.embed.video import ENDINGS as VIDEO_ENDINGS
from personae.embed.video import is_video
from personae.errors import InputError

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".heic", ".heif")
EITHER = (*ENDINGS, *VIDEO_ENDINGS)
FOLDERS_MANIFEST = ".personae-folders.json"  # lies in the folders of people that `personae people` makes


@dataclass(frozen=True)
class Skipped:
    """A photo or video that could not be used, or not to its end, and why.

    file: relative to the folder, "/" between parts
    """

    file: str
    reason: str


@dataclass(frozen=True)
class Photos:
    """The photos and videos of a folder.

    folder:  where `files` and `videos` start
    files:   photos: relative paths in sorted order, "/" between parts, each a regular file or a link to one
    videos:  the same of videos
    skipped: what could not even be listed
    """

    folder: Path
    files: tuple[str, ...]
    videos: tuple[str, ...]
    skipped: tuple[Skipped, ...]

    def path(self, file: str) -> Path:
        """Where a photo or video lies, from the root."""
        return Path.cwd() / self.folder / file


def photos_in(folder: Path) -> Photos:
    """All photos and videos in a folder and below it, or the one file that `folder` is.

    Names that start with a dot are left out. A link is followed, once, if what it leads to does not come by
    itself, so that no photo comes twice and no loop is entered.

    InputError: nothing there, or no photo, or a folder that cannot be read; the message lists the endings
    looked for.
    """
    folder = Path(folder)
    try:
        alone, there = folder.is_file(), folder.is_dir()
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{folder} cannot be read: {reason}; give a folder that can be") from error
    if alone:
        if not is_shown(folder.name):
            raise InputError(f"{folder} is no photo or video by its name; they end in {', '.join(EITHER)}")
        return sorted_apart(folder.parent, [folder.name], [])
    if not there:
        raise InputError(f"{folder} does not exist; give a folder of photos")
    skipped: list[Skipped] = []
    files: list[str] = []
    for path in walk(folder, skipped):
        file = path.relative_to(folder).as_posix()
        if not writable_as_text(file):
            skipped.append(Skipped(shown(file), "the name is not valid Unicode; rename the file"))
            continue
        try:
            if S_ISREG(path.stat().st_mode):
                files.append(file)
        except (FileNotFoundError, NotADirectoryError):
            skipped.append(Skipped(file, "a link to nothing"))
        except OSError as error:
            skipped.append(refused(file, error))
    if not files and not skipped:
        raise InputError(f"no photo or video in {folder} or below; they end in {', '.join(EITHER)}")
    return sorted_apart(folder, files, skipped)


def refused(file: str, error: OSError) -> Skipped:
    """What the system does not let be looked at, in its words."""
    return Skipped(shown(file), f"cannot be read: {error.strerror or error}")


def sorted_apart(folder: Path, files: list[str], skipped: list[Skipped]) -> Photos:
    """The files in order, photos apart from videos."""
    videos = sorted(file for file in files if is_video(Path(file).name))
    return Photos(folder, tuple(sorted({*files} - {*videos})), tuple(videos), tuple(skipped))


def walk(folder: Path, skipped: list[Skipped]) -> Iterator[Path]:
    """What is called like a photo or video in `folder` and below; what the system refuses goes to `skipped`."""
    first = Path(os.path.realpath(folder))
    roots = [first]  # the other ones are folders that links lead to
    come: set[Path] = set()  # folders, and files that links lead to, that had their turn

    def closed(error: OSError) -> None:
        place = Path(error.filename).relative_to(folder).as_posix()
        skipped.append(Skipped(shown(place), f"the folder cannot be read: {error.strerror}"))

    def leads_on(path: Path, real: Path) -> bool:
        try:
            linked = path.is_symlink()
            if linked:
                real = Path(os.path.realpath(path))
                if first.is_relative_to(real) or any(comes_by_itself(real, root) for root in roots):
                    return False
            if real in come:
                return False
            if linked and real.is_dir():
                roots.append(real)
            elif linked and real.exists():
                come.add(real)
            return True
        except OSError as error:
            skipped.append(refused(path.relative_to(folder).as_posix(), error))
            return False

    for place, folders, names in os.walk(folder, followlinks=True, onerror=closed):
        here, real = Path(place), Path(os.path.realpath(place))
        if real in come or (FOLDERS_MANIFEST in names and here != folder):
            folders.clear()  # by another link, or the people of an earlier run: photos that are here already
            continue
        come.add(real)
        folders[:] = [name for name in sorted(folders) if name[0] != "." and leads_on(here / name, real / name)]
        for name in sorted(names):
            if is_shown(name) and leads_on(here / name, real / name):
                yield here / name


def comes_by_itself(target: Path, root: Path) -> bool:
    """Whether the walk from `root` meets this file or folder without any link."""
    if not target.is_relative_to(root) or not target.exists():
        return False
    hidden = any(part.startswith(".") for part in target.relative_to(root).parts)
    return not hidden and (target.is_dir() or is_shown(target.name))


def is_shown(name: str) -> bool:
    """Whether a file of this name is looked at, as a photo or a video."""
    return not name.startswith(".") and name.lower().endswith(EITHER)


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
