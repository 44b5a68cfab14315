"""XMP sidecars: what another program reads from them is what was found in the photos."""

import json
import shutil
import subprocess
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from personae.embed.picture import ORIENTATION, decode, open_photo
from personae.errors import InputError, OutputError
from personae.export import FoundFace, write_sidecars
from personae.export.sidecars import SidecarsWritten, as_stored

SIZE = (60, 40)
STORED = (8, 4, 24, 12)  # left, top, right, bottom of a white patch
X, RDF, DC, IPTC, MWG, AREA, DIM = (
    "{adobe:ns:meta/}",
    "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}",
    "{http://purl.org/dc/elements/1.1/}",
    "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}",
    "{http://www.metadataworkinggroup.com/schemas/regions/}",
    "{http://ns.adobe.com/xmp/sType/Area#}",
    "{http://ns.adobe.com/xap/1.0/sType/Dimensions#}",
)


def face(photo="a.jpg", person="", box=(3, 4, 10, 20), span=None):
    return FoundFace(photo, box, 0.5, 0.9, person, span)


@pytest.fixture
def photos(tmp_path):
    """A folder, and what paints a photo there with a white patch on black."""
    folder = tmp_path / "photos"

    def paint(file="a.jpg", orientation=None, **options):
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.new("RGB", SIZE)
        picture.paste("white", STORED)
        exif = Image.Exif()
        if orientation is not None:
            exif[ORIENTATION] = orientation
        picture.save(path, exif=exif, **options)
        return path

    paint.folder = folder
    return paint


def regions(path):
    return [
        (described.get(f"{MWG}Name"), *(float(area.get(f"{AREA}{side}")) for side in "xywh"))
        for described in ElementTree.parse(path).iter(f"{RDF}Description")
        for area in described.findall(f"{MWG}Area")
    ]


def bag(path, name):
    found = ElementTree.parse(path).findall(f".//{name}/{RDF}Bag/{RDF}li")
    return [item.text for item in found]


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", [None, *range(10)])
def test_a_face_of_the_upright_picture_is_where_the_stored_picture_shows_it(
    photos, tmp_path, orientation, kind
):
    path = photos(f"a.{kind}", orientation, **({"quality": 100} if kind in ("jpg", "webp") else {}))
    with path.open("rb") as file:
        upright = np.asarray(decode(open_photo(file)).image.convert("L")) > 127
    down, across = np.nonzero(upright)
    left, top = int(across.min()), int(down.min())
    box = (left, top, int(across.max()) + 1 - left, int(down.max()) + 1 - top)
    write_sidecars([face(path.name, box=box)], tmp_path / "out", photos=photos.folder)
    sidecar = tmp_path / "out" / f"a.{kind}.xmp"
    dimensions = ElementTree.parse(sidecar).find(f".//{MWG}AppliedToDimensions")
    assert (dimensions.get(f"{DIM}w"), dimensions.get(f"{DIM}h")) == ("60", "40")
    [(_, x, y, width, height)] = regions(sidecar)
    corners = ((x - width / 2) * 60, (y - height / 2) * 40, (x + width / 2) * 60, (y + height / 2) * 40)
    assert corners == pytest.approx(STORED, abs=1e-3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_is_what_turning_a_picture_of_it_gives(orientation):
    """Against every pixel, followed by where EXIF says that the stored rows and columns begin."""
    width, height = 7, 5
    follow = {  # stored row r, column c of an upright pixel in row i, column j; W and H upright
        1: lambda i, j, W, H: (i, j),
        2: lambda i, j, W, H: (i, W - 1 - j),
        3: lambda i, j, W, H: (H - 1 - i, W - 1 - j),
        4: lambda i, j, W, H: (H - 1 - i, j),
        5: lambda i, j, W, H: (j, i),
        6: lambda i, j, W, H: (W - 1 - j, i),
        7: lambda i, j, W, H: (W - 1 - j, H - 1 - i),
        8: lambda i, j, W, H: (j, H - 1 - i),
    }[orientation]
    W, H = (height, width) if orientation > 4 else (width, height)
    left, top, across, down = 1, 2, 3, 1
    lit = np.array([follow(i, j, W, H) for i in range(top, top + down) for j in range(left, left + across)])
    (r0, c0), (r1, c1) = lit.min(axis=0), lit.max(axis=0) + 1
    wanted = ((c0 + c1) / 2 / width, (r0 + r1) / 2 / height, (c1 - c0) / width, (r1 - r0) / height)
    assert as_stored((left, top, across, down), (width, height), orientation) == pytest.approx(wanted)


def test_a_box_is_cut_off_at_the_edges():
    assert as_stored((-10, -5, 30, 10), (40, 20), 1) == pytest.approx((0.25, 0.125, 0.5, 0.25))
    assert as_stored((30, 15, 30, 10), (40, 20), 1) == pytest.approx((0.875, 0.875, 0.25, 0.25))


def test_names_are_keywords_and_numbers_are_not(photos, tmp_path):
    photos("b/a.jpg")
    faces = [face("b/a.jpg", name) for name in ("Bo", "Person 3", "", "Ada", "Bo")]
    done = write_sidecars(faces, tmp_path / "out", photos=photos.folder)
    assert done == SidecarsWritten(sidecars=1, faces=5, named=3, unplaced=0, videos=0)
    sidecar = tmp_path / "out" / "b" / "a.jpg.xmp"
    assert bag(sidecar, f"{DC}subject") == bag(sidecar, f"{IPTC}PersonInImage") == ["Bo", "Ada"]
    assert [region[0] for region in regions(sidecar)] == ["Bo", None, None, "Ada", "Bo"]
    assert write_sidecars(faces, tmp_path / "numbered", photos=photos.folder, numbers=True) == done
    numbered = tmp_path / "numbered" / "b" / "a.jpg.xmp"
    assert bag(numbered, f"{DC}subject") == ["Bo", "Ada"]
    assert [region[0] for region in regions(numbered)] == ["Bo", "Person 3", None, "Ada", "Bo"]


def test_without_a_name_there_are_no_keywords(photos, tmp_path):
    photos()
    write_sidecars([face()], tmp_path, photos=photos.folder)
    assert "dc:subject" not in (tmp_path / "a.jpg.xmp").read_text()


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("</rdf:li><x> & \"'", None),
        ("{{ 7*7 }}", None),
        ("Zoë 日本 \u200c 👩\u200d👧", None),
        ("\x01Ada\ufffe\x7f", "\ufffdAda\ufffd\x7f"),
    ],
)
def test_any_name_comes_back(photos, tmp_path, name, read):
    photos()
    write_sidecars([face(person=name)], tmp_path, photos=photos.folder)
    assert bag(tmp_path / "a.jpg.xmp", f"{DC}subject") == [read or name]
    assert regions(tmp_path / "a.jpg.xmp")[0][0] == (read or name)


def test_another_sidecar_stays_and_then_nothing_is_written(photos, tmp_path):
    photos()
    photos("b.jpg")
    theirs = tmp_path / "b.jpg.xmp"
    theirs.write_text("somebody's work")
    with pytest.raises(OutputError, match=r"there already: .*b\.jpg\.xmp; move"):
        write_sidecars([face(), face("b.jpg")], tmp_path, photos=photos.folder)
    assert theirs.read_text() == "somebody's work"
    assert not (tmp_path / "a.jpg.xmp").exists()
    theirs.unlink()
    theirs.symlink_to("nowhere")
    with pytest.raises(OutputError, match="there already"):
        write_sidecars([face("b.jpg")], tmp_path, photos=photos.folder)


def test_a_second_run_goes_on_where_the_first_one_stopped(photos, tmp_path):
    photos()
    photos("b.jpg")
    write_sidecars([face()], tmp_path, photos=photos.folder)
    before = (tmp_path / "a.jpg.xmp").stat()
    (tmp_path / ".writing-1-b.jpg.xmp").touch()
    assert write_sidecars([face(), face("b.jpg")], tmp_path, photos=photos.folder).sidecars == 2
    assert (tmp_path / "a.jpg.xmp").stat().st_ino == before.st_ino
    assert sorted(path.name for path in tmp_path.glob("*.xmp")) == ["a.jpg.xmp", "b.jpg.xmp"]
    with pytest.raises(OutputError):
        write_sidecars([face(person="Ada")], tmp_path, photos=photos.folder)


def test_photos_stay_as_they_are(photos, tmp_path):
    path = photos(orientation=6)
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    write_sidecars([face(person="Ada")], photos.folder, photos=photos.folder)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert sorted(file.name for file in photos.folder.iterdir()) == ["a.jpg", "a.jpg.xmp"]


def test_videos_are_left_out_and_counted(photos, tmp_path):
    photos()
    faces = [face(), face("v.mp4", "Ada", span=(0, 1)), face("v.mp4", "Bo", span=(2, 3))]
    done = write_sidecars(faces, tmp_path / "out", photos=photos.folder)
    assert done == SidecarsWritten(sidecars=1, faces=1, named=0, unplaced=0, videos=1)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.jpg.xmp"]


def test_of_heic_there_are_names_alone(photos, tmp_path):
    pytest.importorskip("pillow_heif").register_heif_opener()
    photos("a.heic", 6)
    photos("b.heic")
    done = write_sidecars([face("a.heic", "Ada"), face("b.heic")], tmp_path / "out", photos=photos.folder)
    assert done == SidecarsWritten(sidecars=1, faces=0, named=0, unplaced=2, videos=0)
    assert bag(tmp_path / "out" / "a.heic.xmp", f"{IPTC}PersonInImage") == ["Ada"]
    assert "mwg-rs:Regions" not in (tmp_path / "out" / "a.heic.xmp").read_text()


def test_photos_that_are_not_those_looked_at_are_told(photos, tmp_path):
    path = photos()
    with pytest.raises(InputError, match=r"photos are missing in .*: b\.jpg; give"):
        write_sidecars([face(), face("b.jpg")], tmp_path / "out", photos=photos.folder)
    with pytest.raises(InputError, match=r"a\.jpg has changed since"):
        write_sidecars([face(box=(100, 3, 10, 10))], tmp_path / "out", photos=photos.folder)
    path.write_bytes(b"no photo")
    with pytest.raises(InputError, match=r"a\.jpg: not a picture"):
        write_sidecars([face()], tmp_path / "out", photos=photos.folder)
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
def test_exiftool_reads_the_same(photos, tmp_path):
    photos(orientation=6)
    write_sidecars([face(person="Ada", box=(0, 0, 10, 30)), face()], tmp_path, photos=photos.folder)
    command = ["exiftool", "-json", "-struct", "-RegionInfo", "-Subject", "-PersonInImage", "-Warning"]
    printed = subprocess.run([*command, tmp_path / "a.jpg.xmp"], capture_output=True, text=True, check=True)
    [told] = json.loads(printed.stdout)
    assert "Warning" not in told
    assert told["Subject"] == told["PersonInImage"] == ["Ada"]
    assert told["RegionInfo"]["AppliedToDimensions"] == {"W": 60, "H": 40, "Unit": "pixel"}
    ada, other = told["RegionInfo"]["RegionList"]
    assert (ada["Name"], ada["Type"], ada["Area"]["Unit"]) == ("Ada", "Face", "normalized")
    assert [ada["Area"][side] for side in "XYWH"] == pytest.approx([0.25, 0.875, 0.5, 0.25])
    assert "Name" not in other
