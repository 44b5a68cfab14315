"""The people as one page that needs nothing but itself: no network, no other file, no script to be read."""

import os
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import jinja2
import numpy as np
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup, escape
from numpy.typing import NDArray

from personae.data.atomic import atomic_write
from personae.data.corrections import COLUMNS
from personae.export.people import People, Person
from personae.export.questions import Question, questions
from personae.export.timeline import CELLS, Timeline, clock, timelines

ROOM = 18_000_000  # bytes of pictures, their links and corrections; leaves the page below 20 MB
PERSON_BYTES, FACE_BYTES, TIMELINE_BYTES = 1200, 400, 500  # of markup, more than the template writes
MOST_FACES = 60  # of one person: the best 40 and the 20 least sure
MOST_LONE = 600
MOST_REASONS, MOST_SKIPPED = 20, 300  # of skipped files; and of files for one reason
LONE_PLACE = 10  # together the lone faces get the room of the tenth person
SURE, FAIRLY = 0.8, 0.5  # confidence from which a face, or a person's mean, is called so
FOLDED_FROM = 10  # faces in sight: the best one and a row of nine; the others unfold


@dataclass(frozen=True)
class Picture:
    """One face as the page shows it; `place` is its box, and the second of a video, as corrections name it."""

    row: int
    place: str
    data: str
    photo: str
    link: str
    percent: int
    in_doubt: bool


@dataclass(frozen=True)
class Corrigible:
    """What a page needs to let its reader name people and put faces right.

    contents: (N,) digest of the photo of each face
    lines:    what was said before, cells under `personae.data.corrections.COLUMNS`
    """

    contents: Sequence[str]
    lines: Sequence[Sequence[str]] = ()


@dataclass(frozen=True)
class Row:
    """One person as the page shows them."""

    person: Person
    pictures: Sequence[Picture]
    percent: int
    word: str
    in_doubt: int
    timelines: Sequence[Timeline]

    @property
    def hidden(self) -> int:
        """Faces there was no room for."""
        return len(self.person.faces) - len(self.pictures)


def write_page(
    people: People,
    path: Path,
    *,
    photos: Path,
    skipped: Iterable[tuple[str, str]] = (),
    corrigible: Corrigible | None = None,
    looked_at: int | None = None,
) -> None:
    """Writes the people as one HTML page of at most 20 MB, thumbnails within, links to the photos.

    What was said before takes the room of other faces, but of nobody's best one: a page that holds very much of
    it is larger.

    photos:     the folder the faces were read from; the links lead there from the folder of `path`
    skipped:    files that could not be read, each with the reason
    corrigible: what lets a reader name people and put faces right, in a table that the page saves
    looked_at:  photos and videos there are, skipped ones included; unless given, those that the faces name

    Everyone's best face finds room before any other; then the more, the larger the person. The page says what
    it leaves out. Only the thumbnails shown are read.

    OutputError: `path` cannot be written.
    """
    links = relative_folder(photos, path)
    times = {person.number: timelines(people, person, links) for person in people.persons}
    lines = htmlsafe_json_dumps([] if corrigible is None else corrigible.lines)
    first, about_lone = ([], []) if corrigible is None else questions(people)
    asked = {row for question in (*first, *about_lone) for row in question.faces}
    pictures = _pictures(people, links, times, asked, len(lines))
    rows = [
        _row(people, person, pictures, times[person.number])
        for person in people.persons
        if person.faces[0] in pictures
    ]
    lone = [pictures[row] for row in people.lone.tolist() if row in pictures]
    left_out = list(skipped)
    with_faces = len(np.unique(people.sources.file))
    reasons: dict[str, list[str]] = {}
    for file, reason in left_out:
        reasons.setdefault(legible(reason), []).append(legible(file))
    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("personae.export"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = _as_written(templates, "page.css"), _as_written(templates, "page.js")
    if corrigible is not None:
        script += Markup("\n") + _as_written(templates, "correct.js")
    html = templates.get_template("page.html").render(
        title=legible(photos.resolve().name or str(photos)),
        people=people,
        photos_with_faces=with_faces,
        photos_without=_without_a_face(people, {file for file, _ in left_out}, looked_at),
        rows=rows,
        lone=lone,
        first=[question for question in first if _is_shown(question, pictures)],
        about_lone=[question for question in about_lone if _is_shown(question, pictures)],
        asked=asked,
        reasons=reasons,
        skipped=sum(map(len, reasons.values())),
        most_reasons=MOST_REASONS,
        most_skipped=MOST_SKIPPED,
        folded_from=FOLDED_FROM,
        source=_shown(people),
        corrigible=corrigible,
        lines=lines,
        columns=COLUMNS,
        links=links,
        cells=CELLS,
        clock=clock,
        legible=legible,
        sure=round(100 * SURE),
        fairly=round(100 * FAIRLY),
        style=style,
        script=script,
        policy=f"default-src 'none'; img-src data:; style-src {_fingerprint(style)}; "
        f"script-src {_fingerprint(script)}; base-uri 'none'; form-action 'none'",
    )
    with atomic_write(path) as temporary:
        temporary.write_text(html, encoding="utf-8")


def _without_a_face(people: People, skipped: set[str], looked_at: int | None) -> int:
    """Photos and videos that could be read and show nobody."""
    files = people.sources.files
    there = len({*files, *skipped}) if looked_at is None else looked_at
    return there - len(skipped.union(files[file] for file in np.unique(people.sources.file)))


def _shown(people: People) -> tuple[str, str]:
    """What the faces come from, one and many of it."""
    span = people.sources.span
    if span is None:
        return "photo", "photos"
    return ("photo or video", "photos and videos") if np.isnan(span).any() else ("video", "videos")


def relative_folder(photos: Path, page: Path) -> str:
    """The way from the folder of the page to the photos, as the start of a link that ends with "/"."""
    try:
        return quote(os.fsencode(Path(os.path.relpath(photos, page.parent)).as_posix())) + "/"
    except ValueError:  # another drive
        return photos.resolve().as_uri() + "/"


def legible(name: str) -> str:
    r"""A file name with a mark in place of what cannot be shown or would turn the text around it.

    >>> legible("a\nb.jpg")
    'a�b.jpg'
    """
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in name)


def _is_shown(question: Question, pictures: Mapping[int, Picture]) -> bool:
    """Whether there was room for all that the question is about."""
    return pictures.keys() >= {*(int(person.faces[0]) for person in question.persons), *question.faces}


def _pictures(
    people: People, links: str, times: dict[int, list[Timeline]], asked: set[int], said: int
) -> dict[int, Picture]:
    """The faces there is room for, by row: all the best ones, then by turn x number of the person.

    A person of number n so shows about 1/n of what the first one shows, and always the best of their faces and
    those that are asked about. What was said takes that many bytes from all but the best.
    """
    shown = [_first(_in_turn(person.faces, people.confidence), MOST_FACES, asked) for person in people.persons]
    lone = _first(people.lone, MOST_LONE, asked)
    rows = np.concatenate([*shown, lone])
    turns = np.concatenate(
        [np.arange(len(faces)) * number for number, faces in enumerate(shown, 1)]
        + [np.arange(1, len(lone) + 1) * LONE_PLACE]
    )
    turns = np.where((turns > 0) & np.isin(rows, list(asked)), 0.5, turns)
    pictures: dict[int, Picture] = {}
    room = ROOM
    best = {int(person.faces[0]): person.number for person in people.persons}
    for at in np.argsort(turns, kind="stable"):
        picture = _picture(people, int(rows[at]), links)
        room -= len(picture.data) + len(picture.link) + 2 * len(escape(picture.photo).encode()) + FACE_BYTES
        if turns[at] == 0:
            room -= PERSON_BYTES + sum(_bytes_of(line) for line in times[best[int(rows[at])]])
        if room < (said if turns[at] else 0):
            break
        pictures[int(rows[at])] = picture
    return pictures


def _in_turn(faces: NDArray[np.int64], confidence: NDArray[np.float32]) -> NDArray[np.int64]:
    """A person's faces as they find room: after every two of the best one of the least sure of the others."""
    shown = min(len(faces), MOST_FACES)
    few = shown // 3
    best, others = np.split(faces, [shown - few])
    others = others[np.argsort(confidence[others], kind="stable")]
    return np.concatenate([np.insert(best, 2 * np.arange(1, few + 1), others[:few]), others[few:]])


def _first(rows: NDArray[np.int64], most: int, asked: set[int]) -> NDArray[np.int64]:
    """As many of the rows, and those that are asked about."""
    return rows[(np.arange(len(rows)) < most) | np.isin(rows, list(asked))]


def _bytes_of(line: Timeline) -> int:
    return TIMELINE_BYTES + len(line.path) + len(line.link) + 2 * len(escape(line.video).encode())


def _picture(people: People, row: int, links: str) -> Picture:
    photo, confidence, span = people.photo(row), float(people.confidence[row]), people.span(row)
    begin = "" if span is None else f"{span[0]:.2f}"
    return Picture(
        row=row,
        place=",".join([*(f"{pixels:.1f}" for pixels in people.sources.box[row]), begin]),
        data=b64encode(people.thumbnails[row]).decode("ascii"),
        photo=legible(photo) + ("" if span is None else f" at {clock(span[0])}"),
        link=links + quote(os.fsencode(photo)) + ("" if span is None else f"#t={span[0]:.1f}"),
        percent=int(100 * confidence),
        in_doubt=confidence < FAIRLY,
    )


def _row(people: People, person: Person, pictures: dict[int, Picture], times: Sequence[Timeline]) -> Row:
    return Row(
        person,
        [pictures[row] for row in person.faces.tolist() if row in pictures],
        percent=int(100 * person.confidence),
        word="sure"
        if person.confidence >= SURE
        else "fairly sure"
        if person.confidence >= FAIRLY
        else "in doubt",
        in_doubt=int((people.confidence[person.faces] < FAIRLY).sum()),
        timelines=times,
    )


def _as_written(templates: jinja2.Environment, name: str) -> Markup:
    """A style sheet or a script as it stands in the page, with the line ends a browser sees."""
    assert templates.loader is not None
    text = templates.loader.get_source(templates, name)[0]
    return Markup("\n".join(text.splitlines()))


def _fingerprint(text: str) -> str:
    """What lets this one style sheet or script past the page's policy, and no other."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode('ascii')}'"
