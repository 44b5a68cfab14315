"""Videos whose people are known: pictures of the sample album that move through shots."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageFilter

from personae.data import Sources

SIZE = 640, 360
RATE = 25  # pictures a second
MILLISECOND = Fraction(1, 1000)


@dataclass(frozen=True)
class Actor:
    """A picture that moves: middle and width in pixels at the start and at the end of its shot."""

    person: str
    picture: Image.Image
    start: tuple[float, float, float]
    end: tuple[float, float, float]
    blur: float = 0.0

    def at(self, share: float) -> tuple[float, float, float]:
        """Middle and width when this share of the shot is over."""
        return tuple((1 - share) * a + share * b for a, b in zip(self.start, self.end, strict=True))


@dataclass(frozen=True)
class Shot:
    """So many pictures before one background."""

    actors: list[Actor]
    color: tuple[int, int, int]
    pictures: int


def drawn(shot: Shot, share: float) -> Image.Image:
    canvas = Image.new("RGB", SIZE, shot.color)
    canvas.paste(tuple(255 - c for c in shot.color), (0, 0, SIZE[0], 20))
    for actor in shot.actors:
        x, y, width = actor.at(share)
        size = max(8, round(width)), max(8, round(width * actor.picture.height / actor.picture.width))
        face = actor.picture.resize(size, Image.Resampling.BICUBIC)
        if actor.blur:
            face = face.filter(ImageFilter.GaussianBlur(actor.blur))
        canvas.paste(face, (round(x - size[0] / 2), round(y - size[1] / 2)))
    return canvas


def write_video(path: Path, shots: list[Shot], *, times: np.ndarray | None = None, rotation: int = 0) -> None:
    """Times are seconds of each picture; steady unless given."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "ultrafast"})
        stream.width, stream.height = SIZE[::-1] if rotation in (90, -90, 270) else SIZE
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = MILLISECOND
        stream.codec_context.gop_size = 25
        if rotation:
            stream.set_display_rotation(rotation)
        number = 0
        for shot in shots:
            for at in range(shot.pictures):
                picture = drawn(shot, at / max(1, shot.pictures - 1))
                if rotation:
                    picture = picture.rotate(-rotation, expand=True)
                frame = av.VideoFrame.from_image(picture)
                time = number / RATE if times is None else times[number]
                frame.pts, frame.time_base = round(1000 * time), MILLISECOND
                container.mux(stream.encode(frame))
                number += 1
        container.mux(stream.encode())


def portraits(album: Path) -> dict[str, list[Image.Image]]:
    """The photos of one person alone in the sample album, by person, cut around the middle."""
    import csv

    shown: dict[str, list[str]] = {}
    with (album / "truth.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            shown.setdefault(row["photo"], []).append(row["person"])
    found: dict[str, list[Image.Image]] = {}
    for photo, people in sorted(shown.items()):
        if len(people) == 1:
            found.setdefault(people[0], []).append(Image.open(album / "photos" / photo).convert("RGB"))
    return found


def truth_of(sources: Sources, shots: list[Shot], within: float = 0.5) -> np.ndarray:
    """(N,) the person of each track of one video: the nearest picture at the middle of its time; "" if none."""
    ends = np.cumsum([shot.pictures for shot in shots]) / RATE
    truth = []
    for box, (first, last) in zip(sources.box, sources.span, strict=True):
        shot = int(np.searchsorted(ends, first + 1e-6, side="right"))
        assert last <= ends[shot] + 1e-6, "a track goes over a cut"
        middle = box[0] + box[2] / 2, box[1] + box[3] / 2
        start = ends[shot] - shots[shot].pictures / RATE
        away = {}
        for actor in shots[shot].actors:
            for time in np.linspace(first, last, 5):
                x, y, width = actor.at((time - start) * RATE / max(1, shots[shot].pictures - 1))
                distance = np.hypot(middle[0] - x, middle[1] - y) / width
                away[actor.person] = min(distance, away.get(actor.person, np.inf))
        nearest = min(away, key=away.get)
        truth.append(nearest if away[nearest] < within else "")
    return np.array(truth)


def play(album: Path, people: int, tracks: int, pictures: int, seed: int = 0) -> list[Shot]:
    """Shots of one to three people each, `tracks` tracks in all, that move, grow or shrink, some blurred."""
    rng = np.random.default_rng(seed)
    found = portraits(album)
    cast = sorted(found, key=lambda person: (-len(found[person]), person))[:people]
    turns = [cast[at % people] for at in range(tracks)]
    shots, used = [], dict.fromkeys(cast, 0)
    while turns:
        count = min(len(turns), int(rng.integers(2, 4)))
        here, turns = turns[:count], turns[count:]
        actors = []
        for place, person in enumerate(here):
            picture = found[person][used[person] % len(found[person])]
            used[person] += 1
            lane = SIZE[0] * (place + 0.5) / count
            widths = rng.uniform(130, 190, 2)
            x, y = lane + rng.uniform(-12, 12, 2), rng.uniform(150, 210, 2)
            ends = [(float(a), float(b), float(c)) for a, b, c in zip(x, y, widths, strict=True)]
            actors.append(Actor(person, picture, *ends, blur=float(rng.choice([0, 0, 0.8]))))
        color = tuple(int(value) for value in rng.integers(0, 256, 3))
        shots.append(Shot(actors, color, pictures))
    return shots
