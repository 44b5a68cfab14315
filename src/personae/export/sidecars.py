"""The people as XMP sidecars: who is in a photo and where, as programs that manage photos read it.

Regions are those of the Metadata Working Group, "Guidelines for Handling Image Metadata", version 2.0: relative
to the picture as it is stored, before its EXIF orientation is applied. Names are also in `dc:subject`, as
keywords, and in `Iptc4xmpExt:PersonInImage`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from personae.data.atomic import atomic_write, sweep
from personae.embed.album import quiet_pillow
from personae.embed.picture import BrokenPhotoError, open_photo, stored
from personae.errors import InputError, OutputError, listed
from personae.export.found import FoundFace

NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # not even escaped
STORED = {  # by orientation: whether across is down, then what is counted from the other side
    1: (False, False, False),
    2: (False, True, False),
    3: (False, True, True),
    4: (False, False, True),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class SidecarsWritten:
    """What `write_sidecars` did.

    sidecars: files, written now or there before with the same content
    faces:    regions in them
    named:    those of them that somebody gave a name
    unplaced: HEIF photos, whose sidecars hold names alone
    videos:   left out
    """

    sidecars: int
    faces: int
    named: int
    unplaced: int
    videos: int


@dataclass(frozen=True)
class Region:
    """One face as the sidecar holds it: the middle and the size, in parts of the stored picture."""

    name: str
    x: float
    y: float
    width: float
    height: float


def write_sidecars(
    faces: Sequence[FoundFace],
    out: Path,
    *,
    photos: Path,
    numbers: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> SidecarsWritten:
    """Writes `out`/2019/party.jpg.xmp for 2019/party.jpg, and so on, for each photo with faces.

    photos:   the folder the faces were found in; its photos are only read
    numbers:  regions of people without a name are called Person 1, Person 2, ...; they are no keywords
    progress: called with sidecars done, and in all

    Where the parts of a HEIF picture are counted from differs between programs, so its sidecar holds the names
    and no region; without a name there is none. Videos have no regions and are left out. A sidecar that is
    there with another content stays, whoever wrote it: then nothing is written at all. Memory: the text of all
    sidecars.

    InputError: a photo is missing, or not the one the faces were found in. OutputError: a sidecar is in the
    way, or cannot be written.
    """
    template = _template()
    texts: dict[Path, bytes] = {}
    placed: list[FoundFace] = []
    unplaced = 0
    for photo, shown in _by_photo(faces, photos).items():
        heif, size, orientation = _header(photos / photo)
        unplaced += heif
        here = [] if heif else shown
        names = list(dict.fromkeys(_in_xml(face.name) for face in shown if face.name))
        if here or names:
            regions = [_region(face, size, orientation, numbers) for face in here]
            text = template.render(names=names, regions=regions, width=size[0], height=size[1])
            texts[out / f"{photo}.xmp"] = text.encode()
            placed += here
    _write_all(texts, progress)
    named = sum(bool(face.name) for face in placed)
    videos = len({face.photo for face in faces if face.span is not None})
    return SidecarsWritten(len(texts), len(placed), named, unplaced, videos)


def as_stored(box: Box, size: tuple[int, int], orientation: int) -> Box:
    """Middle x and y, width and height in parts of the stored picture, of a box in the upright one.

    box:         left, top, width, height in pixels; what lies outside the picture is cut off
    size:        width and height of the stored picture, pixels
    orientation: of the EXIF; 1 if it is not one of 1 to 8

    >>> as_stored((0, 0, 10, 20), (200, 100), 6)  # upright 100 x 200: its top left is stored at the bottom left
    (0.05, 0.95, 0.1, 0.1)
    """
    swapped, mirrored, upended = STORED.get(orientation, STORED[1])
    extent = size[::-1] if swapped else size
    low = [max(begin, 0) / side for begin, side in zip(box[:2], extent, strict=True)]
    high = [
        min(begin + length, side) / side for begin, length, side in zip(box[:2], box[2:], extent, strict=True)
    ]
    (x, width), (y, height) = (((a + b) / 2, b - a) for a, b in zip(low, high, strict=True))
    if swapped:
        x, y, width, height = y, x, height, width
    return 1 - x if mirrored else x, 1 - y if upended else y, width, height


def _template() -> jinja2.Template:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("personae.export"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template("sidecar.xmp")


def _by_photo(faces: Sequence[FoundFace], photos: Path) -> dict[str, list[FoundFace]]:
    """The faces of each photo, videos left out. InputError: some photos are missing."""
    in_photo: dict[str, list[FoundFace]] = {}
    for face in faces:
        if face.span is None:
            in_photo.setdefault(face.photo, []).append(face)
    missing = [photo for photo in in_photo if not (photos / photo).is_file()]
    if missing:
        raise InputError(f"photos are missing in {photos}: {listed(missing)}; give the folder that was read")
    return in_photo


def _region(face: FoundFace, size: tuple[int, int], orientation: int, numbers: bool) -> Region:
    area = as_stored(face.box, size, orientation)
    if area[2] <= 0 or area[3] <= 0:
        raise InputError(f"{face.photo} has changed since its faces were found; run personae people again")
    return Region(_in_xml(face.person if numbers else face.name), *area)


def _header(path: Path) -> tuple[bool, tuple[int, int], int]:
    """Whether it is HEIF, the size of the stored picture, and its orientation."""
    try:
        with path.open("rb") as file, quiet_pillow(), open_photo(file) as photo:
            return photo.format == "HEIF", *stored(photo)
    except BrokenPhotoError as error:
        raise InputError(f"{path}: {error}") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error


def _in_xml(name: str) -> str:
    return NO_XML.sub("\ufffd", name)


def _write_all(texts: Mapping[Path, bytes], progress: Callable[[int, int], None] | None) -> None:
    """All or, if one is there that says something else, none."""
    there = {path for path in texts if path.exists() or path.is_symlink()}
    same = {path for path in there if path.is_file() and path.read_bytes() == texts[path]}
    if there - same:
        shown = listed(sorted(map(str, there - same)))
        raise OutputError(f"sidecars are there already: {shown}; move them or choose another folder")
    for folder in {path.parent for path in texts}:
        sweep(folder)
    for done, (path, text) in enumerate(texts.items(), 1):
        if path not in same:
            with atomic_write(path) as temporary:
                temporary.write_bytes(text)
        if progress is not None:
            progress(done, len(texts))
