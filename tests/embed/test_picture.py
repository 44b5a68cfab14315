import struct
import threading
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from personae.embed import picture as picture_module
from personae.embed.picture import (
    MOST_PIXELS,
    BrokenPhotoError,
    PixelAllowance,
    decode,
    open_photo,
    shrink_to,
)
from personae.errors import InputError, MissingExtraError


def written(image, kind, **options):
    file = BytesIO()
    image.save(file, kind, **options)
    return file


def read(file, shrink=1):
    return decode(open_photo(file), shrink)


def difference(one, other):
    return np.abs(np.asarray(one, float) - np.asarray(other, float)).mean()


def png_header(width, height):
    """The first bytes of a PNG of that size, with no pixels behind."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    ihdr = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    data = b"IDAT" + zlib.compress(bytes(100))
    return b"\x89PNG\r\n\x1a\n" + ihdr + struct.pack(">I", len(data) - 4) + data + bytes(4)


@pytest.fixture
def gradient():
    across, down = np.meshgrid(np.linspace(0, 255, 60), np.linspace(0, 255, 40))
    return Image.fromarray(np.stack([across, down, (across + down) / 2], axis=2).astype(np.uint8))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright(gradient, orientation, kind):
    lies = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = gradient if lies is None else gradient.transpose(lies)
    upright = read(written(stored, kind, exif=exif.tobytes() if kind != "TIFF" else exif))
    assert upright.size == upright.image.size == gradient.size
    assert difference(upright.image, gradient) < 4


def test_a_shrunk_jpeg_is_turned_upright_and_knows_its_size(gradient):
    large = gradient.resize((601, 400))
    exif = Image.Exif()
    exif[0x0112] = 6
    file = written(large.transpose(Image.Transpose.ROTATE_90), "JPEG", quality=95, exif=exif.tobytes())
    upright = read(file, shrink=4)
    assert upright.size == (601, 400)
    assert upright.image.size == (151, 100)
    assert difference(upright.image, large.resize((151, 100), Image.Resampling.BOX)) < 3


@pytest.mark.parametrize(
    "block", [b"", b"II*\x00\xff\xff\xff\xff", b"MM" + b"\xff" * 30], ids=["none", "little", "big"]
)
@pytest.mark.filterwarnings("ignore:Corrupt EXIF")  # Pillow says so, once
def test_a_broken_exif_block_does_not_lose_the_photo(gradient, block):
    assert difference(read(written(gradient, "JPEG", exif=b"Exif\x00\x00" + block)).image, gradient) < 4


def test_every_kind_of_pixel_becomes_rgb(gradient):
    gray = gradient.convert("L")
    wide = Image.fromarray(np.asarray(gray).astype(np.uint16) * 257)
    two = written(gradient, "MPO", save_all=True, append_images=[Image.new("RGB", (60, 40))])
    kinds = {
        "palette": (written(gradient.quantize(256), "PNG"), gradient, 6),
        "gif": (written(gradient.quantize(256), "GIF"), gradient, 6),
        "cmyk": (written(gradient.convert("CMYK"), "JPEG", quality=95), gradient, 3),
        "16 bit png": (written(wide, "PNG"), gray.convert("RGB"), 1),
        "16 bit tiff": (written(wide, "TIFF"), gray.convert("RGB"), 1),
        "12 bit tiff": (written(Image.fromarray(np.asarray(wide) >> 4), "TIFF"), gray.convert("RGB"), 1),
        "float tiff": (written(gray.convert("F"), "TIFF"), gray.convert("RGB"), 1),
        "float tiff of shares": (
            written(Image.fromarray(np.asarray(gray).astype(np.float32) / 255), "TIFF"),
            gray.convert("RGB"),
            1,
        ),
        "gray jpeg": (written(gray, "JPEG", quality=95), gray.convert("RGB"), 2),
        "opaque": (written(gradient.convert("RGBA"), "PNG"), gradient, 0),
        "gray with alpha": (written(gray.convert("LA"), "PNG"), gray.convert("RGB"), 0),
        "one bit": (written(gray.convert("1"), "PNG"), gray.convert("1").convert("RGB"), 0),
        "bmp": (written(gradient, "BMP"), gradient, 0),
        "webp": (written(gradient, "WEBP", lossless=True), gradient, 0),
        "two pictures": (two, gradient, 4),
    }
    for name, (file, expected, tolerance) in kinds.items():
        got = read(file)
        assert got.image.mode == "RGB", name
        assert difference(got.image, expected) <= tolerance, name


def test_transparent_becomes_white():
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    assert np.asarray(read(written(clear, "PNG")).image).min() == 255
    palette = Image.new("P", (8, 8), 0)
    assert np.asarray(read(written(palette, "PNG", transparency=0)).image).min() == 255


def test_the_first_picture_of_an_animation_counts(gradient):
    frames = written(gradient, "WEBP", save_all=True, append_images=[Image.new("RGB", (60, 40))], lossless=True)
    assert difference(read(frames).image, gradient) == 0


def test_heif_is_read(gradient):
    pillow_heif = pytest.importorskip("pillow_heif")
    file = BytesIO()
    pillow_heif.from_pillow(gradient).save(file, quality=95)
    assert difference(read(file).image, gradient) < 4


def test_heif_without_its_package_says_which_to_install(gradient, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    file = BytesIO(b"\x00\x00\x00\x18ftypheic" + bytes(100))
    with pytest.raises(MissingExtraError, match=r"pip install 'personae\[heif\]'"):
        open_photo(file)


def test_broken_files_say_what_is_wrong(gradient):
    jpeg = written(gradient.resize((600, 400)), "JPEG").getvalue()
    png = written(gradient, "PNG").getvalue()
    broken = {
        "the file is empty": b"",
        "not a picture": b"Dear diary, today I took no photo.\n" * 100,
        "pixels; up to 200 million": png_header(60_000, 60_000),
        "damaged.*truncated": jpeg[: len(jpeg) // 2],
        "damaged": png[:-80],
        "not a picture in a format": jpeg[:3],
    }
    for reason, content in broken.items():
        with pytest.raises(BrokenPhotoError, match=reason) as caught:
            read(BytesIO(content))
        assert "\n" not in str(caught.value)
        assert isinstance(caught.value, InputError)


def test_a_program_in_postscript_is_not_run(gradient):
    with pytest.raises(BrokenPhotoError, match="not a picture"):
        read(written(gradient, "EPS"))


def test_no_bytes_of_a_photo_bring_the_program_down(gradient):
    rng = np.random.default_rng(0)
    for kind in ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP"):
        content = bytearray(written(gradient, kind).getvalue())
        for _ in range(60):
            spoilt = bytearray(content)
            for place in rng.integers(0, len(spoilt), 8):
                spoilt[place] = rng.integers(256)
            try:
                assert read(BytesIO(bytes(spoilt))).image.mode == "RGB"
            except BrokenPhotoError as error:
                assert str(error)


def test_pictures_between_pillows_limit_and_ours_are_opened_and_pillows_limit_stays():
    limit = Image.MAX_IMAGE_PIXELS
    side = int(MOST_PIXELS**0.5)
    assert side * side > 2 * limit
    assert open_photo(BytesIO(png_header(side, side))).size == (side, side)
    assert limit == Image.MAX_IMAGE_PIXELS


def test_a_decompression_bomb_in_the_text_of_a_png_is_refused(gradient):
    note = PngImagePlugin.PngInfo()
    note.add_text("bomb", "0" * 100_000_000, zip=True)
    with pytest.raises(BrokenPhotoError, match="damaged"):
        read(written(gradient, "PNG", pnginfo=note))


def test_a_colour_profile_is_no_obstacle(gradient):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert difference(read(written(gradient, "PNG", icc_profile=profile)).image, gradient) == 0


@pytest.mark.parametrize(("size", "expected"), [((4000, 3000), 2), ((8000, 6000), 4), ((640, 480), 1)])
def test_a_jpeg_is_decoded_as_small_as_it_may(size, expected):
    pixels = 1600 * 1200
    photo = open_photo(written(Image.new("RGB", size), "JPEG"))
    assert shrink_to(photo, pixels) == expected
    shrunk = decode(photo, expected)
    assert shrunk.image.width * shrunk.image.height >= min(pixels, size[0] * size[1])
    assert shrunk.size == size
    assert shrink_to(open_photo(written(Image.new("RGB", size), "PNG")), pixels) == 1


def test_only_so_many_pixels_are_in_memory_at_a_time():
    allowance, lock = PixelAllowance(100), threading.Lock()
    held = most = 0

    def hold(pixels):
        nonlocal held, most
        for _ in range(50):
            with allowance.taking(pixels):
                with lock:
                    held += min(pixels, 100)
                    most = max(most, held)
                with lock:
                    held -= min(pixels, 100)

    threads = [threading.Thread(target=hold, args=(pixels,)) for pixels in (30, 60, 70, 1000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads)
    assert 0 < most <= 100


def test_trouble_of_the_disk_is_not_blamed_on_the_photo(gradient, monkeypatch):
    def fails(*_arguments, **_options):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(picture_module.Image, "open", fails)
    with pytest.raises(OSError, match="Input/output") as caught:
        open_photo(written(gradient, "JPEG"))
    assert not isinstance(caught.value, BrokenPhotoError)
