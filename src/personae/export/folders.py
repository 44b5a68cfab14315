"""The people as folders: one a person, with links to the photos or copies of them.

What was made is remembered in a manifest in the same folder, so that the next run can replace it and leave
everything else alone.
"""

import json
import os
import re
import shutil
import unicodedata
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Literal

from personae.data.atomic import atomic_write, sweep
from personae.embed.photos import FOLDERS_MANIFEST
from personae.errors import InputError, OutputError, listed
from personae.export.people import People, stays_inside

FORMAT = 1
LONE = "Lone faces"
UNFIT = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')  # in the name of a folder, on one system or another
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # on Windows
LONGEST = 120  # bytes of the name of a folder
CLOCK = 2_000_000_000  # nanoseconds: the coarsest clock of a file system still met, exFAT's


@dataclass(frozen=True)
class FoldersWritten:
    """What a run of `write_folders` did, in files.

    made:    links or copies made now
    same:    those of an earlier run that were still right
    removed: those of an earlier run that are wanted no more
    kept:    copies of an earlier run that stay because their photo is gone: they may be the last
    """

    made: int
    same: int
    removed: int
    kept: int


@dataclass(frozen=True)
class Entry:
    """One link or copy in a person's folder.

    folder, name: where it is
    photo:        what it shows, relative to the photo folder
    size, time:   bytes and nanoseconds of the photo when it was linked or copied
    how:          "link" or "copy", as asked; a link may have become a copy where there are no links
    """

    folder: str
    name: str
    photo: str
    size: int
    time: int
    how: str

    def at(self, out: Path) -> Path:
        """Where it is on this disk."""
        return out / self.folder / self.name


@dataclass(frozen=True)
class Manifest:
    """What an earlier run made: from which photo folder, and every file."""

    photos: Path
    entries: tuple[Entry, ...]


def write_folders(people: People, out: Path, *, photos: Path, how: Literal["link", "copy"]) -> FoldersWritten:
    """Makes `out`/Person 1, `out`/Person 2, ... or by name, and `out`/Lone faces, and says what was done.

    photos: the folder the faces were read from
    how:    "link" makes relative symbolic links; where the system permits none a hard link, and where that
            cannot be either (another disk) a copy. "copy" always copies.

    A photo of two people is in both folders. Of two photos with one name the second becomes "name (2).jpg";
    names that differ in case or accent spelling only count as one, since some disks hold them so.

    A later run removes only what an earlier one made and nobody has changed since: a link that still points
    where it pointed, a copy of the same size and time whose photo still exists. Anything else in the folders
    is the user's and stays. A run that was stopped is completed by the next one.

    InputError: a photo is missing, or the manifest is damaged. OutputError: `out` cannot be written, or a
    file or link is where a person's folder belongs.
    """
    if how not in ("link", "copy"):
        raise InputError(f"folders can be made by 'link' or by 'copy', not by {how!r}")
    photos, out = Path(os.path.realpath(photos)), Path(os.path.realpath(out))
    wanted = wanted_photos(people)
    stats = _photo_stats(photos, wanted)
    earlier = read_manifest(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for folder in {*wanted, *(entry.folder for entry in earlier.entries)}:
            _refuse_in_the_way(out / folder)
            sweep(out / folder)
        ours = [entry for entry in earlier.entries if _is_untouched(entry, out, earlier, photos)]
        replaceable = {e.at(out): e for e in ours if e.at(out).is_symlink() or _originals(e, earlier, photos)}
        kept = [entry for entry in ours if entry.at(out) not in replaceable]
        planned = _plan(wanted, stats, out, set(replaceable), how)
        right = {entry for entry in planned if _is_right(entry, replaceable.get(entry.at(out)), out, photos)}
        gone = [entry for entry in replaceable.values() if entry not in right]
        # Both lists before the first change: whatever stops the run, the next one knows its files.
        _write_manifest(out, Manifest(photos, (*planned, *kept, *replaceable.values())))
        for entry in gone:
            entry.at(out).unlink()
        for entry in planned:
            if entry not in right:
                _make(photos / entry.photo, entry.at(out), how)
        for folder in {entry.folder for entry in gone}:
            if not any((out / folder).iterdir()):
                (out / folder).rmdir()
        _write_manifest(out, Manifest(photos, (*planned, *kept)))
    except OutputError:
        raise
    except OSError as error:
        place = error.filename2 or error.filename or out
        raise OutputError(
            f"cannot write {place}: {error.strerror or error}; make room or choose another folder"
        ) from error
    again = {entry.at(out) for entry in planned}
    removed = sum(entry.at(out) not in again for entry in gone)
    return FoldersWritten(len(planned) - len(right), len(right), removed, len(kept))


def wanted_photos(people: People) -> dict[str, list[str]]:
    """The photos of each folder, each once, in the order of their paths."""
    wanted: dict[str, list[str]] = {}
    taken = {_as_one_name(LONE)}
    for person in people.persons:
        name = fit = folder_name(person.name)
        further = count(2)
        while _as_one_name(name) in taken:
            name = f"{fit} ({next(further)})"
        taken.add(_as_one_name(name))
        wanted[name] = sorted({people.photo(row) for row in person.faces})
    if len(people.of_nobody):
        wanted[LONE] = sorted({people.photo(row) for row in people.of_nobody})
    return wanted


def folder_name(name: str) -> str:
    """The name as a folder can have it on any system.

    >>> folder_name("Ada / Bo"), folder_name(".."), folder_name("con")
    ('Ada _ Bo', '_', '_con')
    """
    fit = UNFIT.sub("_", "".join(letter if letter.isprintable() else "_" for letter in name))
    fit = fit.encode()[:LONGEST].decode(errors="ignore").strip(" .") or "_"
    return f"_{fit}" if RESERVED.fullmatch(fit) else fit


def read_manifest(out: Path) -> Manifest:
    """What an earlier run made in `out`; nothing if there was none.

    InputError: the manifest is damaged, or names something that no run makes.
    """
    path = out / FOLDERS_MANIFEST
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["format"] != FORMAT:
            raise ValueError
        entries = tuple(Entry(**entry) for entry in found["entries"])
        for entry in entries:
            if entry.folder.startswith(".") or UNFIT.search(entry.folder):
                raise ValueError
            if Path(entry.name).name != entry.name or not all(map(stays_inside, (entry.folder, entry.name))):
                raise ValueError
            if not stays_inside(entry.photo):
                raise ValueError
            if not isinstance(entry.size, int) or not isinstance(entry.time, int):
                raise ValueError
        return Manifest(Path(found["photos"]), entries)
    except (FileNotFoundError, NotADirectoryError):
        return Manifest(out, ())
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"{path} is damaged; remove it and the folders beside it, or choose another folder"
        ) from error


def _write_manifest(out: Path, manifest: Manifest) -> None:
    entries = [asdict(entry) for entry in dict.fromkeys(manifest.entries)]
    text = json.dumps({"format": FORMAT, "photos": str(manifest.photos), "entries": entries}, indent=1)
    with atomic_write(out / FOLDERS_MANIFEST) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _photo_stats(photos: Path, wanted: dict[str, list[str]]) -> dict[str, tuple[int, int]]:
    """Bytes and time of every wanted photo. InputError: some are missing."""
    stats, missing = {}, []
    for photo in sorted({photo for folder in wanted.values() for photo in folder}):
        try:
            found = (photos / photo).stat()
            stats[photo] = (found.st_size, found.st_mtime_ns)
        except OSError:
            missing.append(photo)
    if missing:
        raise InputError(f"photos are missing in {photos}: {listed(missing)}; give the folder that was read")
    return stats


def _refuse_in_the_way(folder: Path) -> None:
    """OutputError if something other than a true folder has the name of a person's folder."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise OutputError(f"{folder} is in the way; move it or choose another folder")


def _plan(
    wanted: dict[str, list[str]],
    stats: dict[str, tuple[int, int]],
    out: Path,
    replaceable: set[Path],
    how: str,
) -> list[Entry]:
    """A free name for every photo: not a name of the user's, not one given before."""
    planned = []
    for folder, files in wanted.items():
        there = (out / folder).iterdir() if (out / folder).is_dir() else ()
        taken = {_as_one_name(path.name) for path in there if path not in replaceable}
        for photo in files:
            name = Path(photo).name
            stem, suffix, number = Path(name).stem, Path(name).suffix, 1
            while _as_one_name(name) in taken:
                number += 1
                name = f"{stem} ({number}){suffix}"
            taken.add(_as_one_name(name))
            planned.append(Entry(folder, name, photo, *stats[photo], how))
    return planned


def _as_one_name(name: str) -> str:
    """What a disk that ignores case and accent spelling makes of a name."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _is_untouched(entry: Entry, out: Path, earlier: Manifest, photos: Path) -> bool:
    """Whether the file is still the one an earlier run made."""
    path = entry.at(out)
    if path.is_symlink():
        return path.readlink() in {_target(root / entry.photo, path) for root in (earlier.photos, photos)}
    if not path.is_file():
        return False
    found = path.stat()
    if found.st_size == entry.size and abs(found.st_mtime_ns - entry.time) <= CLOCK:
        return True
    return any(path.samefile(original) for original in _originals(entry, earlier, photos))


def _originals(entry: Entry, earlier: Manifest, photos: Path) -> list[Path]:
    """The photo a file was made from, where it was then or is now; empty if it is gone."""
    places = (root / entry.photo for root in (earlier.photos, photos))
    return [place for place in places if place.is_file()]


def _is_right(entry: Entry, there: Entry | None, out: Path, photos: Path) -> bool:
    """Whether what an earlier run made is what this run would make."""
    path = entry.at(out)
    if there != entry:
        return False
    if path.is_symlink():
        return entry.how == "link" and path.readlink() == _target(photos / entry.photo, path)
    return True


def _target(photo: Path, link: Path) -> Path:
    """What the link holds: the way from its folder to the photo, or the whole path to another drive."""
    try:
        return Path(os.path.relpath(photo, link.parent))
    except ValueError:
        return photo


def _make(photo: Path, path: Path, how: str) -> None:
    """Makes the link or the copy; nothing may be at `path`."""
    path.parent.mkdir(exist_ok=True)
    if how == "link":
        for link in (_symbolic, _hard):
            try:
                link(photo, path)
            except FileExistsError:
                raise
            except OSError:  # not on this disk, or not for this user
                continue
            return
    with atomic_write(path) as temporary:
        shutil.copy2(photo, temporary)


def _symbolic(photo: Path, path: Path) -> None:
    path.symlink_to(_target(photo, path))


def _hard(photo: Path, path: Path) -> None:
    path.hardlink_to(photo.resolve())
