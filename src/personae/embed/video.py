"""From a video file of any origin to upright pictures at exact times, or a reason why not."""

import errno
import math
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, BinaryIO

from PIL import Image

from personae.embed.picture import MOST_PIXELS, BrokenPhotoError
from personae.errors import MissingExtraError

ENDINGS = (
    ".mp4",
    ".m4v",
    ".mov",
    ".avi",
    ".mkv",
    ".webm",
    ".mpg",
    ".mpeg",
    ".mts",
    ".m2ts",
    ".3gp",
    ".wmv",
    ".flv",
)
FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegvideo,mpegts,asf,flv"  # none that opens other files
)
PART = 30.0  # seconds of video looked at in one go: what an interrupt loses, and where every track ends
LONGEST = 7 * 24 * 3600.0  # seconds: what says it is longer is damaged, or would never end
EARLY = 2.0  # seconds before the announced end from which a video counts as cut off


@dataclass(frozen=True)
class Frame:
    """A picture of a video.

    time:  seconds from the start of the video
    image: upright, RGB, square pixels
    """

    time: float
    image: Image.Image


def seconds_of(file: BinaryIO) -> float:
    """How long a video says it is; if it says nothing, where its last picture is.

    BrokenPhotoError: no video that can be read, or of more than a week. MissingExtraError: PyAV is not there.
    OSError: the disk fails.
    """
    with opened(file) as (container, stream):
        if stream.duration:
            seconds = float(stream.duration * stream.time_base)
        elif container.duration:
            seconds = float(container.duration) / 1e6
        else:
            times = (packet.pts for packet in packets(container, stream) if packet.pts is not None)
            seconds = float(max(times, default=0) * stream.time_base) - start_of(stream)
    if seconds > LONGEST:
        raise BrokenPhotoError(f"it says that it lasts {seconds / 3600:,.0f} hours; cut it into shorter ones")
    return seconds


def parts_of(seconds: float) -> int:
    """Into how many parts of `PART` seconds a video falls; at least one."""
    return max(1, math.ceil(seconds / PART))


def frames(
    file: BinaryIO, rate: float, start: float = 0.0, end: float = math.inf, *, announced: float = 0.0
) -> Iterator[Frame]:
    """The first picture in each 1 / `rate` seconds, from `start` to before `end`, by the video's own clock.

    So a video of variable frame rate gives at most `rate` pictures a second, each with its exact time, and the
    parts of a video together give what the whole gives; of seconds that a part ends within, it alone gives the
    picture, if it has one. Memory: one picture.

    announced: seconds that the video says it has

    BrokenPhotoError: no video that can be read; one that is damaged, or ends `EARLY` before it should, raises
    at the end, after what was whole.
    MissingExtraError: PyAV is not there. OSError: the disk fails.
    """
    with opened(file) as (container, stream):
        first, cell, latest, trouble = start_of(stream), math.ceil(start * rate - 1e-6) - 1, 0.0, ""
        begun = start == 0  # behind a place that was sought, packets before a whole picture are no damage
        if start > 0:
            sought(container, stream, start + first)
        for packet in packets(container, stream):
            decoded, reason = decoded_from(packet)
            begun |= bool(decoded)
            trouble = trouble or reason * begun
            for raw in decoded:
                pts = raw.pts if raw.pts is not None else raw.dts
                if pts is None:
                    continue
                time = max(float(pts * stream.time_base) - first, 0.0)
                if time >= end:
                    if trouble:
                        raise BrokenPhotoError(f"damaged: {trouble}")
                    return
                latest = max(latest, time + float((raw.duration or 0) * stream.time_base))
                here = math.floor(time * rate + 1e-6)
                if here > cell and time >= start:
                    yield Frame(time, upright(raw, stream.sample_aspect_ratio))
                cell = max(cell, here)
        if latest < min(end, announced) - EARLY:
            raise BrokenPhotoError("cut off: it ends before the time it announces")
        if trouble:
            raise BrokenPhotoError(f"damaged: {trouble}")


@contextmanager
def opened(file: BinaryIO) -> Iterator[tuple[Any, Any]]:
    """The container and its picture stream, decoded by one thread."""
    try:
        import av  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise MissingExtraError("video needs one more package: pip install 'personae[video]'") from error
    av.logging.set_level(None)
    file.seek(0)
    if not file.read(1):
        raise BrokenPhotoError("the file is empty")
    file.seek(0)
    options = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
    try:
        container = av.open(file, options=options, metadata_errors="ignore")
    except (av.FFmpegError, OSError, ValueError) as error:  # of hostile bytes it raises all three
        if is_of_the_disk(error):
            raise
        raise BrokenPhotoError(
            f"not a video in a format that is read, or cut off too early: {plain(error)}"
        ) from error
    with closing(container):
        stream: Any = container.streams.best("video")
        if stream is None or stream.codec_context is None:
            raise BrokenPhotoError("there is no picture in it, or one that cannot be decoded")
        width, height = stream.codec_context.width, stream.codec_context.height
        if width * height > MOST_PIXELS:
            raise BrokenPhotoError(f"{width:,} x {height:,} pixels are more than are read; make it smaller")
        stream.codec_context.thread_count = 1
        yield container, stream


def start_of(stream: Any) -> float:
    """Seconds on the clock of the file at which the pictures begin."""
    return float(stream.start_time * stream.time_base) if stream.start_time else 0.0


def sought(container: Any, stream: Any, time: float) -> None:
    """Goes to the last key picture before a time of the file's clock; to the start if it has no index."""
    import av  # noqa: PLC0415

    try:
        container.seek(int(time / stream.time_base), stream=stream, backward=True)
    except av.FFmpegError:
        container.seek(0)


def packets(container: Any, stream: Any) -> Iterator[Any]:
    """The packets of the pictures, as far as there is a whole file. OSError: the disk fails."""
    import av  # noqa: PLC0415

    try:
        yield from container.demux(stream)
    except (av.FFmpegError, OSError) as error:  # cut off: what came is all there is
        if is_of_the_disk(error):
            raise


def is_of_the_disk(error: Exception) -> bool:
    """Whether the file could not be read, of which the next run may read more; else it is the content.

    What FFmpeg finds wrong may be an OSError too, and hostile bytes send it to places before the start.
    """
    import av  # noqa: PLC0415

    if not isinstance(error, OSError) or isinstance(error, av.FFmpegError):
        return False
    return error.errno not in (None, errno.EINVAL)


def decoded_from(packet: Any) -> tuple[list[Any], str]:
    """The pictures of a packet, and what was wrong with it."""
    import av  # noqa: PLC0415

    try:
        return packet.decode(), ""
    except av.FFmpegError as error:
        return [], plain(error)


def upright(raw: Any, shape: Fraction | None) -> Image.Image:
    """A decoded picture turned as its rotation flag says; `shape`, the width of a pixel over its height."""
    image: Image.Image = raw.to_image()
    if shape and shape != 1 and 0.1 < shape < 10:
        image = image.resize((max(1, round(image.width * float(shape))), image.height))
    turns = {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_270}
    turn = turns.get(round(raw.rotation / 90) * 90 % 360)
    return image if turn is None else image.transpose(turn)


def plain(error: BaseException) -> str:
    """What a decoder says, in one line."""
    said = getattr(error, "strerror", None) or str(error)
    return " ".join(said.split())[:200]


def is_video(name: str) -> bool:
    """Whether a file of this name is looked at as a video."""
    return not name.startswith(".") and name.lower().endswith(ENDINGS)
