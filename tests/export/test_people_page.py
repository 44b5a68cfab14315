"""The page: complete in itself, true in its numbers, harmless whatever the names."""

import base64
import hashlib
import json
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote_to_bytes, urljoin, urlsplit

import numpy as np
import pytest

from personae.data.corrections import COLUMNS
from personae.export import Corrigible, page, write_page

VOID = {"meta", "link", "img", "input", "br", "rect"}


class Page(HTMLParser):
    """Every tag with its attributes, and whether the tags close in order."""

    def __init__(self, path: Path):
        super().__init__()
        self.path, self.text = path, ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.text += data

    def all(self, tag: str, klass: str = "") -> list[dict[str, str | None]]:
        found = [attributes for name, attributes in self.tags if name == tag]
        return [a for a in found if klass in (a.get("class") or "").split()] if klass else found

    def photo(self, link: str) -> Path:
        """The file that a link of the page leads to."""
        parts = urlsplit(urljoin(self.path.as_uri(), link))
        assert (parts.scheme, parts.query, parts.fragment) == ("file", "", "")
        return Path(unquote_to_bytes(parts.path).decode())


@pytest.fixture
def written(people_of, photos, tmp_path):
    def write(*arguments, skipped=(), **named):
        people = people_of(*arguments, **named)
        path = tmp_path / "out" / "index.html"
        write_page(people, path, photos=photos(people), skipped=skipped)
        return Page(path)

    return write


def test_each_person_is_a_row_with_best_face_others_and_counts(written):
    found = written([0, 1, 1, 0, 1, 2], ["a", "b", "b", "c", "d", "e"], quality=[1, 0.1, 0.2, 0.5, 0.9, 1])
    assert [a["id"] for a in found.all("article")] == ["person-1", "person-2"]
    assert [a["alt"] for a in found.all("img")] == [
        "Person 1 in d",
        "Person 1 in b",
        "Person 1 in b",
        "Person 2 in a",
        "Person 2 in c",
        "Lone face in e",
    ]
    assert "3 faces in 2 photos" in found.text
    assert "2 faces in 2 photos" in found.text
    assert "sure, 89 %" in found.text  # 0.9 in float32 is a little less; never rounded up
    totals = re.sub(r"\s+", " ", found.text.split("The people in")[2].split("How to")[0])
    assert totals == " photos people2 faces6 lone face1 photos with faces5 "


def test_the_pictures_are_the_thumbnails(written):
    faces = [b"\xff\xd8%d" % i for i in range(3)]
    found = written([0, 0, 1], thumbnails=faces)
    uris = [attributes["src"] or "" for attributes in found.all("img")]
    encoded = [uri.removeprefix("data:image/jpeg;base64,") for uri in uris]
    assert [base64.b64decode(text, validate=True) for text in encoded] == faces


def test_faces_in_doubt_are_marked_and_counted_but_lone_ones_are_not(written):
    found = written([0, 0, 0, 1], confidence=[0.95, 0.9, 0.3, 0.1])
    assert [a["title"] for a in found.all("a", "doubtful")] == ["photo 2.jpg, 30 %"]
    assert "3 faces in 3 photos, 1 in doubt" in found.text
    assert "fairly sure, 71 %" in found.text


def test_nothing_is_loaded_from_anywhere(written, hostile):
    found = written([i // 2 for i in range(len(hostile))], hostile, skipped=[("http://x/y.jpg", "no picture")])
    for tag, attributes in found.tags:
        for name in ("src", "href", "srcset", "action", "data", "poster", "background"):
            value = attributes.get(name) or ""
            assert not value.lower().startswith(("http:", "https:", "//", "javascript:")), (tag, value)
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        assert tag == "img" or not (attributes.get("src") or "")
    assert all((a["src"] or "").startswith("data:image/jpeg;base64,") for a in found.all("img"))
    assert {a["href"] for a in found.all("link")} == {"data:,"}
    assert "url(" not in found.path.read_text() and "@import" not in found.path.read_text()


def test_the_policy_lets_in_only_the_page_s_own_style_and_script(written):
    found = written([0, 0])
    policy = found.all("meta")[1]["content"] or ""
    html = found.path.read_text(encoding="utf-8")
    for tag in ("style", "script"):
        (body,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, flags=re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy and "unsafe" not in policy


def test_hostile_names_stay_text_and_their_links_lead_to_the_photos(written, hostile):
    found = written([i % 3 for i in range(len(hostile))], hostile, skipped=[("<b>x</b>", "<i>broken</i>")])
    faces = found.all("a", "face")
    assert {found.photo(face["href"] or "") for face in faces} == {
        found.path.parent.parent / "photos" / name for name in hostile
    }
    assert all(found.photo(face["href"] or "").is_file() for face in faces)
    assert len(found.all("script")) == 1 and len(found.all("img")) == len(hostile)
    assert not found.all("b") and "<b>x</b>" in found.text and "<i>broken</i>" in found.text
    assert "\u202e" not in found.path.read_text(encoding="utf-8")


def test_the_folder_of_the_photos_may_have_any_name(people_of, tmp_path):
    photos = tmp_path / "50% <b>&\"' of #2?"
    photos.mkdir()
    (photos / "photo 0.jpg").touch()
    write_page(people_of([0, 0]), tmp_path / "index.html", photos=photos)
    found = Page(tmp_path / "index.html")
    assert found.photo(found.all("a", "face")[0]["href"] or "").is_file()
    assert "The people in 50% <b>&\"' of #2?" in found.text


def test_a_name_that_is_not_utf8_is_linked_byte_by_byte(people_of, tmp_path):
    write_page(people_of([0, 0], files=["caf\udce9.jpg", "b.jpg"]), tmp_path / "index.html", photos=tmp_path)
    links = [face["href"] for face in Page(tmp_path / "index.html").all("a", "face")]
    assert links == ["./caf%E9.jpg", "./b.jpg"]


def test_no_faces_at_all_make_a_page_that_says_so(written):
    found = written([], skipped=[("a", "not a picture"), ("b", "not a picture"), ("c.mp4", "no reader")])
    assert "No face was found" in found.text
    assert "2 files: not a picture" in found.text and "1 file: no reader" in found.text
    assert not found.all("article")


def test_photos_that_show_nobody_are_counted(people_of, tmp_path):
    people = people_of([0, 0, 1], ["a.jpg", "b.jpg", "cut.mp4"])
    skipped = [("cut.mp4", "cut off"), ("cut.mp4", "damaged"), ("c.jpg", "no picture")]
    write_page(people, tmp_path / "index.html", photos=tmp_path, skipped=skipped, looked_at=10)
    assert "without a face6" in Page(tmp_path / "index.html").text
    write_page(people, tmp_path / "index.html", photos=tmp_path, skipped=skipped)
    assert "without a face" not in Page(tmp_path / "index.html").text


def test_one_face_and_only_lone_faces_make_a_page(written):
    assert len(written([0]).all("img")) == 1
    found = written(list(range(40)))
    assert "No two faces belong to one person" in found.text and len(found.all("img")) == 40
    assert [("open" in attributes) for attributes in found.all("details")] == [
        False,
        True,
    ]


def test_many_lone_faces_are_folded(written):
    assert [("open" in attributes) for attributes in written(list(range(100))).all("details")] == [False, False]


def test_more_faces_than_the_page_shows_are_counted(written, monkeypatch):
    monkeypatch.setattr(page, "MOST_FACES", 5)
    monkeypatch.setattr(page, "MOST_LONE", 3)
    found = written([0] * 9 + [1] * 5 + list(range(2, 9)))
    assert len(found.all("img")) == 5 + 5 + 3
    assert "4 further faces are not shown here" in found.text
    assert "4 further lone faces are not shown here" in found.text


def test_of_many_faces_the_least_sure_are_shown_beside_the_best(people_of, tmp_path, monkeypatch):
    confidence = [*np.linspace(0.9, 0.7, 80), *[0.1] * 20]
    people = people_of([0] * 100, confidence=confidence, quality=1, thumbnails=[b"\xff\xd8" * 5000] * 100)
    write_page(people, tmp_path / "index.html", photos=tmp_path)
    shown = [(face["title"] or "").split(".")[0] for face in Page(tmp_path / "index.html").all("a", "face")]
    assert shown == [f"photo {row}" for row in (*range(40), *range(80, 100))]
    monkeypatch.setattr(page, "ROOM", 200_000)  # of fourteen
    write_page(people, tmp_path / "index.html", photos=tmp_path)
    found = Page(tmp_path / "index.html")
    assert (len(found.all("a", "face")), len(found.all("a", "doubtful"))) == (14, 4)
    assert "86 further faces are not shown here" in found.text


def test_many_reasons_and_files_are_cut_short(written):
    many = [(f"{i}.jpg", "too large") for i in range(1000)] + [("x", f"reason {i}") for i in range(1000)]
    found = written([0, 0], skipped=many)
    assert "1,000 files: too large" in found.text and "and 700 more" in found.text
    assert "And more files for 981 other reasons" in found.text


class Thumbnails(Sequence):
    """N pictures of a size, made when asked for."""

    def __init__(self, n: int, size: int):
        self.n, self.size, self.asked = n, size, 0

    def __len__(self):
        return self.n

    def __getitem__(self, row):
        self.asked += 1
        return b"\xff\xd8" + b"%d" % row + b"\0" * self.size


@pytest.mark.parametrize("size", [200, 5_000, 40_000])
def test_two_thousand_people_fit_in_the_page(people_of, tmp_path, size):
    labels = [row % 1900 for row in range(19_000)] + list(range(1900, 2000)) * 5 + list(range(2000, 2500))
    thumbnails = Thumbnails(len(labels), size)
    files = [f"{row} {'&' * 30}.jpg" for row in range(len(labels))]
    people = people_of(labels, files, thumbnails=thumbnails)
    start = time.perf_counter()
    write_page(people, tmp_path / "index.html", photos=tmp_path)
    assert time.perf_counter() - start < 10
    assert (tmp_path / "index.html").stat().st_size < 20_000_000
    found = Page(tmp_path / "index.html")
    rows, pictures = len(found.all("article")), len(found.all("img"))
    assert thumbnails.asked <= pictures + 1
    assert "2,000" in found.text
    shown = Counter(str(image["alt"]).split(" in ")[0] for image in found.all("img"))
    counts = [shown[f"Person {number}"] for number in range(1, rows + 1)]
    assert counts == sorted(counts, reverse=True)
    if size < 40_000:
        assert rows == 2000
    else:
        assert f"{2000 - rows:,} further people with few faces are not shown" in found.text
        assert pictures == rows > 200


def test_a_page_that_takes_corrections_knows_each_face_and_what_was_said(people_of, photos, hostile, tmp_path):
    people = people_of([i % 3 for i in range(len(hostile))], hostile)
    people = replace(people, called={0: "</script><b>\"Ada'", 1: "Person 7"})
    lines = [[name, *COLUMNS[1:]] for name in ("'", '"', "</form>", *hostile)]
    contents = [f"{row:040x}" for row in range(len(hostile))]
    path = tmp_path / "out" / "index.html"
    write_page(people, path, photos=photos(people), corrigible=Corrigible(contents, lines))
    found = Page(path)
    (form,) = [form for form in found.all("form") if form["id"] == "correct"]
    assert json.loads(form["data-lines"] or "") == lines
    assert (form["data-columns"] or "").split(",") == list(COLUMNS)
    assert [row.get("data-called") for row in found.all("article")[:2]] == ["</script><b>\"Ada'", "Person 7"]
    assert "</script><b>\"Ada'" in found.text
    assert "Person 2" in found.text
    assert "Person 7" not in found.text
    faces = found.all("a", "face")
    assert sorted(face["data-content"] or "" for face in faces) == contents
    assert {face["data-place"] for face in faces} == {"10.2,-2.0,30.0,40.0,"}
    assert all((face["href"] or "").startswith(form["data-links"] or "nowhere") for face in faces)
    assert len(found.all("script")) == 1
    assert not found.all("b")


def test_corrections_can_be_undone_and_faces_chosen_by_keys(people_of, tmp_path):
    people, path = people_of([0, 0, 1, 1, 2]), tmp_path / "index.html"
    write_page(people, path, photos=tmp_path, corrigible=Corrigible([""] * 5))
    found = Page(path)
    (undo,) = [button for button in found.all("button") if button.get("id") == "undo"]
    assert undo["type"] == "button"
    assert "disabled" in undo
    html = path.read_text(encoding="utf-8")
    for said in (
        'setAttribute("aria-pressed", ',
        'setAttribute("role", "button")',
        'event.key !== " "',
        '.normalize("NFC")',
        '"they have one name by now"',
        "restore(before.pop())",
        '.face.chosen::before {\n  content: "\\2713"',
    ):
        assert said in html
    assert not re.search(r"\(.*\.\.\.lines", html)  # too many arguments for a browser


def test_what_was_said_takes_the_room_of_pictures(people_of, tmp_path):
    people = people_of([row // 2 for row in range(1000)], thumbnails=[b"\xff\xd8" * 10_000] * 1000)
    lines = [["2019/party/IMG_0001.jpg", *["100.0"] * 4, "", "Ada Lovelace", "", "0" * 40]] * 30_000
    corrigible = Corrigible(["0" * 40] * 1000, lines)
    write_page(people, tmp_path / "index.html", photos=tmp_path, corrigible=corrigible)
    assert 17_000_000 < (tmp_path / "index.html").stat().st_size < 20_000_000
    corrigible = Corrigible(["0" * 40] * 1000, lines * 7)
    write_page(people, tmp_path / "index.html", photos=tmp_path, corrigible=corrigible)
    assert len(Page(tmp_path / "index.html").all("img")) == 500  # nobody is left out, though it is larger


def test_a_page_without_corrections_offers_none(written):
    assert [form["id"] for form in written([0, 0, 1, 1]).all("form")] == ["tools"]
