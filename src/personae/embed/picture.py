"""From a file of any origin to an upright RGB picture, or a reason why not."""

import errno
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.TiffImagePlugin import IMAGELENGTH, IMAGEWIDTH, TiffImageFile

from personae.errors import InputError, MissingExtraError

MOST_PIXELS = 200_000_000  # the largest phone pictures have so many
FORMATS = ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"]  # nothing that would start another program
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
DRAFTS = (8, 4, 2)  # JPEG can be decoded at one of these fractions, in a fraction of the time
ORIENTATION = 0x0112  # the EXIF tag
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_opening = threading.Lock()


class BrokenPhotoError(InputError):
    """The content of this file is no picture that can be used, now or later."""


@dataclass(frozen=True)
class Picture:
    """A decoded photo.

    image: upright, RGB; smaller than the photo by a whole factor if that was asked for
    size:  width and height of the upright photo itself, pixels
    """

    image: Image.Image
    size: tuple[int, int]


def open_photo(file: BinaryIO) -> Image.Image:
    """The photo with its header read and its pixels not yet.

    BrokenPhotoError: no picture, of a format that is not read, or of more than `MOST_PIXELS` pixels.
    MissingExtraError: a HEIF picture without the package pillow-heif.
    """
    file.seek(0)
    head = file.read(12)
    if not head:
        raise BrokenPhotoError("the file is empty")
    file.seek(0)
    formats = FORMATS
    if head[4:8] == b"ftyp" and head[8:] in HEIF_BRANDS:
        register_heif()
        formats = ["HEIF"]
    with _named_reasons():
        image = _opened(file, formats)
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise BrokenPhotoError(
            f"{width:,} x {height:,} pixels; up to {MOST_PIXELS // 1_000_000} million are read, make it smaller"
        )
    return image


def decode(photo: Image.Image, shrink: int = 1) -> Picture:
    """The pixels of an opened photo, upright and RGB, white where it is transparent.

    shrink: 1 or, for JPEG only, one of `DRAFTS`; as of `shrink_to`

    BrokenPhotoError: damaged or cut off.
    """
    with _named_reasons():
        full = photo.size
        if shrink > 1:
            photo.draft(None, (full[0] // shrink, full[1] // shrink))
        photo.load()
        if shrink == 1:
            full = photo.size  # TIFF is turned upright by loading it
        turn = UPRIGHT.get(orientation(photo))
        image = as_rgb(photo)
        if turn is None:
            return Picture(image, full)
        image = image.transpose(turn)
        turned = turn in (UPRIGHT[5], UPRIGHT[6], UPRIGHT[7], UPRIGHT[8])
        return Picture(image, full[::-1] if turned else full)


def stored(photo: Image.Image) -> tuple[tuple[int, int], int]:
    """Width and height of an opened photo as the file has them, and the EXIF orientation yet to be applied.

    Of HEIF it is what the decoder gives, upright.
    """
    if isinstance(photo, TiffImageFile):  # Pillow tells how wide it will be once it is upright
        return (photo.tag_v2[IMAGEWIDTH], photo.tag_v2[IMAGELENGTH]), orientation(photo)
    return photo.size, orientation(photo)


def shrink_to(photo: Image.Image, pixels: float) -> int:
    """The largest factor by which an opened photo can be decoded smaller and keep so many pixels."""
    if photo.format not in ("JPEG", "MPO"):
        return 1
    width, height = photo.size
    return next((by for by in DRAFTS if (width // by) * (height // by) >= pixels), 1)


def as_rgb(image: Image.Image) -> Image.Image:
    """The same picture in 8-bit RGB."""
    if image.mode == "RGB":
        return image
    if image.mode[0] in "IF":  # 16 or 32 bits a pixel, which Pillow would cut off at 255
        values = np.asarray(image)
        peak = values.max()
        shares = [1] * (image.mode[0] == "F")
        full = next((full for full in (*shares, 255, 4095, 65535) if peak <= full), peak)
        return Image.fromarray((values.clip(0) * (255 / full)).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        ground = Image.new("RGBA", image.size, "white")
        ground.alpha_composite(image.convert("RGBA"))
        image = ground
    return image.convert("RGB")


def orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 where there is none that makes sense."""
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # a broken EXIF block is no reason to lose the photo, and it breaks in many ways
        return 1


def register_heif() -> None:
    """Teaches Pillow to read HEIF. MissingExtraError: the package is not there."""
    try:
        import pillow_heif  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise MissingExtraError("HEIF needs one more package: pip install 'personae[heif]'") from error
    pillow_heif.register_heif_opener()


def decoders() -> str:
    """Versions of what reads photos and videos; another one may read what these cannot."""
    found = []
    for package in ("pillow", "pillow-heif", "av"):
        with suppress(PackageNotFoundError):  # an extra
            found.append(f"{package} {version(package)}")
    return ", ".join(found)


class PixelAllowance:
    """Lets only so many pixels be decoded at the same time, over all threads; one photo is always let in."""

    def __init__(self, most: int) -> None:
        self._free = self._most = most
        self._changed = threading.Condition()

    @contextmanager
    def taking(self, pixels: int) -> Iterator[None]:
        """Waits until there is room, and holds it while the block runs."""
        pixels = min(pixels, self._most)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= pixels)
            self._free -= pixels
        try:
            yield
        finally:
            with self._changed:
                self._free += pixels
                self._changed.notify_all()


def _opened(file: BinaryIO, formats: list[str]) -> Image.Image:
    """Pillow's `open` without Pillow's own pixel limit, which is lower and shared by the whole program."""
    with _opening:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(file, formats=formats)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


@contextmanager
def _named_reasons() -> Iterator[None]:
    """What a decoder says of hostile bytes becomes BrokenPhotoError; trouble of the machine stays as it is."""
    try:
        yield
    except UnidentifiedImageError as error:
        raise BrokenPhotoError("not a picture in a format that is read") from error
    except MemoryError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in errno.errorcode:
            raise
        raise BrokenPhotoError(f"damaged: {' '.join(str(error).split())[:200]}") from error
